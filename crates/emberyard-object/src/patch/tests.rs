//! Patches as clients send them.

use super::*;
use crate::Catalog;
use serde_json::json;

#[test]
fn json_patches() {
    let target = json!({"metadata": {"labels": {"a/b": "x"}}, "l": [1, 2]});
    let operations = json!([{"op": "test", "path": "/l/0", "value": 1}, {"op": "remove", "path": "/metadata/labels/a~1b"},
        {"op": "add", "path": "/l/-", "value": 3}]);
    assert_eq!(json(&target, &operations), Ok(json!({"metadata": {"labels": {}}, "l": [1, 2, 3]})));
    let untrue = json!([{"op": "add", "path": "/x", "value": 1}, {"op": "test", "path": "/l/0", "value": 2}]);
    assert!(matches!(json(&target, &untrue), Err(PatchError::Unfit(_))));
    for bad in [json!({}), json!([{"op": "fly"}]), json!("x")] {
        assert!(matches!(json(&target, &bad), Err(PatchError::Malformed(_))), "{bad}");
    }
    let many: Vec<_> = (0..10_001).map(|_| json!({"op": "test", "path": "/l/0", "value": 1})).collect();
    assert!(matches!(json(&target, &Value::Array(many)), Err(PatchError::Malformed(_))));
}

#[test]
fn json_patches_stay_small() {
    let doubling: Vec<_> = (0..40).map(|n| json!({"op": "copy", "from": "", "path": format!("/x{n}")})).collect();
    assert!(matches!(json(&json!({"a": "b"}), &Value::Array(doubling)), Err(PatchError::Malformed(_))));
    let deep = (0..100).fold(json!({"k": {}}), |inner, _| json!({"k": inner}));
    let path = |levels: usize| "/k".repeat(levels);
    let digging: Vec<_> = (0..5).map(|n| json!({"op": "add", "path": path(1 + 100 * n), "value": deep})).collect();
    assert!(matches!(json(&json!({}), &Value::Array(digging)), Err(PatchError::Malformed(_))));
    let moving = json!([{"op": "add", "path": "/k", "value": deep}, {"op": "add", "path": "/l", "value": deep},
        {"op": "move", "from": "/l", "path": path(100)}, {"op": "copy", "from": "/k", "path": "/m"},
        {"op": "move", "from": "/m", "path": path(101)}]);
    assert!(matches!(json(&json!({}), &moving), Err(PatchError::Malformed(_))));
}

#[test]
fn merge_patches_of_the_rfc() {
    // RFC 7386, appendix A.
    let table = [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b"}), json!({"a": null}), json!({})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
        (json!(["a", "b"]), json!(["c"]), json!(["c"])),
        (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
        (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
    ];
    for (target, patch, wanted) in table {
        assert_eq!(merge(&target, &patch), wanted, "{patch}");
    }
}

fn pod_patch(target: Value, patch: Value) -> Result<Value, PatchError> {
    let catalog = Catalog::builtin();
    strategic(catalog.find("", "v1", "pods").unwrap(), &target, &patch)
}

#[test]
fn strategic_patches() {
    let spec = |value: Value| json!({"spec": value});
    let base = || json!({"containers": [{"name": "a", "image": "x", "ports": [{"containerPort": 1, "protocol": "TCP"}]}, {"name": "b"}]});
    let table = [
        // Lists of objects merge by key.
        (
            base(),
            json!({"containers": [{"name": "a", "image": "y"}]}),
            json!({"containers": [{"name": "a", "image": "y", "ports": [{"containerPort": 1, "protocol": "TCP"}]}, {"name": "b"}]}),
        ),
        (
            base(),
            json!({"containers": [{"name": "c"}]}),
            json!({"containers": [{"name": "a", "image": "x", "ports": [{"containerPort": 1, "protocol": "TCP"}]}, {"name": "b"}, {"name": "c"}]}),
        ),
        (base(), json!({"containers": [{"name": "a", "$patch": "delete"}]}), json!({"containers": [{"name": "b"}]})),
        (base(), json!({"containers": [{"name": "z"}, {"$patch": "replace"}]}), json!({"containers": [{"name": "z"}]})),
        (
            base(),
            json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}], "containers": [{"name": "b", "image": "q"}]}),
            json!({"containers": [{"name": "b", "image": "q"}, {"name": "a", "image": "x", "ports": [{"containerPort": 1, "protocol": "TCP"}]}]}),
        ),
        // Atomic lists are replaced.
        (
            json!({"containers": [{"name": "a", "args": ["1", "2"]}]}),
            json!({"containers": [{"name": "a", "args": ["3"]}]}),
            json!({"containers": [{"name": "a", "args": ["3"]}]}),
        ),
        // Null deletes, $patch: replace replaces a map.
        (
            json!({"nodeSelector": {"a": "b"}, "nodeName": "n"}),
            json!({"nodeSelector": {"$patch": "replace", "c": "d"}, "nodeName": null}),
            json!({"nodeSelector": {"c": "d"}}),
        ),
        (json!({"securityContext": {"runAsUser": 1}}), json!({"securityContext": {"$patch": "delete"}}), json!({})),
        // A volume keeps only what the patch names.
        (
            json!({"volumes": [{"name": "v", "emptyDir": {}}]}),
            json!({"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/"}}]}),
            json!({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}),
        ),
        (
            json!({"tolerations": [{"key": "a"}]}),
            json!({"tolerations": [{"key": "b"}]}),
            json!({"tolerations": [{"key": "b"}]}),
        ),
    ];
    for (target, patch, wanted) in table {
        assert_eq!(pod_patch(spec(target), spec(patch.clone())), Ok(spec(wanted)), "{patch}");
    }
}

#[test]
fn strategic_patches_of_primitive_lists() {
    let meta = |value: Value| json!({"metadata": value});
    let patched = pod_patch(
        meta(json!({"finalizers": ["a", "b"]})),
        meta(json!({"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["b", "c"]})),
    );
    assert_eq!(patched, Ok(meta(json!({"finalizers": ["b", "c"]}))));
    let alone =
        pod_patch(meta(json!({"finalizers": ["a", "b"]})), meta(json!({"$deleteFromPrimitiveList/finalizers": ["a"]})));
    assert_eq!(alone, Ok(meta(json!({"finalizers": ["b"]}))));
}

#[test]
fn bad_strategic_patches_are_refused() {
    for patch in [
        json!([]),
        json!({"spec": {"$patch": "fly"}}),
        json!({"spec": {"containers": [{"image": "x"}]}}),
        json!({"spec": {"containers": ["x"]}}),
        json!({"metadata": {"$deleteFromPrimitiveList/finalizers": 1}}),
        json!({"spec": {"$retainKeys": 1}}),
    ] {
        assert!(
            matches!(
                pod_patch(json!({"spec": {"containers": [{"name": "a"}]}}), patch.clone()),
                Err(PatchError::Malformed(_))
            ),
            "{patch}"
        );
    }
}

fn any_json() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (0..5).prop_map(Value::from),
        "[a-c]".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]|name|spec|containers|\\$patch|\\$retainKeys", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest::proptest! {
    #[test]
    fn merging_twice_is_merging_once(target in any_json(), patch in any_json()) {
        let once = merge(&target, &patch);
        proptest::prop_assert_eq!(merge(&once, &patch), once);
    }

    #[test]
    fn strategic_patches_never_panic(target in any_json(), patch in any_json()) {
        let _ = pod_patch(target, patch);
    }
}
