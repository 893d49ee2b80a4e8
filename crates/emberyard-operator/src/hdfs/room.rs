//! Whether a fleet can ever hold an HDFS: pure.

use emberyard_manifest::InvalidHdfs;
use emberyard_manifest::hdfs::{Plan, build};
use emberyard_model::fit::{Demand, pod_demand};
use emberyard_plan::{Policy, too_much};
use serde_json::Value;

/// Refuses an HDFS whose pods would wait for ever. Who is there already in this number (`running` DataNodes) is not asked: a fleet that
/// has become smaller is no reason to do nothing more for it.
pub fn check(plan: &Plan, running: Option<u32>, policy: &Policy, nodes: &[&Value]) -> Result<(), InvalidHdfs> {
    if running.is_some_and(|running| plan.data_nodes <= running) {
        return Ok(());
    }
    let pods: Vec<Demand> = build(plan).iter().flat_map(pods).collect();
    too_much(policy, nodes, &pods).map_or(Ok(()), |too_much| Err(InvalidHdfs::Fleet(too_much.to_string())))
}

/// What the pods of a set or deployment ask for.
fn pods(object: &Value) -> impl Iterator<Item = Demand> {
    let count = object["spec"]["replicas"].as_u64().unwrap_or(0);
    let demand = pod_demand(&object["spec"]["template"]["spec"]);
    std::iter::repeat_n(demand, usize::try_from(count).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberyard_manifest::Identity;
    use emberyard_manifest::hdfs::{HdfsSettings, validate};
    use emberyard_model::HdfsSpec;
    use emberyard_plan::Shape;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn refused(max: u32, data_nodes: u32, running: Option<u32>) -> Option<String> {
        let identity = Identity { namespace: "d".to_owned(), name: "a".to_owned(), uid: "1".to_owned() };
        let settings = HdfsSettings { image: "hdfs".to_owned(), cluster_domain: "cluster.local".to_owned() };
        let spec = HdfsSpec { data_nodes: Some(data_nodes), ..HdfsSpec::default() };
        let plan = validate(identity, spec, &settings).unwrap();
        let allocatable = Demand::from_list(&json!({"cpu": 4, "memory": "2Gi", "pods": 110}));
        let shape = Shape { name: "local".to_owned(), allocatable, labels: BTreeMap::new(), taints: Vec::new() };
        check(&plan, running, &Policy::of_one_shape(1, max, shape), &[]).err().map(|error| error.to_string())
    }

    #[test]
    fn what_would_wait_for_ever_is_refused_and_what_runs_is_not() {
        assert_eq!(refused(2, 4, None), None);
        let said = refused(1, 4, None).unwrap();
        assert!(said.starts_with("it would never be whole: its pods ask for cpu 800m"), "{said}");
        assert!(said.ends_with("and the fleet at its maximum of 1 node has cpu 4, memory 2Gi"), "{said}");
        assert_eq!(refused(1, 4, Some(4)), None);
        assert_eq!(refused(1, 3, Some(4)), None);
        assert!(refused(1, 5, Some(4)).is_some());
    }
}
