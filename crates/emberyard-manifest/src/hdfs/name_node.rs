//! NameNodes; where there are two, each with the controller beside it that makes it active or standby.

use super::config::NAMES;
use super::set::{ETC, Evicted, Part, Replaced, Runs, container, objects as set};
use super::validate::Plan;
use super::{excluded, journal_node, zones, zoo_keeper};
use emberyard_model::hdfs::{NAME_NODE_PORT, NAME_NODE_WEB_PORT};
use serde_json::{Map, Value, json};
use std::iter;

pub(crate) const PART: &str = "namenode";
/// Where the ConfigMap is mounted that says that the file system was formatted once.
const FORMATTED: &str = "/etc/hdfs-formatted";
/// An address at which nobody listens.
const NOBODYS: &str = "127.0.0.2";
/// Run before a pod is stopped.
const ASIDE: &str = "/etc/hdfs/step-aside.sh";

pub(crate) fn objects(plan: &Plan) -> Vec<Value> {
    let script = |name: &str| json!(["bash", format!("{ETC}/{name}")]);
    let mut store = container(plan, &Runs { name: "store", command: script("store.sh"), memory: 256 });
    mount(&mut store, "formatted", FORMATTED);
    let mut server = container(plan, &Runs { name: PART, command: script("namenode.sh"), memory: 256 });
    mount(&mut server, "excluded", excluded::FOLDER);
    if plan.by_zone() {
        mount(&mut server, "zones", zones::FOLDER);
    }
    // Its port listens before it serves; what it says of its state is the truth.
    let ready = json!({
        "exec": {"command": script("state.sh")},
        "periodSeconds": 1, "timeoutSeconds": 3, "failureThreshold": 5,
    });
    server.insert("readinessProbe".to_owned(), ready);
    let aside = |command: &[&str]| json!({"preStop": {"exec": {"command": command}}});
    let controller = plan.has_standby().then(|| {
        server.insert("lifecycle".to_owned(), aside(&["bash", ASIDE]));
        let mut controller = container(plan, &Runs { name: "zkfc", command: script("zkfc.sh"), memory: 96 });
        controller.insert("lifecycle".to_owned(), aside(&["bash", ASIDE, "order"]));
        controller
    });
    let names = plan.names();
    let zones = plan.by_zone().then(|| ("zones", names.zones()));
    let mut containers: Vec<_> = iter::once(server).chain(controller).collect();
    if plan.has_standby() {
        containers.iter_mut().chain([&mut store]).for_each(by_dns);
    }
    let lists = [("formatted", names.formatted()), ("excluded", names.excluded())].into_iter().chain(zones);
    let mut objects = set(
        plan,
        Part {
            name: PART,
            count: plan.name_nodes,
            ports: &[("rpc", NAME_NODE_PORT), ("http", NAME_NODE_WEB_PORT)],
            volume: plan.sizes.name_node,
            disks: 1,
            prepare: vec![store.into()],
            containers: containers.into_iter().map(Value::from).collect(),
            volumes: lists
                .map(|(name, config_map)| json!({"name": name, "configMap": {"name": config_map, "optional": true}}))
                .collect(),
            replaced: Replaced::ByTheOperator,
            // Two of three JournalNodes are enough, but not for a NameNode that becomes active meanwhile: one of all these goes only
            // while the others are there.
            evicted: Evicted::OneAtATimeOf(&[zoo_keeper::PART, journal_node::PART, PART]),
        },
    );
    if plan.has_standby() {
        for set in objects.iter_mut().filter(|object| object["kind"] == "StatefulSet") {
            let pod = &mut set["spec"]["template"]["spec"];
            // A NameNode that starts or becomes active must know an address of every JournalNode, or it ends: Hadoop takes a name that
            // has none for a mistake in the settings (`FSEditLog.createJournal`). One whose pod waits for a node has the address of
            // nobody: two of three are enough, and whoever can't reach the third asks for its address again.
            pod["hostAliases"] = json!([{"ip": NOBODYS, "hostnames": journal_node::hosts(plan)}]);
            // What only the file knows is not waited for long where the cluster's DNS asks further, and nobody answers.
            pod["dnsConfig"] =
                json!({"options": [{"name": "timeout", "value": "1"}, {"name": "attempts", "value": "2"}]});
        }
    }
    objects
}

/// Has a container ask DNS first, and look into its file of names, where JournalNodes stand, for what DNS does not know.
fn by_dns(container: &mut Map<String, Value>) {
    if let Some(mounts) = container.get_mut("volumeMounts").and_then(Value::as_array_mut) {
        mounts
            .push(json!({"name": "config", "mountPath": format!("/etc/{NAMES}"), "subPath": NAMES, "readOnly": true}));
    }
}

/// Shows a container one more volume.
fn mount(container: &mut Map<String, Value>, volume: &str, path: &str) {
    if let Some(mounts) = container.get_mut("volumeMounts").and_then(Value::as_array_mut) {
        mounts.push(json!({"name": volume, "mountPath": path, "readOnly": true}));
    }
}
