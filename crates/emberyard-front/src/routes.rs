//! Which notebook is where: fed by watches, read by requests.

use base64::Engine as _;
use emberyard_client::{Client, WatchEvent};
use futures::StreamExt;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// Namespace and name of a notebook.
pub(crate) type Key = (String, String);

/// What the gateway knows of a notebook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notebook {
    /// Address of its pod while it runs.
    pub address: Option<IpAddr>,
    /// Its access token, from its secret.
    pub token: Option<String>,
}

/// All notebooks.
#[derive(Clone, Default)]
pub(crate) struct Routes(Arc<Mutex<BTreeMap<Key, Notebook>>>);

const SELECTOR: &str = "app.kubernetes.io/name=pyspark-notebook";

impl Routes {
    pub fn find(&self, key: &Key) -> Option<Notebook> {
        self.0.lock().ok()?.get(key).cloned()
    }

    pub fn all(&self) -> Vec<(Key, Notebook)> {
        self.0.lock().map(|map| map.iter().map(|(key, book)| (key.clone(), book.clone())).collect()).unwrap_or_default()
    }

    fn change(&self, key: Key, change: impl FnOnce(&mut Notebook)) {
        if let Ok(mut map) = self.0.lock() {
            change(map.entry(key).or_default());
            map.retain(|_, book| *book != Notebook::default());
        }
    }

    /// Takes what a watch tells; `learn` reads one object into a notebook's entry, `forget` undoes it.
    fn apply(&self, event: &WatchEvent, learn: fn(&Value, &mut Notebook), forget: fn(&mut Notebook)) {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                if let Some(key) = key(object) {
                    self.change(key, |book| learn(object, book));
                }
            }
            WatchEvent::Deleted(object) => {
                if let Some(key) = key(object) {
                    self.change(key, forget);
                }
            }
            WatchEvent::Restarted(objects) => {
                for (key, _) in self.all() {
                    self.change(key, forget);
                }
                for object in objects {
                    self.apply(&WatchEvent::Added(object.clone()), learn, forget);
                }
            }
            WatchEvent::Bookmark(_) => {}
        }
    }

    /// Follows pods and secrets of notebooks until shutdown.
    pub async fn follow(self, client: Client, shutdown: CancellationToken) {
        let query = [("labelSelector", SELECTOR)];
        let mut pods = client.watch("/api/v1/pods", &query);
        let mut secrets = client.watch("/api/v1/secrets", &query);
        loop {
            tokio::select! {
                Some(event) = pods.next() => self.apply(&event, learn_pod, |book| book.address = None),
                Some(event) = secrets.next() => self.apply(&event, learn_secret, |book| book.token = None),
                () = shutdown.cancelled() => return,
            }
        }
    }
}

fn key(object: &Value) -> Option<Key> {
    let metadata = &object["metadata"];
    Some((
        metadata["namespace"].as_str()?.to_owned(),
        metadata["labels"]["app.kubernetes.io/instance"].as_str()?.to_owned(),
    ))
}

fn learn_pod(pod: &Value, book: &mut Notebook) {
    let leaving = !pod["metadata"]["deletionTimestamp"].is_null();
    let running = pod["status"]["phase"] == "Running" && !leaving;
    book.address = if running { pod["status"]["podIP"].as_str().and_then(|ip| ip.parse().ok()) } else { None };
}

fn learn_secret(secret: &Value, book: &mut Notebook) {
    let encoded = secret["data"]["token"].as_str().unwrap_or("");
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded).ok();
    book.token = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| text.trim().to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_notebook_comes_and_goes_with_its_pod_and_secret() {
        let routes = Routes::default();
        let labels = json!({"app.kubernetes.io/instance": "a"});
        let pod = json!({"metadata": {"namespace": "n", "labels": labels}, "status": {"phase": "Running", "podIP": "10.42.1.5"}});
        let secret = json!({"metadata": {"namespace": "n", "labels": labels}, "data": {"token": "c2VzYW1l"}});
        let key = ("n".to_owned(), "a".to_owned());
        routes.apply(&WatchEvent::Added(pod.clone()), learn_pod, |book| book.address = None);
        routes.apply(&WatchEvent::Added(secret), learn_secret, |book| book.token = None);
        let book = routes.find(&key).unwrap();
        assert_eq!((book.address.unwrap().to_string().as_str(), book.token.as_deref()), ("10.42.1.5", Some("sesame")));
        routes.apply(&WatchEvent::Restarted(Vec::new()), learn_pod, |book| book.address = None);
        assert_eq!(routes.find(&key).unwrap().address, None);
        routes.apply(&WatchEvent::Restarted(Vec::new()), learn_secret, |book| book.token = None);
        assert_eq!(routes.find(&key), None);
    }
}
