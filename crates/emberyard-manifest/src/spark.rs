//! spark-defaults.conf: why `SparkSession.builder.getOrCreate()` needs no settings here.

use crate::names::{DRIVER_PORT, UI_PORT};
use crate::validate::Session;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The file. What the user's code sets wins over it; the notebook's `sparkDefaults` win over ours.
pub(crate) fn defaults(session: &Session) -> String {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut set = |key: &str, value: &str| all.insert(key.to_owned(), value.to_owned());
    let name = &session.identity.name;

    set("spark.master", &format!("k8s://https://kubernetes.default.svc.{}:443", session.cluster_domain));
    set("spark.kubernetes.namespace", &session.identity.namespace);
    set("spark.kubernetes.container.image", &session.executor_image);
    set("spark.kubernetes.authenticate.caCertFile", &format!("{ACCOUNT}/ca.crt"));
    set("spark.kubernetes.authenticate.oauthTokenFile", &format!("{ACCOUNT}/token"));
    set("spark.kubernetes.authenticate.driver.serviceAccountName", name);
    // Executors, their ConfigMap and volumes are owned by this pod: they go when it goes.
    set("spark.kubernetes.driver.pod.name", &session.names().pod());
    set("spark.driver.host", &session.driver_host());
    set("spark.driver.port", &DRIVER_PORT.to_string());
    // The service's name resolves only once the pod is known to it; the driver need not wait for that.
    set("spark.driver.bindAddress", "0.0.0.0");
    // Spark 4.3 would tell executors the bind address in place of the service's name.
    set("spark.kubernetes.executor.useDriverPodIP", "false");
    set("spark.ui.port", &UI_PORT.to_string());

    set("spark.executor.instances", &session.sizes.executors.to_string());
    let why = session.sizes.said(false);
    if why.is_some() {
        set("spark.executor.memory", &format!("{}m", session.sizes.executor_memory.0 >> 20));
    }
    // One round of requests for the whole gang, so that nodes are bought in one decision.
    set("spark.kubernetes.allocation.batch.size", "1000");
    // An executor that is lost is replaced after two such waits, which Spark has at a second each. 100 ms is refused.
    set("spark.kubernetes.allocation.batch.delay", "101ms");
    set("spark.kubernetes.executor.eventProcessingInterval", "100ms");
    // A node that is drained hands its shuffle and cache over; the interval must stay below the grace of 30 s.
    set("spark.decommission.enabled", "true");
    set("spark.storage.decommission.enabled", "true");
    set("spark.storage.decommission.replicationReattemptInterval", "5s");

    // A server that comes back has another address; Java would go on for half a minute with the one it remembers. Here, and not in
    // `extraJavaOptions`, which are the user's.
    for java in ["spark.driver.defaultJavaOptions", "spark.executor.defaultJavaOptions"] {
        set(java, "-Djava.security.properties=/etc/emberyard/names.security");
    }

    if let Some(folder) = &session.folder {
        let volume = "spark.kubernetes.executor.volumes.hostPath.folder";
        set(&format!("{volume}.mount.path"), folder);
        set(&format!("{volume}.options.path"), folder);
        set(&format!("{volume}.options.type"), "Directory");
    }
    all.extend(session.hdfs.iter().map(|(key, value)| (format!("spark.hadoop.{key}"), value.clone())));
    all.extend(session.spark_defaults.clone());

    let mut text =
        "# Written by the Emberyard operator; changes belong into the Notebook's spec.sparkDefaults.\n".to_owned();
    if let Some(why) = why {
        let _ = writeln!(text, "# {why}."); // writing to a String can't fail
    }
    for (key, value) in &all {
        // A properties file: the value keeps a leading blank and a backslash only when escaped.
        let value = value.replace('\\', "\\\\");
        let _ = writeln!(text, "{key} {value}"); // writing to a String can't fail
    }
    text
}
