//! Learns from the cluster where notebooks are.

use crate::routes::{NotebookId, Route, Routes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use emberyard_client::{Client, WatchEvent, path};
use emberyard_model::notebook::{GROUP, NOTEBOOK_LABEL, NOTEBOOKS, TOKEN_KEY, VERSION};
use futures::StreamExt;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// A token that is not there yet is looked for at this pace.
const TICK: Duration = Duration::from_millis(500);

/// Keeps the routes up to date until nobody listens any more. The first are told when all are known: who finds a notebook
/// missing must be sure that there is none.
pub async fn follow(client: Client, routes: watch::Sender<Arc<Routes>>) {
    let mut notebooks = client.watch(&path(GROUP, VERSION, "", NOTEBOOKS, ""), &[]);
    let mut pods = client.watch("/api/v1/pods", &[("labelSelector", NOTEBOOK_LABEL)]);
    let mut known: BTreeMap<NotebookId, Value> = BTreeMap::new();
    let mut addresses: BTreeMap<NotebookId, Value> = BTreeMap::new();
    let mut tokens: BTreeMap<NotebookId, (String, String)> = BTreeMap::new();
    let mut ticks = tokio::time::interval(TICK);
    let (mut all_notebooks, mut all_pods, mut told) = (false, false, false);
    loop {
        tokio::select! {
            Some(event) = notebooks.next() => all_notebooks |= take(&mut known, event, |object| {
                Some(NotebookId { namespace: text(&object["metadata"]["namespace"]), name: text(&object["metadata"]["name"]) })
            }),
            Some(event) = pods.next() => all_pods |= take(&mut addresses, event, |object| {
                let meta = &object["metadata"];
                let name = meta["labels"][NOTEBOOK_LABEL].as_str()?;
                Some(NotebookId { namespace: text(&meta["namespace"]), name: name.to_owned() })
            }),
            _ = ticks.tick() => {}
            () = routes.closed() => return,
        }
        learn_tokens(&client, &known, &mut tokens).await;
        let current: Routes = known
            .iter()
            .map(|(id, notebook)| (id.clone(), route(notebook, addresses.get(id), tokens.get(id))))
            .collect();
        if !(all_notebooks && all_pods) {
            continue;
        }
        routes.send_if_modified(|before| {
            let changed = **before != current || !std::mem::replace(&mut told, true);
            if changed {
                *before = Arc::new(current);
            }
            changed
        });
    }
}

fn route(notebook: &Value, pod: Option<&Value>, token: Option<&(String, String)>) -> Route {
    Route {
        ip: pod.and_then(|pod| pod["status"]["podIP"].as_str()).and_then(|ip| ip.parse().ok()),
        token: token.map(|(_, token)| token.clone()),
        phase: notebook["status"]["phase"].as_str().unwrap_or("Pending").to_owned(),
        ports: None,
    }
}

/// Tokens never change, but a notebook may name another secret, or come back under its old name with a new one.
async fn learn_tokens(
    client: &Client,
    known: &BTreeMap<NotebookId, Value>,
    tokens: &mut BTreeMap<NotebookId, (String, String)>,
) {
    tokens.retain(|id, (source, _)| {
        known.get(id).is_some_and(|notebook| token_source(notebook).as_ref() == Some(source))
    });
    for (id, notebook) in known {
        let Some(source) = token_source(notebook).filter(|_| !tokens.contains_key(id)) else { continue };
        let secret = text(&notebook["status"]["tokenSecret"]);
        match client.find(&path("", "v1", &id.namespace, "secrets", &secret)).await {
            Ok(Some(secret)) => {
                let token = secret["data"][TOKEN_KEY].as_str().and_then(|text| STANDARD.decode(text).ok());
                if let Some(token) = token.and_then(|bytes| String::from_utf8(bytes).ok()) {
                    tokens.insert(id.clone(), (source, token));
                }
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, notebook = id.name, "no token yet"),
        }
    }
}

/// From which secret of which notebook a token was read.
fn token_source(notebook: &Value) -> Option<String> {
    let secret = notebook["status"]["tokenSecret"].as_str()?;
    Some(format!("{}/{secret}", text(&notebook["metadata"]["uid"])))
}

/// Takes in an event; whether the map is now known to be whole.
fn take(map: &mut BTreeMap<NotebookId, Value>, event: WatchEvent, id: impl Fn(&Value) -> Option<NotebookId>) -> bool {
    match event {
        WatchEvent::Added(object) | WatchEvent::Modified(object) => {
            map.extend(id(&object).map(|id| (id, object)));
        }
        WatchEvent::Deleted(object) => {
            let of = id(&object);
            // A successor of the same name may have been announced already.
            let same = |known: &Value| known["metadata"]["uid"] == object["metadata"]["uid"];
            if let Some(of) = of.filter(|of| map.get(of).is_some_and(same)) {
                map.remove(&of);
            }
        }
        WatchEvent::Bookmark(_) => {}
        WatchEvent::Restarted(items) => {
            *map = items.into_iter().filter_map(|object| Some((id(&object)?, object))).collect();
            return true;
        }
    }
    false
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
