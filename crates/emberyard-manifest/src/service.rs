//! The three services of a notebook.

use crate::labels::{owned, selector};
use crate::names::{DRIVER_PORT, UI_PORT};
use crate::validate::Session;
use emberyard_model::notebook::{DOOR_PORT, JUPYTER_PORT};
use serde_json::{Value, json};

/// Jupyter itself.
pub(crate) fn jupyter(session: &Session) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": owned(session, &session.identity.name),
        "spec": {
            "selector": selector(session),
            "ports": [{"name": "http", "port": JUPYTER_PORT, "targetPort": "http"}],
        },
    })
}

/// By which executors find the driver. Headless, because a driver that finds its port taken opens the next one, and
/// published before the pod is ready, because executors may start at once.
pub(crate) fn driver(session: &Session) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": owned(session, &session.names().driver_service()),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": true,
            "selector": selector(session),
            "ports": [
                {"name": "driver", "port": DRIVER_PORT, "targetPort": DRIVER_PORT},
                {"name": "ui", "port": UI_PORT, "targetPort": UI_PORT},
            ],
        },
    })
}

/// The Spark UI, by its door.
pub(crate) fn spark_ui(session: &Session) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": owned(session, &session.names().ui_service()),
        "spec": {
            "selector": selector(session),
            "ports": [{"name": "spark-ui", "port": UI_PORT, "targetPort": DOOR_PORT}],
        },
    })
}
