#![allow(clippy::unwrap_used)]
use super::*;
use std::os::unix::fs::PermissionsExt;
use x509_parser::prelude::{FromDer, X509Certificate};

const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);
const DAY: i64 = 24 * 3600;

#[test]
fn makes_once_and_keeps() {
    let dir = tempfile::tempdir().unwrap();
    let first = ensure(dir.path(), &Names::default(), NOW).unwrap();
    let again = ensure(dir.path(), &Names::default(), Timestamp::from_seconds(NOW.seconds() + DAY)).unwrap();
    assert_eq!(first.authority.certificate(), again.authority.certificate());
    assert_eq!(first.serving, again.serving);
    assert_eq!(first.admin, again.admin);
    assert_eq!(first.service_account_key(), again.service_account_key());
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", entry.path().display());
    }
    assert_eq!(std::fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn renews_leaves_but_not_the_authority() {
    let dir = tempfile::tempdir().unwrap();
    let first = ensure(dir.path(), &Names::default(), NOW).unwrap();
    let later = Timestamp::from_seconds(NOW.seconds() + 340 * DAY);
    let renewed = ensure(dir.path(), &Names::default(), later).unwrap();
    assert_eq!(first.authority.certificate(), renewed.authority.certificate());
    assert_ne!(first.serving, renewed.serving);
    let mut names = Names::default();
    names.dns.push("yard.example".to_owned());
    let renamed = ensure(dir.path(), &names, later).unwrap();
    assert_ne!(renamed.serving, renewed.serving);
    assert_eq!(renamed.admin, renewed.admin);
}

#[test]
fn a_mismatched_pair_is_replaced_and_half_an_authority_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = ensure(dir.path(), &Names::default(), NOW).unwrap();
    std::fs::copy(dir.path().join("apiserver.key"), dir.path().join("admin.key")).unwrap();
    let healed = ensure(dir.path(), &Names::default(), NOW).unwrap();
    assert_ne!(first.admin, healed.admin);
    std::fs::remove_file(dir.path().join("ca.key")).unwrap();
    assert!(matches!(ensure(dir.path(), &Names::default(), NOW), Err(PkiError::HalfAnAuthority { .. })));
}

#[test]
fn certificates_say_what_clients_check() {
    let dir = tempfile::tempdir().unwrap();
    let pki = ensure(dir.path(), &Names::default(), NOW).unwrap();
    let der = certificate_der(&pki.serving.certificate).unwrap();
    let (_, leaf) = X509Certificate::from_der(&der).unwrap();
    let authority_der = certificate_der(pki.authority.certificate()).unwrap();
    let (_, authority) = X509Certificate::from_der(&authority_der).unwrap();
    assert!(leaf.extended_key_usage().unwrap().unwrap().value.server_auth);
    assert!(leaf.key_usage().unwrap().unwrap().value.digital_signature());
    assert!(authority.is_ca() && authority.key_usage().unwrap().unwrap().value.key_cert_sign());
    let key_id = |cert: &X509Certificate<'_>| {
        cert.extensions().iter().find_map(|e| match e.parsed_extension() {
            x509_parser::extensions::ParsedExtension::AuthorityKeyIdentifier(id) => {
                id.key_identifier.as_ref().map(|k| k.0.to_vec())
            }
            _ => None,
        })
    };
    let own_id = authority.extensions().iter().find_map(|e| match e.parsed_extension() {
        x509_parser::extensions::ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
        _ => None,
    });
    assert_eq!(key_id(&leaf), own_id);
    assert!(own_id.is_some());

    let node = issue_client(&pki.authority, "system:node:n1", &["system:nodes", "more"], NOW).unwrap();
    let der = certificate_der(&node.certificate).unwrap();
    let (_, node) = X509Certificate::from_der(&der).unwrap();
    let groups: Vec<_> = node.subject().iter_organization().map(|o| o.as_str().unwrap()).collect();
    assert_eq!(groups, ["system:nodes", "more"]);
    assert!(issue_client(&pki.authority, "x", &["a", "b", "c"], NOW).is_err());
}
