//! Who is who in the yard: certificates and kubeconfigs of administrator, operator and agents.

use super::KeeperError;
use super::nodes::NodeFile;
use super::start::{API_PORT, YARD_ADDRESS};
use crate::yard::folder::write_private;
use crate::yard::{Settings, YardDir};
use emberyard_api::kubeconfig;
use emberyard_api::pki::{self, Names, Pki};
use std::net::IpAddr;

fn load(dir: &YardDir) -> Result<Pki, KeeperError> {
    pki::ensure(&dir.pki(), &Names::default(), crate::machine::now())
        .map_err(|error| KeeperError::Pki(error.to_string()))
}

/// Makes what is missing: authority, administrator's and operator's kubeconfigs.
pub(super) fn ensure(dir: &YardDir, settings: &Settings) -> Result<(), KeeperError> {
    let pki = load(dir)?;
    let outside = format!("https://127.0.0.1:{}", settings.api_port);
    let text = kubeconfig::render(&dir.context(), &outside, pki.authority.certificate(), &pki.admin);
    write(dir.kubeconfig(), &text)?;
    let operator = pki
        .client("operator", "emberyard-operator", &["emberyard:operators"], crate::machine::now())
        .map_err(|error| KeeperError::Pki(error.to_string()))?;
    let text = kubeconfig::render("operator", &inside(), pki.authority.certificate(), &operator);
    write(dir.operator_kubeconfig(), &text)
}

/// A node's own identities: `system:node:NAME`, the one that keeps network policies there, and the certificate of its kubelet
/// port.
pub(super) fn ensure_node(dir: &YardDir, file: &NodeFile) -> Result<(), KeeperError> {
    let (pki, now) = (load(dir)?, crate::machine::now());
    let wrong = |error: pki::PkiError| KeeperError::Pki(error.to_string());
    let name = file.name.as_str();
    let client =
        pki::issue_client(&pki.authority, &format!("system:node:{name}"), &["system:nodes"], now).map_err(wrong)?;
    let network = pki::issue_client(&pki.authority, &format!("emberyard-network:{name}"), &["emberyard:networks"], now)
        .map_err(wrong)?;
    let serving = pki::issue_serving(&pki.authority, name, &[IpAddr::V4(file.ip())], now).map_err(wrong)?;
    let folder = dir.node(&file.name);
    for (file, identity) in [("kubeconfig", &client), ("network-kubeconfig", &network)] {
        write(folder.join(file), &kubeconfig::render(name, &inside(), pki.authority.certificate(), identity))?;
    }
    write(folder.join("serving.crt"), &serving.certificate)?;
    write(folder.join("serving.key"), &serving.key)?;
    write(folder.join("ca.crt"), pki.authority.certificate())
}

fn inside() -> String {
    format!("https://{YARD_ADDRESS}:{API_PORT}")
}

fn write(path: std::path::PathBuf, text: &str) -> Result<(), KeeperError> {
    write_private(&path, text.as_bytes()).map_err(|source| KeeperError::File { path, source })
}

/// Whether the API server is ready.
pub(super) async fn api_answers(dir: &YardDir) -> bool {
    match emberyard_client::Client::from_kubeconfig(&dir.kubeconfig()).await {
        Ok(client) => client.get_bytes("/readyz", &[]).await.is_ok(),
        Err(_) => false,
    }
}
