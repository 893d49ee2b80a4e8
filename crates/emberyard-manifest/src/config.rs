//! The ConfigMap: everything that is mounted into the notebook's pod as a file.

use crate::labels::owned;
use crate::spark;
use crate::validate::Session;
use serde_json::{Value, json};

pub(crate) const SPARK_DEFAULTS: &str = "spark-defaults.conf";
pub(crate) const JUPYTER_CONFIG: &str = "jupyter_server_config.py";
pub(crate) const DOOR: &str = "spark_door.py";
pub(crate) const KERNEL_CONFIG: &str = "ipython_kernel_config.py";
pub(crate) const GUARD: &str = "spark_guard.py";
pub(crate) const NEWS: &str = "spark_news.py";
pub(crate) const TUTORIAL: &str = "tutorial.ipynb";

pub(crate) fn config_map(session: &Session) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": owned(session, &session.names().config()),
        "data": {
            SPARK_DEFAULTS: spark::defaults(session),
            JUPYTER_CONFIG: include_str!("assets/jupyter_server_config.py"),
            DOOR: include_str!("assets/spark_door.py"),
            KERNEL_CONFIG: include_str!("assets/ipython_kernel_config.py"),
            GUARD: include_str!("assets/spark_guard.py"),
            NEWS: include_str!("assets/spark_news.py"),
            TUTORIAL: tutorial(session),
        },
    })
}

/// The tutorial with this notebook's names in it.
fn tutorial(session: &Session) -> String {
    include_str!("assets/tutorial.ipynb")
        .replace("@NAME@", &session.identity.name)
        .replace("@DRIVER_HOST@", &session.driver_host())
}
