//! A whole HDFS as files: what the operator would write for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use emberyard_manifest::Identity;
use emberyard_manifest::hdfs::{
    HdfsSettings, Plan, addresses, build, client_settings, excluded, network_policy, node_prefix, validate, zones,
};
use emberyard_model::{HdfsRacks, HdfsSpec};
use serde_json::{Value, json};

fn plan() -> Plan {
    plan_of(HdfsSpec::default())
}

fn plan_of(spec: HdfsSpec) -> Plan {
    let identity = Identity {
        namespace: "default".to_owned(),
        name: "my-hdfs".to_owned(),
        uid: "00000000-0000-0000-0000-000000000001".to_owned(),
    };
    let settings = HdfsSettings { image: "hdfs".to_owned(), cluster_domain: "cluster.local".to_owned() };
    let prefix = node_prefix(&[("node-1", Some("10.42.1.0/24"))], &[]).unwrap();
    validate(identity, spec, &settings).unwrap().by_node(Some(prefix))
}

#[test]
fn a_whole_hdfs() {
    let mut all = build(&plan());
    for name in ["core-site.xml", "hdfs-site.xml", "zoo.cfg", "hosts.sh"] {
        insta::assert_snapshot!(name, all[0]["data"][name].as_str().unwrap());
    }
    // Hadoop's own values for these are read after this file, and before the other.
    assert!(!all[0]["data"]["core-site.xml"].as_str().unwrap().contains("<name>dfs."));
    for (_, text) in all[0]["data"].as_object_mut().unwrap() {
        *text = "…".into();
    }
    insta::assert_yaml_snapshot!("objects", all);
}

#[test]
fn one_name_node_needs_nobody_to_agree_with() {
    let small = plan_of(HdfsSpec { name_nodes: Some(1), ..HdfsSpec::default() });
    let all = build(&small);
    let parts: Vec<&str> = all.iter().filter_map(|object| object["metadata"]["labels"]["app"].as_str()).collect();
    let name_node = ["hdfs-namenode"; 3];
    let rest = ["hdfs-datanode", "hdfs-datanode", "hdfs-datanode", "hdfs-client"];
    assert_eq!(parts, [&["hdfs-config"][..], &name_node, &rest].concat());
    let set = all.iter().find(|object| object["kind"] == "StatefulSet").unwrap();
    assert_eq!(set["spec"]["replicas"], 1);
    let containers = set["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1, "no controller: {containers:?}");
    let config = all[0]["data"].as_object().unwrap();
    let text: String =
        ["core-site.xml", "hdfs-site.xml", "hosts.sh"].map(|name| config[name].as_str().unwrap()).concat();
    for of_two in ["qjournal", "zookeeper", "automatic-failover", "nn1", "NAME_NODE_1"] {
        assert!(!text.contains(of_two), "{of_two}: {text}");
    }
    assert!(text.contains("<name>dfs.ha.namenodes.my-hdfs</name><value>nn0</value>"), "{text}");
}

#[test]
fn each_data_node_waits_for_a_node_of_its_own_where_a_fleet_may_have_as_many() {
    let required = |most: Option<u32>, kept: u32| -> Vec<String> {
        let sets = build(&plan().in_fleet(most).keeping(kept));
        let waits = |set: &&Value| {
            let affinity = &set["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"];
            affinity["requiredDuringSchedulingIgnoredDuringExecution"][0]["topologyKey"] == "kubernetes.io/hostname"
        };
        sets.iter().filter(waits).map(|set| set["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(required(Some(4), 4), ["my-hdfs-datanode"]);
    let nobody = Vec::<String>::new();
    assert_eq!(required(Some(3), 4), nobody);
    assert_eq!(required(None, 4), nobody);
    // Those that are to go are still there.
    assert_eq!(required(Some(4), 5), nobody);
}

#[test]
fn clients_find_it_under_both_names() {
    let settings = client_settings(&plan(), Some("hdfs-k8s"));
    insta::assert_yaml_snapshot!("client", settings);
    assert_eq!(client_settings(&plan(), Some("my-hdfs")), client_settings(&plan(), None));
}

#[test]
fn no_pod_of_it_is_root_or_holds_a_token() {
    for object in build(&plan()) {
        let Some(spec) = object.pointer("/spec/template/spec") else { continue };
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
        assert_eq!(spec["automountServiceAccountToken"], false);
        let containers =
            ["containers", "initContainers"].into_iter().filter_map(|list| spec[list].as_array()).flatten();
        for container in containers {
            assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false, "{container}");
        }
    }
}

#[test]
fn without_a_prefix_nothing_is_said_of_nodes() {
    let plan = plan().by_node(None);
    let config = &build(&plan)[0]["data"];
    assert!(!config["hdfs-site.xml"].as_str().unwrap().contains("topology"));
    assert!(!config["hosts.sh"].as_str().unwrap().contains("PREFIX"));
    assert!(!client_settings(&plan, None).contains_key("emberyard.node.prefix"));
}

/// The NameNode's question, asked of the script.
#[test]
fn the_script_tells_where_an_address_is() {
    let data = build(&plan())[0]["data"].clone();
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts.sh");
    let answer = |known: &str, words: &[&str]| {
        std::fs::write(&hosts, known).unwrap();
        let script = data["topology.sh"].as_str().unwrap().replace("/etc/hdfs/hosts.sh", hosts.to_str().unwrap());
        let output = std::process::Command::new("bash").args(["-c", &script, "topology"]).args(words).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let ask = |prefix: u8, words: &[&str]| answer(&format!("NODE_PREFIX={prefix}\n"), words).1;
    assert_eq!(ask(24, &["10.42.3.77", "10.42.12.1"]), "/10.42.3.0\n/10.42.12.0\n");
    assert_eq!(ask(26, &["10.42.3.200", "my-hdfs-client", "::1"]), "/10.42.3.192\n/default-rack\n/default-rack\n");
    assert_eq!(ask(16, &["10.42.3.8"]), "/10.42.0.0\n");

    let nodes = [("10.42.3.0/24", "north-1"), ("10.42.30.0/24", "north-2"), ("fd00::/64", "north-1")];
    let mut nodes = nodes.map(|(range, zone)| {
        json!({"spec": {"podCIDR": range}, "metadata": {"labels": {"topology.kubernetes.io/zone": zone}}})
    });
    nodes[1]["metadata"] = json!({});
    let list = zones(&plan(), &nodes.iter().collect::<Vec<_>>());
    assert_eq!(list["data"]["zones"], "10.42.3.0 north-1\n10.42.30.0 default-rack\n");
    std::fs::write(folder.path().join("zones"), list["data"]["zones"].as_str().unwrap()).unwrap();
    let known = format!("NODE_PREFIX=24\nZONES={}\n", folder.path().display());
    let said = (true, "/north-1/10.42.3.0\n/default-rack/10.42.30.0\n/default-rack/default-node\n".to_owned());
    assert_eq!(answer(&known, &["10.42.3.9", "10.42.30.1", "my-hdfs-client"]), said);
    // Nothing that would be remembered is said of a node that is not known yet.
    assert_eq!(answer(&known, &["10.42.4.9"]), (false, String::new()));
}

#[test]
fn by_zone_a_block_is_in_two_of_them_and_no_node_has_two_copies() {
    let spec = HdfsSpec { racks: Some(HdfsRacks::Zone), ..HdfsSpec::default() };
    let all = build(&plan_of(spec.clone()));
    let config = all[0]["data"]["hdfs-site.xml"].as_str().unwrap();
    for setting in [
        "<name>net.topology.impl</name><value>org.apache.hadoop.net.NetworkTopologyWithNodeGroup</value>",
        "BlockPlacementPolicyWithNodeGroup",
        "<name>dfs.namenode.reject-unresolved-dn-topology-mapping</name><value>true</value>",
    ] {
        assert!(config.contains(setting), "{setting}: {config}");
    }
    let sets = all.iter().filter(|object| object["kind"] == "StatefulSet");
    for set in sets {
        let spread = &set["spec"]["template"]["spec"]["topologySpreadConstraints"][0];
        assert_eq!(spread["topologyKey"], "topology.kubernetes.io/zone", "{set}");
    }
    // Where addresses tell no node they tell no zone either.
    assert!(!plan_of(spec).by_node(None).by_zone() && !plan().by_zone());
}

/// What NameNodes say, played: who counts, who knows all, and which start has come to nothing.
#[test]
fn a_count_that_comes_to_nothing_is_noticed() {
    let data = build(&plan())[0]["data"].clone();
    let folder = tempfile::tempdir().unwrap();
    // `bean HOST NAME` reads what the host is to say.
    let stub = folder.path().join("ask.sh");
    let ask = data["ask.sh"].as_str().unwrap().replace(". /etc/hdfs/hosts.sh", "");
    std::fs::write(&stub, format!("{ask}\nbean() {{ cat \"$PLAYED/$1\"; }}\n")).unwrap();
    let counting = data["counting.sh"].as_str().unwrap().replace("/etc/hdfs/ask.sh", stub.to_str().unwrap());
    let says = |host: &str, safe_mode: &str, missing: u32| {
        let state = if safe_mode.is_empty() { "Operational" } else { "safeMode" };
        let said = format!(
            "{{\n  \"beans\" : [ {{\n    \"FSState\" : \"{state}\",\n    \"Safemode\" : \"{safe_mode}\",\n    \
             \"NumberOfMissingBlocks\" : {missing},\n    \"NumberOfMissingBlocksWithReplicationFactorOne\" : 0\n  }} ]\n}}"
        );
        std::fs::write(folder.path().join(host), said).unwrap();
    };
    let holds = |script: &str| {
        let script = format!("{counting}\n{script}");
        let mut bash = std::process::Command::new("bash");
        bash.args(["-c", &script]).env("PLAYED", folder.path()).status().unwrap().success()
    };
    let ever = |number: u32| format!("Safe mode is ON. The reported blocks {number} needs additional 25 blocks.");
    says("localhost", &ever(23), 0);
    says("other", "", 0);
    assert!(holds("counting localhost") && !holds("counting other") && !holds("counting nobody"));
    assert!(holds("knows_all other") && !holds("knows_all localhost") && !holds("knows_all nobody"));
    let later = |after: u32, between: &str, other: &str| {
        format!("SECONDS=5; stuck other && exit 1; {between} SECONDS={}; stuck {other}", 5 + after)
    };
    assert!(holds(&later(30, "", "other")) && !holds(&later(20, "", "other")) && !holds(&later(30, "", "nobody")));
    let gets_on = "sed -i 's/blocks 23/blocks 24/' \"$PLAYED/localhost\";";
    assert!(!holds(&later(30, gets_on, "other")));
    // Where blocks are lost, another start changes nothing.
    says("other", "", 2);
    assert!(!holds("knows_all other") && !holds(&later(60, "", "other")));
    says("other", "", 0);
    for safe_mode in ["", "Safe mode is ON. It was turned on manually. Use \\\"hdfs dfsadmin -safemode leave\\\"."] {
        says("localhost", safe_mode, 0);
        assert!(!holds("counting localhost") && !holds(&later(60, "", "other")), "{safe_mode}");
    }
}

/// The list that NameNodes read is no part of what makes pods start anew.
#[test]
fn addresses_of_those_who_go_are_read_again() {
    let all = ["10.42.1.7", "10.42.2.30"].map(|text| text.parse().unwrap()).into();
    let list = excluded(&plan(), &all);
    assert_eq!(list["data"]["excluded"], "10.42.1.7\n10.42.2.30\n");
    assert_eq!(addresses(&list), all);
    assert!(build(&plan()).iter().all(|object| object["metadata"]["name"] != list["metadata"]["name"]));
}

#[test]
fn pods_of_others_are_kept_out() {
    let ranges = ["10.42.0.0/24", "10.42.1.0/24"].map(str::to_owned).into();
    let spec = HdfsSpec { client_namespaces: vec!["ann".to_owned(), "bo".to_owned()], ..HdfsSpec::default() };
    let policy = network_policy(&plan_of(spec), &ranges);
    insta::assert_yaml_snapshot!("network-policy", policy["spec"]);
    let alone = network_policy(&plan(), &ranges);
    assert_eq!(
        alone["spec"]["ingress"][0]["from"].as_array().unwrap().len(),
        2,
        "the own namespace, and what is no pod"
    );
}

/// Scripts are read by bash here, too.
#[test]
fn scripts_are_sound() {
    for (name, text) in build(&plan())[0]["data"].as_object().unwrap() {
        let (true, Value::String(text)) = (name.strip_suffix(".sh").is_some(), text) else { continue };
        let checked = std::process::Command::new("bash").args(["-n", "-c", text]).status().unwrap();
        assert!(checked.success(), "{name}");
    }
}
