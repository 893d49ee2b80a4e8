//! What can't be changed where data lies already: the volumes that are there say what was asked for when they were made.

use super::validate::Plan;
use super::{data_node, journal_node, name_node, zoo_keeper};
use crate::error::InvalidHdfs;
use emberyard_model::Quantity;
use emberyard_model::hdfs::{COMPONENT_LABEL, NAME_NODES};
use serde_json::Value;
use std::collections::BTreeMap;

/// Compares a plan with the claims that StatefulSets of this HDFS have made, also those of one that was deleted.
pub fn keeps_volumes(plan: &Plan, claims: &[Value]) -> Result<(), InvalidHdfs> {
    let sizes = plan.sizes;
    let parts = [
        (name_node::PART, "spec.storage.nameNode", sizes.name_node),
        (journal_node::PART, "spec.storage.journalNode", sizes.journal_node),
        (zoo_keeper::PART, "spec.storage.zooKeeper", sizes.zoo_keeper),
        (data_node::PART, "spec.storage.dataNode", sizes.data_node),
    ];
    if let Some(has) = name_nodes(claims).filter(|has| *has != plan.name_nodes) {
        return Err(InvalidHdfs::OtherNameNodes { wanted: plan.name_nodes, has });
    }
    if let Some(has) = disks(claims).filter(|has| *has > plan.disks) {
        let (value, has) = (plan.disks.to_string(), has.to_string());
        return Err(InvalidHdfs::Resize { field: "spec.disks", value, has });
    }
    for claim in claims {
        let part = claim["metadata"]["labels"][COMPONENT_LABEL].as_str();
        let Some((part, field, wanted)) = parts.iter().find(|(name, ..)| part == Some(name)) else { continue };
        let claimed = claim["spec"]["resources"]["requests"]["storage"].as_str();
        if let Some(has) = claimed.and_then(|text| Quantity::parse(text).ok()).filter(|has| has != wanted) {
            return Err(InvalidHdfs::Resize { field, value: wanted.to_string(), has: has.to_string() });
        }
        let class = claim["spec"]["storageClassName"].as_str();
        if let (Some(wanted), Some(has)) = (plan.storage_class.as_deref(), class)
            && wanted != has
        {
            let (value, has) = (wanted.to_owned(), has.to_owned());
            return Err(InvalidHdfs::Resize { field: "spec.storage.storageClass", value, has });
        }
        let handed_over = claim["metadata"]["labels"][data_node::HANDED_OVER_LABEL].is_string();
        if *part == data_node::PART && !handed_over && ordinal(claim).is_some_and(|ordinal| ordinal >= plan.kept) {
            return Err(InvalidHdfs::FewerDataNodes { wanted: plan.data_nodes, volume: name(claim).to_owned() });
        }
    }
    Ok(())
}

/// For how many NameNodes volumes were made: two have a journal beside their own; none where there are no volumes yet.
fn name_nodes(claims: &[Value]) -> Option<u32> {
    let of =
        |part: &'static str| claims.iter().filter(move |claim| claim["metadata"]["labels"][COMPONENT_LABEL] == part);
    let several = of(journal_node::PART).next().is_some() || of(name_node::PART).any(|claim| ordinal(claim) > Some(0));
    let one = of(name_node::PART).next().is_some();
    several.then_some(NAME_NODES).or(one.then_some(1))
}

/// The most volumes that any DataNode has; none where there are none. One that is just being made may still have fewer, and where an
/// HDFS is made again with more of them, the new ones begin empty.
fn disks(claims: &[Value]) -> Option<u32> {
    let mut of_each = BTreeMap::new();
    for claim in claims.iter().filter(|claim| data_node::is_data_node(claim)) {
        *of_each.entry(ordinal(claim)?).or_insert(0) += 1;
    }
    of_each.into_values().max()
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// The number of a set's pod, or of the pod that a claim is for: the last part of its name.
pub fn ordinal(object: &Value) -> Option<u32> {
    name(object).rsplit('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;
    use crate::hdfs::{HdfsSettings, validate};
    use emberyard_model::Explained;
    use serde_json::json;

    #[test]
    fn what_lies_on_disks_stays_as_it_is() {
        let claim = |part: &str, ordinal: u32, size: &str| {
            json!({
                "metadata": {"name": format!("data-a-{part}-{ordinal}"), "labels": {COMPONENT_LABEL: part}},
                "spec": {"storageClassName": "local", "resources": {"requests": {"storage": size}}},
            })
        };
        let there = [
            claim("journalnode", 0, "20Gi"),
            claim("namenode", 0, "100Gi"),
            claim("datanode", 3, "102400Mi"),
            claim("other", 7, "1Gi"),
        ];
        let table = [
            ("{}", ""),
            (r#"{"dataNodes":5}"#, ""),
            (r#"{"dataNodes":3}"#, "data-a-datanode-3"),
            (r#"{"storage":{"dataNode":"200Gi"}}"#, "spec.storage.dataNode is 200Gi, and its volumes have 100Gi"),
            (r#"{"storage":{"nameNode":"10Gi"}}"#, "spec.storage.nameNode"),
            (r#"{"storage":{"zooKeeper":"10Gi"}}"#, ""),
            (r#"{"nameNodes":1}"#, "spec.nameNodes is 1, and its volumes are those of 2"),
            (r#"{"storage":{"storageClass":"local"}}"#, ""),
            (r#"{"storage":{"storageClass":"fast"}}"#, "spec.storage.storageClass is fast"),
        ];
        for (spec, wanted) in table {
            let identity = Identity { namespace: "d".to_owned(), name: "a".to_owned(), uid: "u".to_owned() };
            let settings = HdfsSettings { image: "hdfs".to_owned(), cluster_domain: "cluster.local".to_owned() };
            let plan = validate(identity, serde_json::from_str(spec).unwrap(), &settings).unwrap();
            let said = keeps_volumes(&plan, &there).err().map(|error| error.explain()).unwrap_or_default();
            assert!(said.contains(wanted) && said.is_empty() == wanted.is_empty(), "{spec}: {said}");
        }
    }

    #[test]
    fn volumes_of_a_data_node_become_no_fewer() {
        let identity = || Identity { namespace: "d".to_owned(), name: "a".to_owned(), uid: "u".to_owned() };
        let settings = HdfsSettings { image: "hdfs".to_owned(), cluster_domain: "cluster.local".to_owned() };
        let claim = |name: &str| json!({"metadata": {"name": name, "labels": {COMPONENT_LABEL: "datanode"}}});
        // The second one's volumes are just being made.
        let there = ["data-a-datanode-0", "data-1-a-datanode-0", "data-a-datanode-1"].map(claim);
        for (disks, wanted) in [(1, Some("spec.disks is 1, and its volumes have 2")), (2, None), (3, None)] {
            let spec = emberyard_model::HdfsSpec { disks: Some(disks), ..Default::default() };
            let plan = validate(identity(), spec, &settings).unwrap();
            assert_eq!(keeps_volumes(&plan, &there).err().map(|error| error.to_string()).as_deref(), wanted);
        }
    }

    #[test]
    fn a_volume_may_lie_unused_once_its_blocks_are_elsewhere() {
        let identity = Identity { namespace: "d".to_owned(), name: "a".to_owned(), uid: "u".to_owned() };
        let settings = HdfsSettings { image: "hdfs".to_owned(), cluster_domain: "cluster.local".to_owned() };
        let plan = validate(identity, serde_json::from_str(r#"{"dataNodes":3}"#).unwrap(), &settings).unwrap();
        let mut claim = json!({"metadata": {"name": "data-a-datanode-3", "labels": {COMPONENT_LABEL: "datanode"}}});
        assert!(keeps_volumes(&plan, std::slice::from_ref(&claim)).is_err());
        assert!(keeps_volumes(&plan.clone().keeping(4), std::slice::from_ref(&claim)).is_ok());
        claim["metadata"]["labels"][data_node::HANDED_OVER_LABEL] = json!("true");
        assert!(keeps_volumes(&plan, &[claim]).is_ok());
    }
}
