//! The ConfigMap: everything that is mounted into the notebook's pod as a file.

use crate::labels::owned;
use crate::spark;
use crate::validate::Session;
use serde_json::{Map, Value, json};

pub(crate) const SPARK_DEFAULTS: &str = "spark-defaults.conf";
pub(crate) const JUPYTER_CONFIG: &str = "jupyter_server_config.py";
pub(crate) const DOOR: &str = "spark_door.py";
/// What each kernel loads, by name.
pub(crate) const KERNEL_FILES: [(&str, &str); 11] = [
    ("ipython_kernel_config.py", include_str!("assets/ipython_kernel_config.py")),
    ("after_import.py", include_str!("assets/after_import.py")),
    ("practice_api.py", include_str!("assets/practice_api.py")),
    ("spark_guard.py", include_str!("assets/spark_guard.py")),
    ("spark_interrupt.py", include_str!("assets/spark_interrupt.py")),
    ("spark_news.py", include_str!("assets/spark_news.py")),
    ("spark_rehearsal.py", include_str!("assets/spark_rehearsal.py")),
    ("spark_score.py", include_str!("assets/spark_score.py")),
    ("spark_settings.py", include_str!("assets/spark_settings.py")),
    ("spark_start.py", include_str!("assets/spark_start.py")),
    ("spark_warm.py", include_str!("assets/spark_warm.py")),
];
pub(crate) const TUTORIAL: &str = "tutorial.ipynb";

pub(crate) fn config_map(session: &Session) -> Value {
    let mut data = Map::new();
    data.insert(SPARK_DEFAULTS.to_owned(), json!(spark::defaults(session)));
    data.insert(JUPYTER_CONFIG.to_owned(), json!(include_str!("assets/jupyter_server_config.py")));
    data.insert(DOOR.to_owned(), json!(include_str!("assets/spark_door.py")));
    data.insert(TUTORIAL.to_owned(), json!(tutorial(session)));
    data.extend(KERNEL_FILES.map(|(name, text)| (name.to_owned(), json!(text))));
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": owned(session, &session.names().config()),
        "data": data,
    })
}

/// The tutorial with this notebook's names in it.
fn tutorial(session: &Session) -> String {
    include_str!("assets/tutorial.ipynb")
        .replace("@NAME@", &session.identity.name)
        .replace("@DRIVER_HOST@", &session.driver_host())
}
