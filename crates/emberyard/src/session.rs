//! Notebooks through the API: created, waited for, linked to. The same calls work on any cluster.

use crate::api::{Made, admin, api, make};
use crate::error::Failure;
use crate::progress::Step;
use crate::yard::{NotebookSettings, YardDir};
use base64::Engine as _;
use emberyard_client::{Client, ContentKind};
use emberyard_front::overview;
use emberyard_model::notebook::TOKEN_KEY;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A notebook's pod starts in seconds; a first start on a slow disk may take longer.
const PATIENCE: Duration = Duration::from_secs(180);

/// Path of a notebook resource.
pub fn path(namespace: &str, name: &str) -> String {
    format!("/apis/emberyard.dev/v1alpha1/namespaces/{namespace}/notebooks/{name}")
}

/// Creates the yard's notebook or brings it up to date, waits until it answers, and returns its link.
pub async fn open(dir: &YardDir, notebook: &NotebookSettings) -> Result<String, Failure> {
    let client = admin(dir).await?;
    let (namespace, name) = (notebook.namespace.as_str(), notebook.name.as_str());
    ensure(&client, namespace, name, Some(&notebook.folder.display().to_string())).await?;
    wait(&client, namespace, name).await
}

/// Creates a notebook, or sets its folder and starts it again if it is there.
pub async fn ensure(client: &Client, namespace: &str, name: &str, folder: Option<&str>) -> Result<(), Failure> {
    let mut spec = json!({ "stopped": false });
    if let Some(folder) = folder {
        spec["folder"] = json!({ "path": folder });
    }
    let object = json!({
        "apiVersion": "emberyard.dev/v1alpha1", "kind": "Notebook",
        "metadata": { "name": name, "namespace": namespace }, "spec": spec
    });
    let collection = format!("/apis/emberyard.dev/v1alpha1/namespaces/{namespace}/notebooks");
    if make(client, &collection, &object).await? == Made::New {
        return Ok(());
    }
    client.patch(&path(namespace, name), &json!({ "spec": spec }), ContentKind::MergePatch).await.map(drop).map_err(api)
}

/// Waits until the notebook answers through the gateway; its link with the token.
pub async fn wait(client: &Client, namespace: &str, name: &str) -> Result<String, Failure> {
    let mut step = Step::begin(format!("notebook {name}"));
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let object = client.get(&path(namespace, name), &[]).await.map_err(api)?;
        let status = &object["status"];
        match status["phase"].as_str() {
            Some("Running") => {
                // The status may speak of the pod of an earlier life: the server itself must answer.
                if let Some(link) = link(client, &object).await?
                    && answers(&link).await
                {
                    step.done(&format!("notebook {name} answers"));
                    return Ok(link);
                }
            }
            Some("Invalid") => return Err(Failure::Notebook { name: name.to_owned(), why: reason(&object) }),
            _ => {
                let why = reason(&object);
                if !why.is_empty() {
                    step.update(&format!("notebook {name}: {why}"));
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Failure::Notebook { name: name.to_owned(), why: format!("it does not answer after {} s", PATIENCE.as_secs()) })
}

async fn answers(link: &str) -> bool {
    match emberyard_front::kernel::Jupyter::from_link(link) {
        Ok(jupyter) => jupyter.answers().await,
        Err(_) => false,
    }
}

fn reason(notebook: &Value) -> String {
    let conditions = notebook["status"]["conditions"].as_array().into_iter().flatten();
    let mut unmet = conditions.filter(|condition| condition["status"] != "True");
    unmet.find_map(|condition| condition["message"].as_str()).unwrap_or("").to_owned()
}

/// The link that opens a notebook, with its token; `None` until it has one.
pub async fn link(client: &Client, notebook: &Value) -> Result<Option<String>, Failure> {
    let (Some(url), Some(token)) = (notebook["status"]["url"].as_str(), token(client, notebook).await?) else {
        return Ok(None);
    };
    Ok(Some(format!("{url}?token={token}")))
}

/// The link that opens the read-only page of the yard; `None` until the gateway has made its token.
pub async fn overview_link(client: &Client, gateway_port: u16) -> Result<Option<String>, Failure> {
    let token = secret_token(client, overview::TOKEN_NAMESPACE, overview::TOKEN_NAME).await?;
    Ok(token.map(|token| format!("http://127.0.0.1:{gateway_port}{}?token={token}", overview::PATH)))
}

/// A notebook's access token.
pub async fn token(client: &Client, notebook: &Value) -> Result<Option<String>, Failure> {
    let (Some(namespace), Some(secret)) =
        (notebook["metadata"]["namespace"].as_str(), notebook["status"]["tokenSecret"].as_str())
    else {
        return Ok(None);
    };
    secret_token(client, namespace, secret).await
}

async fn secret_token(client: &Client, namespace: &str, secret: &str) -> Result<Option<String>, Failure> {
    let Some(secret) = client.find(&format!("/api/v1/namespaces/{namespace}/secrets/{secret}")).await.map_err(api)?
    else {
        return Ok(None);
    };
    let encoded = secret["data"][TOKEN_KEY].as_str().unwrap_or("");
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded).ok();
    Ok(decoded.and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| text.trim().to_owned()))
}
