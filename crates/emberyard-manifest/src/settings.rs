//! What an operator decides for all its notebooks.

use crate::sizing::{NOTEBOOK, Sizes};
use emberyard_model::Quantity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Defaults and surroundings of every session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionSettings {
    /// Image of Jupyter and the Spark driver.
    pub notebook_image: String,
    /// Image of the executors.
    pub executor_image: String,
    /// CPU request of a notebook's pod.
    pub cpu: Quantity,
    /// Memory request of a notebook's pod.
    pub memory: Quantity,
    /// How many executors of which size a session has where nobody says otherwise.
    pub sizes: Sizes,
    /// Size of the home volume.
    pub home_size: Quantity,
    /// Where users reach the gateway: scheme, host, port, no path (`http://127.0.0.1:8321`).
    pub gateway_url: String,
    /// The cluster's DNS domain.
    pub cluster_domain: String,
    /// Whose notebooks are that name nobody; none: the user of the image.
    #[serde(default)]
    pub owner: Option<String>,
    /// How programs of a notebook reach what is outside.
    #[serde(default)]
    pub outside: Outside,
    /// Hadoop's settings for the HDFS that sessions find without being told; none where there is none, or more than one.
    #[serde(skip)]
    pub hdfs: BTreeMap<String, String>,
}

/// What a user's machine knows of the outside, and a pod can't find out by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outside {
    /// Variables of programs that go out: the package index, its time-outs. An address may hold a password.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Certificates (PEM) of the authorities that the machine trusts; none: those of the image.
    #[serde(default)]
    pub certificates: Option<String>,
}

impl SessionSettings {
    /// The defaults around a gateway's address. Jupyter, a kernel and a Spark driver together were seen to need
    /// a bit more than 1 GiB; CPU is asked for modestly, since a notebook mostly waits for its user.
    pub fn new(gateway_url: impl Into<String>) -> Self {
        Self {
            notebook_image: "pyspark-notebook".to_owned(),
            executor_image: "spark-py".to_owned(),
            cpu: Quantity::from_milli(500),
            memory: Quantity::from_units(NOTEBOOK as i64),
            sizes: Sizes::FULL,
            home_size: Quantity::from_units(10 << 30),
            gateway_url: gateway_url.into(),
            cluster_domain: "cluster.local".to_owned(),
            owner: None,
            outside: Outside::default(),
            hdfs: BTreeMap::new(),
        }
    }
}
