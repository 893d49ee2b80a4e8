//! Reading and checking bodies of built-in and custom kinds.

use super::*;
use crate::{Catalog, Kind};
use serde_json::{Value, json};
use std::sync::Arc;

fn pods() -> Arc<Kind> {
    Catalog::builtin().find("", "v1", "pods").unwrap().clone()
}

fn pod(spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec})
}

fn custom(schema: Value) -> Arc<Kind> {
    let crd = json!({"spec": {"group": "e.dev", "names": {"plural": "things", "kind": "Thing"}, "scope": "Namespaced",
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}});
    Catalog::builtin().with_crd(&crd).unwrap().find("e.dev", "v1", "things").unwrap().clone()
}

#[test]
fn refuses_wrong_types_as_a_real_server_words_it() {
    let table = [
        (
            json!({"terminationGracePeriodSeconds": "x"}),
            "json: cannot unmarshal string into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64",
        ),
        (
            json!({"containers": {}}),
            "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
        ),
        (
            json!({"containers": [{"name": 1}]}),
            "json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string",
        ),
        (
            json!({"containers": [{"ports": [{"containerPort": 1.5}]}]}),
            "json: cannot unmarshal number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
        ),
        (
            json!({"hostNetwork": "yes"}),
            "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool",
        ),
        (
            json!({"nodeSelector": {"a": 1}}),
            "json: cannot unmarshal number into Go struct field PodSpec.spec.nodeSelector.a of type string",
        ),
        (
            json!({"containers": [{"resources": {"limits": {"cpu": "x"}}}]}),
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
    ];
    for (spec, wanted) in table {
        let error = decode(&pods(), pod(spec), &[], FieldValidation::Strict).unwrap_err();
        assert_eq!(error.to_string(), format!("Pod in version \"v1\" cannot be handled as a Pod: {wanted}"));
    }
    let secrets = Catalog::builtin().find("", "v1", "secrets").unwrap().clone();
    let error = decode(&secrets, json!({"data": {"a": "%"}}), &[], FieldValidation::Warn).unwrap_err();
    assert!(error.to_string().ends_with("illegal base64 data at input byte 0"), "{error}");
    for other in [json!([]), json!("x"), json!(null)] {
        assert!(decode(&pods(), other, &[], FieldValidation::Warn).is_err());
    }
}

#[test]
fn unknown_and_double_fields_follow_the_mode() {
    let body = pod(json!({"bogus": 1, "containers": [{"name": "a", "foo": {}}]}));
    let duplicates = ["spec.x".to_owned()];
    let error = decode(&pods(), body.clone(), &duplicates, FieldValidation::Strict).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: duplicate field \"spec.x\", \
         unknown field \"spec.bogus\", unknown field \"spec.containers[0].foo\""
    );
    let decoded = decode(&pods(), body.clone(), &duplicates, FieldValidation::Warn).unwrap();
    assert_eq!(decoded.warnings.len(), 3);
    assert_eq!(decoded.value, pod(json!({"containers": [{"name": "a"}]})));
    let quiet = decode(&pods(), body, &duplicates, FieldValidation::Ignore).unwrap();
    assert_eq!((quiet.value, quiet.warnings.len()), (decoded.value, 0));
}

#[test]
fn says_what_it_is() {
    let decoded = decode(&pods(), json!({"metadata": {"name": "a"}}), &[], FieldValidation::Strict).unwrap();
    assert_eq!(decoded.value, json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}));
    let service = json!({"apiVersion": "v1", "kind": "Service"});
    let error = decode(&pods(), service, &[], FieldValidation::Strict).unwrap_err();
    assert!(error.to_string().starts_with("Service in version \"v1\" cannot be handled as a Pod: "), "{error}");
    let other = json!({"apiVersion": "apps/v1", "kind": "Pod"});
    let error = decode(&pods(), other, &[], FieldValidation::Strict).unwrap_err();
    assert_eq!(error.to_string(), "the API version in the data (apps/v1) does not match the expected API version (v1)");
}

#[test]
fn values_become_canonical() {
    let body = json!({"metadata": {"name": "a", "creationTimestamp": null, "labels": {}, "finalizers": []},
        "spec": {"nodeName": "", "hostNetwork": false, "terminationGracePeriodSeconds": 0, "securityContext": {},
            "containers": [{"name": "", "env": [], "args": null, "ports": [{"containerPort": 1, "hostPort": 0}],
                "resources": {"limits": {"cpu": 1, "memory": "1024Mi"}},
                "livenessProbe": {"httpGet": {"port": "http"}, "initialDelaySeconds": 0}}]}});
    let decoded = decode(&pods(), body, &[], FieldValidation::Strict).unwrap();
    assert_eq!(
        decoded.value,
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
            "spec": {"terminationGracePeriodSeconds": 0, "securityContext": {},
                "containers": [{"name": "", "ports": [{"containerPort": 1}],
                    "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
                    "livenessProbe": {"httpGet": {"port": "http"}}}]}})
    );
    let leases = Catalog::builtin().find("coordination.k8s.io", "v1", "leases").unwrap().clone();
    let body = json!({"spec": {"renewTime": "2026-01-31T13:00:00.5+01:00"}});
    let lease = decode(&leases, body, &[], FieldValidation::Strict).unwrap();
    assert_eq!(lease.value["spec"]["renewTime"], "2026-01-31T12:00:00.500000Z");
}

#[test]
fn built_in_kinds_need_what_is_published() {
    let object = pod(json!({"restartPolicy": "X", "containers": [
        {"name": "", "ports": [{"containerPort": 0}], "volumeMounts": [{"name": "v"}]}]}));
    let causes: Vec<String> = validate(&pods(), &object, None).iter().map(ToString::to_string).collect();
    assert_eq!(
        causes,
        [
            "spec.containers[0].name: Required value",
            "spec.containers[0].ports[0].containerPort: Required value",
            "spec.containers[0].volumeMounts[0].mountPath: Required value",
            "spec.restartPolicy: Unsupported value: \"X\": supported values: \"Always\", \"Never\", \"OnFailure\"",
        ]
    );
    let nothing = pod(json!({}));
    assert_eq!(validate(&pods(), &nothing, None)[0].to_string(), "spec.containers: Required value");
    let agent = json!({"metadata": {}, "spec": {"containers": [{"name": "a"}]},
        "status": {"containerStatuses": [{"name": "a"}], "phase": "Odd"}});
    assert_eq!(validate(&pods(), &agent, None), []);
}

#[test]
fn custom_resources_are_pruned_and_checked() {
    let kind = custom(json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "required": ["size"], "properties": {
            "size": {"type": "integer", "minimum": 1, "maximum": 5},
            "mode": {"type": "string", "enum": ["a", "b"]},
            "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 3},
            "port": {"x-kubernetes-int-or-string": true},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "none": {"type": "string", "nullable": true},
            "list": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
                "items": {"type": "object", "properties": {"k": {"type": "string"}}}}}}}}));
    let body = json!({"metadata": {"name": "a", "odd": 1}, "spec": {"size": 1, "free": {"x": {"y": 1}}, "gone": 1,
        "none": null, "mode": null}});
    let decoded = decode(&kind, body, &[], FieldValidation::Warn).unwrap();
    assert_eq!(decoded.warnings, ["unknown field \"metadata.odd\"", "unknown field \"spec.gone\""]);
    assert_eq!(decoded.value["spec"], json!({"size": 1, "free": {"x": {"y": 1}}, "none": null}));

    let table = [
        (json!({}), "spec: Required value"),
        (json!({"spec": {}}), "spec.size: Required value"),
        (
            json!({"spec": {"size": "x"}}),
            "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"",
        ),
        (
            json!({"spec": {"size": 9}}),
            "spec.size: Invalid value: 9: spec.size in body should be less than or equal to 5",
        ),
        (
            json!({"spec": {"size": 1, "mode": "c"}}),
            "spec.mode: Unsupported value: \"c\": supported values: \"a\", \"b\"",
        ),
        (
            json!({"spec": {"size": 1, "name": "A"}}),
            "spec.name: Invalid value: \"A\": spec.name in body should match '^[a-z]+$'",
        ),
        (
            json!({"spec": {"size": 1, "name": "abcd"}}),
            "spec.name: Invalid value: \"abcd\": spec.name in body should have at most 3 chars long",
        ),
        (
            json!({"spec": {"size": 1, "port": true}}),
            "spec.port: Invalid value: \"boolean\": spec.port in body must be of type integer,string: \"boolean\"",
        ),
        (
            json!({"spec": {"size": 1, "list": [{"k": "a"}, {"k": "a"}]}}),
            "spec.list[1]: Duplicate value: {\"k\":\"a\"}",
        ),
    ];
    for (object, wanted) in table {
        let causes: Vec<String> = validate(&kind, &object, None).iter().map(ToString::to_string).collect();
        assert_eq!(causes, [wanted]);
    }
    assert_eq!(validate(&kind, &json!({"spec": {"size": 5.0, "port": "http", "none": null}}), None), []);
}

#[test]
fn value_validations_combine() {
    let kind = custom(json!({"type": "object", "properties": {"spec": {"type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}}}));
    assert_eq!(validate(&kind, &json!({"spec": {"a": "x"}}), None), []);
    for bad in [json!({"spec": {}}), json!({"spec": {"a": "x", "b": "y"}})] {
        assert_eq!(validate(&kind, &bad, None).len(), 1, "{bad}");
    }
}

proptest::proptest! {
    #[test]
    fn any_json_is_read_or_refused(text in "\\{\"(metadata|spec|status)\":(\\{\"(containers|name|labels|volumes)\":(1|\"x\"|\\[\\]|\\[\\{\\}\\]|\\{\"a\":1\\}|null)\\}|null|1|\\[\\])\\}") {
        let value: Value = serde_json::from_str(&text).unwrap();
        if let Ok(decoded) = decode(&pods(), value, &[], FieldValidation::Ignore) {
            let again = decode(&pods(), decoded.value.clone(), &[], FieldValidation::Strict).unwrap();
            proptest::prop_assert_eq!(again.value, decoded.value);
        }
    }
}

/// Pods as PySpark 4.3.0 sends them.
const SPARK: [&str; 2] = [
    include_str!("../../tests/data/spark-executor-pod.json"),
    include_str!("../../tests/data/spark-driver-pod-cluster-mode.json"),
];

#[test]
fn pods_of_spark_are_fine() {
    for text in SPARK {
        let parsed = crate::json::parse(text.as_bytes()).unwrap();
        assert_eq!(parsed.duplicates, [""; 0]);
        let mut pod = decode(&pods(), parsed.value.clone(), &[], FieldValidation::Strict).unwrap().value;
        crate::defaults::apply(&pods(), &mut pod);
        assert_eq!(validate(&pods(), &pod, None), []);
        let by = crate::patch::apply::Manager { name: "fabric8", subresource: "", api_version: "v1" };
        let now = emberyard_model::Timestamp(0);
        let applied = crate::patch::apply::apply(&pods(), None, &parsed.value, by, true, now).unwrap();
        let again = crate::patch::apply::apply(&pods(), Some(&applied), &parsed.value, by, true, now).unwrap();
        assert_eq!(again, applied);
    }
}
