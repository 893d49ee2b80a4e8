//! A whole HDFS as files: what the operator would write for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use emberyard_manifest::Identity;
use emberyard_manifest::hdfs::{HdfsSettings, Plan, build, client_settings, validate};
use emberyard_model::HdfsSpec;
use serde_json::Value;

fn plan() -> Plan {
    let identity = Identity {
        namespace: "default".to_owned(),
        name: "my-hdfs".to_owned(),
        uid: "00000000-0000-0000-0000-000000000001".to_owned(),
    };
    let settings = HdfsSettings { image: "hdfs".to_owned(), cluster_domain: "cluster.local".to_owned() };
    validate(identity, HdfsSpec::default(), &settings).unwrap()
}

#[test]
fn a_whole_hdfs() {
    let mut all = build(&plan());
    for name in ["core-site.xml", "hdfs-site.xml", "zoo.cfg", "hosts.sh"] {
        insta::assert_snapshot!(name, all[0]["data"][name].as_str().unwrap());
    }
    for (_, text) in all[0]["data"].as_object_mut().unwrap() {
        *text = "…".into();
    }
    insta::assert_yaml_snapshot!("objects", all);
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

/// Scripts are read by bash here, too.
#[test]
fn scripts_are_sound() {
    for (name, text) in build(&plan())[0]["data"].as_object().unwrap() {
        let (true, Value::String(text)) = (name.strip_suffix(".sh").is_some(), text) else { continue };
        let checked = std::process::Command::new("bash").args(["-n", "-c", text]).status().unwrap();
        assert!(checked.success(), "{name}");
    }
}
