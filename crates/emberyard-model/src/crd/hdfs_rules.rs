//! What the API server itself refuses of an HdfsCluster: rules in CEL, as a definition carries them.
//!
//! They say what `emberyard_manifest::hdfs::validate` and `keeps_volumes` say, as far as the object alone can tell. What lies on volumes
//! of an HDFS that was deleted, only the operator sees. A test of `emberyard-cluster` compares what the embedded API server makes
//! of them with a real one's answers.
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules>

use crate::hdfs::{DATA_NODES, DISKS, LONGEST_NAME, NAME_NODES};
use crate::quantity::Quantity;
use serde_json::{Value, json};

/// Of the whole object.
pub(super) fn of_object() -> Value {
    json!([{
        "rule": format!("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= {LONGEST_NAME}"),
        "message": format!("EY-HDF-001: its parts are called after it: choose a name of at most {LONGEST_NAME} lower case letters, digits and '-', with a letter first"),
    }])
}

/// Of the spec: `sizes` are the fields of the volumes with what each is where it is absent.
pub(super) fn of_spec(sizes: &[(&str, Quantity)]) -> Value {
    let class =
        |of: &str| format!("(has({of}.storage) && has({of}.storage.storageClass) ? {of}.storage.storageClass : '')");
    let number = |of: &str, field: &str, default: u32| format!("(has({of}.{field}) ? {of}.{field} : {default})");
    let name_nodes = |of: &str| number(of, "nameNodes", NAME_NODES);
    let disks = |of: &str| number(of, "disks", DISKS);
    let mut rules = vec![
        json!({
            "rule": format!("!has(self.replication) || self.replication <= (has(self.dataNodes) ? self.dataNodes : {DATA_NODES})"),
            "message": format!("EY-HDF-003: each copy of a block lies on another DataNode: ask for more of them (spec.dataNodes, {DATA_NODES} where it is absent) or for fewer copies (spec.replication)"),
        }),
        json!({
            "rule": format!("{} == {}", name_nodes("self"), name_nodes("oldSelf")),
            "message": "EY-HDF-005: the journals of two NameNodes lie elsewhere than that of one: write what there was, or make another HDFS and copy the files to it",
        }),
        json!({
            "rule": format!("{} == {}", disks("self"), disks("oldSelf")),
            "message": "EY-HDF-005: the volumes that there are were made for another number of them: write what there was, or make another HDFS and copy the files to it",
        }),
        json!({
            "rule": format!("{} == {}", class("self"), class("oldSelf")),
            "message": "EY-HDF-005: data lies on volumes of another storage class: write that, or make another HDFS and copy the files to it",
        }),
    ];
    rules.extend(sizes.iter().map(|(field, default)| {
        let of = |of: &str| {
            let size = format!("{of}.storage.{field}");
            format!("quantity(has({of}.storage) && has({size}) ? string({size}) : '{default}')")
        };
        json!({
            "rule": format!("{}.compareTo({}) == 0", of("self"), of("oldSelf")),
            "message": format!("EY-HDF-005: the volumes that there are have another size than spec.storage.{field} says: write what they have, or make another HDFS and copy the files to it"),
        })
    }));
    rules.into()
}

/// Of one volume's size.
pub(super) fn of_size(least: Quantity) -> Value {
    json!([{
        "rule": format!("quantity(string(self)).compareTo(quantity('{least}')) >= 0"),
        "message": format!("EY-HDF-004: it must be at least {least}, which the first journals and blocks need"),
    }])
}
