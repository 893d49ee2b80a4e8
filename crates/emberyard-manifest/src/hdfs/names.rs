//! What the parts of an HDFS are called, and where they are found.

/// The user as whom Hadoop's servers run: HDFS' superuser.
pub const HDFS_USER: &str = "hdfs";

/// JournalNodes: two of three keep the journal.
pub(crate) const JOURNAL_NODES: u32 = 3;
/// ZooKeeper servers: two of three elect.
pub(crate) const ZOO_KEEPERS: u32 = 3;

/// Names of the objects of one HDFS.
#[derive(Debug, Clone, Copy)]
pub struct HdfsNames<'a> {
    /// The HdfsCluster's name.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// The cluster's DNS domain.
    pub domain: &'a str,
}

impl HdfsNames<'_> {
    /// A part's StatefulSet and its headless service (`my-hdfs-namenode`).
    pub fn part(&self, part: &str) -> String {
        format!("{}-{part}", self.name)
    }

    /// The ConfigMap with the configuration of all parts.
    pub fn config(&self) -> String {
        self.part("config")
    }

    /// The ConfigMap that is there once the file system was formatted. It outlives the HdfsCluster, as the volumes do.
    pub fn formatted(&self) -> String {
        self.part("formatted")
    }

    /// The ConfigMap with the addresses of DataNodes that are to go.
    pub fn excluded(&self) -> String {
        self.part("excluded")
    }

    /// The ConfigMap with the zones of nodes.
    pub fn zones(&self) -> String {
        self.part("zones")
    }

    /// The NetworkPolicy that says who may reach it.
    pub fn clients(&self) -> String {
        self.part("clients")
    }

    /// A pod's name in the cluster's DNS.
    pub fn host(&self, part: &str, ordinal: u32) -> String {
        let set = self.part(part);
        format!("{set}-{ordinal}.{set}.{}.svc.{}", self.namespace, self.domain)
    }

    /// Where all servers of a part listen, with commas or another sign between.
    pub(crate) fn hosts(&self, part: &str, count: u32, port: u16, between: &str) -> String {
        let all: Vec<String> = (0..count).map(|ordinal| format!("{}:{port}", self.host(part, ordinal))).collect();
        all.join(between)
    }
}
