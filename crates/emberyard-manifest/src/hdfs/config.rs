//! The configuration: Hadoop's two files, ZooKeeper's, and the scripts that start the parts.
//!
//! Values that differ from Hadoop's defaults are those with which failovers were measured: a NameNode's death is a pause of
//! one second, its pod's of four.

use super::locality::NodePrefix;
use super::names::{JOURNAL_NODES, ZOO_KEEPERS};
use super::set::{DATA, ETC, disks, labels, owned};
use super::validate::Plan;
use super::{excluded, journal_node, name_node, zones, zoo_keeper};
use emberyard_model::hdfs::{NAME_NODE_PORT, NAME_NODE_WEB_PORT};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const SCRIPTS: [(&str, &str); 13] = [
    ("ask.sh", include_str!("files/ask.sh")),
    ("canary.sh", include_str!("files/canary.sh")),
    ("client.sh", include_str!("files/client.sh")),
    ("counting.sh", include_str!("files/counting.sh")),
    ("datanode.sh", include_str!("files/datanode.sh")),
    ("journalnode.sh", include_str!("files/journalnode.sh")),
    ("namenode.sh", include_str!("files/namenode.sh")),
    ("state.sh", include_str!("files/state.sh")),
    ("step-aside.sh", include_str!("files/step-aside.sh")),
    ("store.sh", include_str!("files/store.sh")),
    ("topology.sh", include_str!("files/topology.sh")),
    ("zkfc.sh", include_str!("files/zkfc.sh")),
    ("zookeeper.sh", include_str!("files/zookeeper.sh")),
];

/// How a container looks names up (nsswitch.conf(5)).
pub(crate) const NAMES: &str = "nsswitch.conf";
/// What `/etc/hosts` says counts only where DNS says nothing, not the other way round.
const NAMES_BY_DNS: &str =
    "passwd: files\ngroup: files\nhosts: dns files\nnetworks: files\nprotocols: files\nservices: files\n";

/// Tells NameNodes that this HDFS was formatted once and never will be again. Without an owner: it stays with the volumes.
pub fn formatted(plan: &Plan) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": plan.names().formatted(),
            "namespace": plan.identity.namespace,
            "labels": labels(plan, "config"),
        },
        "data": {"formatted": "yes"},
    })
}

type Properties = BTreeMap<String, String>;

pub(crate) fn config_map(plan: &Plan) -> Value {
    let mut data = Map::new();
    data.insert("core-site.xml".to_owned(), json!(xml(&core(plan))));
    data.insert("hdfs-site.xml".to_owned(), json!(xml(&hdfs(plan))));
    if plan.has_standby() {
        data.insert("zoo.cfg".to_owned(), json!(zoo(plan)));
        data.insert(NAMES.to_owned(), json!(NAMES_BY_DNS));
    }
    data.insert("hosts.sh".to_owned(), json!(hosts(plan)));
    data.extend(SCRIPTS.map(|(name, text)| (name.to_owned(), json!(text))));
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": owned(plan, &plan.names().config(), "config"),
        "data": data,
    })
}

/// What a client must know to find the active NameNode, and to wait for a failover instead of failing: Hadoop's settings by name.
///
/// `alias`: another name of the same file system, as older tutorials have it. A NameNode's own name means both of them, too:
/// whoever names the standby finds the active one.
pub fn client_settings(plan: &Plan, alias: Option<&str>) -> BTreeMap<String, String> {
    let mut services = vec![plan.identity.name.clone()];
    services.extend(alias.filter(|alias| *alias != plan.identity.name).map(str::to_owned));
    services.extend((0..plan.name_nodes).map(|ordinal| plan.names().host(name_node::PART, ordinal)));
    let mut all = client(plan);
    all.extend(plan.node_prefix.into_iter().flat_map(session_locality));
    for service in &services {
        all.extend(nameservice(plan, service));
    }
    all.insert("dfs.nameservices".to_owned(), services.join(","));
    all
}

/// What tells the file system of a session's image how addresses tell their node. Other images don't look at it.
pub fn session_locality(prefix: NodePrefix) -> BTreeMap<String, String> {
    properties(&[("emberyard.node.prefix", &prefix.to_string())])
}

/// Names and addresses of the NameNodes under a nameservice. One alone has them, too: clients of both kinds are told the same.
fn nameservice(plan: &Plan, service: &str) -> Properties {
    let names = plan.names();
    let proxy = "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider";
    let ids: Vec<String> = (0..plan.name_nodes).map(|ordinal| format!("nn{ordinal}")).collect();
    let mut all = properties(&[
        (&format!("dfs.ha.namenodes.{service}"), &ids.join(",")),
        (&format!("dfs.client.failover.proxy.provider.{service}"), proxy),
    ]);
    for ordinal in 0..plan.name_nodes {
        let host = names.host(name_node::PART, ordinal);
        let mut address = |what: &str, port: u16| {
            all.insert(format!("dfs.namenode.{what}-address.{service}.nn{ordinal}"), format!("{host}:{port}"));
        };
        address("rpc", NAME_NODE_PORT);
        address("http", NAME_NODE_WEB_PORT);
    }
    all
}

/// How clients wait.
fn client(plan: &Plan) -> Properties {
    properties(&[
        ("fs.defaultFS", &format!("hdfs://{}", plan.identity.name)),
        ("dfs.client.failover.sleep.base.millis", "100"),
        ("dfs.client.failover.sleep.max.millis", "1000"),
        // Two and a half minutes: both NameNodes may have to wait for their restart.
        ("dfs.client.failover.max.attempts", "150"),
        // A file that is being written goes on with the DataNodes it has where none can take a dead one's place: few nodes hold all
        // of them, and a NameNode that has just started refuses the question. By default the write fails. Missing copies are
        // made when the file is closed.
        ("dfs.client.block.write.replace-datanode-on-failure.best-effort", "true"),
        ("dfs.replication", &plan.replication.to_string()),
        ("ipc.client.connect.timeout", "2000"),
        ("ipc.client.connect.max.retries.on.timeouts", "1"),
        ("ipc.client.connect.retry.interval", "200"),
        // The bound for a NameNode that vanished without a word: with what comes after it, clients wait ten seconds at most.
        ("ipc.client.rpc-timeout.ms", "8000"),
    ])
}

/// Whether a setting belongs into `hdfs-site.xml`: Hadoop's own values for these come after `core-site.xml` and would win.
fn is_of_hdfs(setting: &str) -> bool {
    setting.starts_with("dfs.")
}

fn core(plan: &Plan) -> Properties {
    let mut all = client(plan);
    all.retain(|setting, _| !is_of_hdfs(setting));
    all.extend(properties(&[("hadoop.http.staticuser.user", super::names::HDFS_USER)]));
    if plan.has_standby() {
        all.extend(elections(plan));
    }
    all
}

/// How controllers find out which NameNode is to be active.
fn elections(plan: &Plan) -> Properties {
    let zoo_keepers = plan.names().hosts(zoo_keeper::PART, ZOO_KEEPERS, zoo_keeper::CLIENTS, ",");
    properties(&[
        ("ha.zookeeper.quorum", &zoo_keepers),
        // By this a pod that vanished with its controller is noticed, to a tick of ZooKeeper's exactly.
        ("ha.zookeeper.session-timeout.ms", "2500"),
        ("ha.health-monitor.check-interval.ms", "500"),
        ("ha.health-monitor.connect-retry-interval.ms", "500"),
        ("ha.health-monitor.sleep-after-disconnect.ms", "500"),
        // By this a NameNode that hangs is noticed.
        ("ha.health-monitor.rpc-timeout.ms", "5000"),
        ("ha.health-monitor.rpc.connect.max.retries", "1"),
        ("ha.failover-controller.graceful-fence.rpc-timeout.ms", "1500"),
        ("ha.failover-controller.graceful-fence.connection.retries", "0"),
        ("ha.failover-controller.cli-check.rpc-timeout.ms", "5000"),
    ])
}

/// How two NameNodes share a journal.
fn standby(plan: &Plan) -> Properties {
    let journals = plan.names().hosts(journal_node::PART, JOURNAL_NODES, journal_node::RPC, ";");
    properties(&[
        ("dfs.namenode.shared.edits.dir", &format!("qjournal://{journals}/{}", plan.identity.name)),
        ("dfs.journalnode.edits.dir", &format!("{DATA}/journal")),
        // One whose volume was lost takes what it needs from the others, and soon.
        ("dfs.journalnode.enable.sync.format", "true"),
        ("dfs.journalnode.sync.interval", "20000"),
        ("dfs.ha.automatic-failover.enabled", "true"),
        // JournalNodes take only the newest writer, and one that reaches no majority of them ends itself sooner than another can be
        // active (ZooKeeper's session, then a call that is not answered): nothing needs to be shot.
        ("emberyard.isolation.limit.ms", "2000"),
        ("dfs.ha.fencing.methods", "shell(/bin/true)"),
        // The standby follows at once, so that it is hot.
        ("dfs.ha.tail-edits.in-progress", "true"),
        ("dfs.ha.tail-edits.period", "500ms"),
        ("dfs.ha.log-roll.period", "60s"),
    ])
}

fn hdfs(plan: &Plan) -> Properties {
    let name = &plan.identity.name;
    let mut all = nameservice(plan, name);
    all.extend(client(plan).into_iter().filter(|(setting, _)| is_of_hdfs(setting)));
    if plan.has_standby() {
        all.extend(standby(plan));
    }
    let blocks: Vec<String> = disks(plan.disks).map(|(_, path)| format!("file://{path}/blocks")).collect();
    all.extend(properties(&[
        ("dfs.nameservices", name),
        ("dfs.namenode.rpc-bind-host", "0.0.0.0"),
        ("dfs.namenode.http-bind-host", "0.0.0.0"),
        ("dfs.namenode.name.dir", &format!("file://{DATA}/name")),
        ("dfs.datanode.data.dir", &blocks.join(",")),
        // With what is left of its volumes a DataNode serves on.
        ("dfs.datanode.failed.volumes.tolerated", &(plan.disks - 1).to_string()),
        // Whether a volume has failed is looked at when it is met: by itself only if the last look is a quarter of an hour ago.
        ("dfs.datanode.disk.check.min.gap", "5s"),
        // Blocks are where an address is: pods of DataNodes need no name, and clients compare addresses.
        ("dfs.datanode.hostname", "${env.POD_IP}"),
        ("dfs.namenode.datanode.registration.ip-hostname-check", "false"),
        // A NameNode that is promoted soon after its start would stall writers for 30 s.
        ("dfs.namenode.safemode.extension", "0"),
        // A DataNode is dead after 2 x recheck + 10 x heartbeat: 20 s. Stale must come before.
        ("dfs.heartbeat.interval", "1s"),
        ("dfs.namenode.heartbeat.recheck-interval", "5000"),
        ("dfs.namenode.stale.datanode.interval", "10000"),
        ("dfs.hosts.exclude", &format!("{}/{}", excluded::FOLDER, excluded::FILE)),
        ("dfs.namenode.decommission.interval", "5s"),
        ("dfs.namenode.redundancy.interval.seconds", "1s"),
        ("dfs.namenode.replication.max-streams", "16"),
        ("dfs.namenode.replication.max-streams-hard-limit", "32"),
        ("dfs.namenode.replication.work.multiplier.per.iteration", "20"),
        // A copy that was asked for and never came, from a DataNode with a full disk say, is asked for again after this: by
        // default blocks lack it for five minutes.
        ("dfs.namenode.reconstruction.pending.timeout-sec", "30"),
        // A NameNode that has just become active doesn't touch copies that are too many, or of a write that failed, before their
        // DataNode has told all it has; and where such a copy lies, a good one can't be put. By default that takes six hours.
        ("dfs.blockreport.intervalMsec", "60000"),
        ("dfs.namenode.excess.redundancy.timeout-sec", "60"),
        ("dfs.blockreport.initialDelay", "0s"),
    ]));
    if plan.node_prefix.is_some() {
        let policies = "org.apache.hadoop.hdfs.server.blockmanagement.BlockPlacementPolicy";
        // A node is a rack. The default would put the third copy on the second's, if that has several DataNodes.
        let mut policy = "RackFaultTolerant";
        if plan.by_zone() {
            // A zone is a rack, and a node in it a group of DataNodes of which a block uses one at most.
            policy = "WithNodeGroup";
            all.extend(properties(&[
                ("net.topology.impl", "org.apache.hadoop.net.NetworkTopologyWithNodeGroup"),
                ("net.topology.nodegroup.aware", "true"),
                ("dfs.use.dfs.network.topology", "false"),
                // The first answer is remembered. A DataNode asks again until its node's zone is known.
                ("dfs.namenode.reject-unresolved-dn-topology-mapping", "true"),
            ]));
        }
        all.extend(properties(&[
            // A script and no class, for an image that was made before: a NameNode that lacks a class does not start.
            ("net.topology.script.file.name", &format!("{ETC}/topology.sh")),
            ("dfs.block.replicator.classname", &format!("{policies}{policy}")),
            // The first copy stays on the writer's node, also where that has more to do than others.
            ("dfs.namenode.redundancy.considerLoad", "false"),
        ]));
    }
    all
}

fn properties(list: &[(&str, &str)]) -> Properties {
    list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Hadoop's form. Keys and values are ours or were checked: none needs escaping but for XML's own signs.
fn xml(properties: &Properties) -> String {
    let mut text = "<?xml version=\"1.0\"?>\n<configuration>\n".to_owned();
    for (key, value) in properties {
        let value = value.replace('&', "&amp;").replace('<', "&lt;");
        // Writing to a String can't fail.
        let _ = writeln!(text, "  <property><name>{key}</name><value>{value}</value></property>");
    }
    text + "</configuration>\n"
}

/// A tick is half a second: sessions end at the next one after their time, and limits count ticks.
fn zoo(plan: &Plan) -> String {
    let mut text = format!(
        "tickTime=500\ninitLimit=20\nsyncLimit=10\ndataDir={DATA}\nclientPort={}\nmaxClientCnxns=0\n\
         admin.enableServer=false\nquorumListenOnAllIPs=true\n4lw.commands.whitelist=ruok,srvr,mntr,stat\n\
         autopurge.snapRetainCount=3\nautopurge.purgeInterval=1\n",
        zoo_keeper::CLIENTS
    );
    for ordinal in 0..ZOO_KEEPERS {
        let host = plan.names().host(zoo_keeper::PART, ordinal);
        let (followers, election) = (zoo_keeper::FOLLOWERS, zoo_keeper::ELECTION);
        let _ = writeln!(text, "server.{}={host}:{followers}:{election}", ordinal + 1);
    }
    text
}

/// Names and ports for the scripts.
fn hosts(plan: &Plan) -> String {
    let names = plan.names();
    let journals = if plan.has_standby() { journal_node::hosts(plan) } else { Vec::new() };
    let mut text = String::new();
    for ordinal in 0..plan.name_nodes {
        let _ = writeln!(text, "NAME_NODE_{ordinal}={}", names.host(name_node::PART, ordinal));
    }
    let _ = writeln!(text, "NAME_NODE_PORT={NAME_NODE_PORT}");
    let _ = writeln!(text, "NAME_NODE_WEB_PORT={NAME_NODE_WEB_PORT}");
    let _ = writeln!(text, "JOURNAL_NODES='{}'", journals.join(" "));
    let _ = writeln!(text, "JOURNAL_NODE_WEB_PORT={}", journal_node::WEB);
    if let Some(prefix) = plan.node_prefix {
        let _ = writeln!(text, "NODE_PREFIX={prefix}");
    }
    if plan.by_zone() {
        let _ = writeln!(text, "ZONES={}", zones::FOLDER);
    }
    text
}
