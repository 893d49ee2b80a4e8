//! Messages whose JSON is not an object of their fields, made field by field.

use super::*;
use prost_reflect::ReflectMessage;

/// A body as a client would send it, made field by field.
fn sent(gvk: &Gvk, set: impl Fn(&mut DynamicMessage)) -> Value {
    use prost_reflect::prost::Message as _;
    let mut body = DynamicMessage::new(WIRE.message(gvk).unwrap());
    set(&mut body);
    let mut envelope = DynamicMessage::new(WIRE.pool.get_message_by_name(ENVELOPE).unwrap());
    envelope.set_field_by_name("raw", prost_reflect::Value::Bytes(body.encode_to_vec().into()));
    decode(&[MAGIC, &envelope.encode_to_vec()].concat(), Some(gvk)).unwrap()
}

fn child(parent: &mut DynamicMessage, field: &str, set: impl Fn(&mut DynamicMessage)) {
    let descriptor = parent.descriptor().get_field_by_name(field).unwrap();
    let mut inner = DynamicMessage::new(descriptor.kind().as_message().unwrap().clone());
    set(&mut inner);
    let value = prost_reflect::Value::Message(inner);
    parent.set_field_by_name(field, if descriptor.is_list() { prost_reflect::Value::List(vec![value]) } else { value });
}

#[test]
fn special_messages() {
    use prost_reflect::Value as Wire;
    let lease = sent(&Gvk::new("coordination.k8s.io", "v1", "Lease"), |lease| {
        child(lease, "metadata", |meta| child(meta, "creationTimestamp", |_| {}));
        child(lease, "spec", |spec| {
            child(spec, "renewTime", |time| {
                time.set_field_by_name("seconds", Wire::I64(1_769_860_800));
                time.set_field_by_name("nanos", Wire::I32(500_000_000));
            });
            spec.set_field_by_name("leaseTransitions", Wire::I32(0));
        });
    });
    assert_eq!(lease["spec"], json!({"renewTime": "2026-01-31T12:00:00.500000Z", "leaseTransitions": 0}));
    assert_eq!(lease["metadata"], json!({}));

    let pod = sent(&Gvk::core("Pod"), |pod| {
        child(pod, "spec", |spec| {
            spec.set_field_by_name("nodeName", Wire::String(String::new()));
            spec.set_field_by_name("priority", Wire::I32(0));
            child(spec, "volumes", |volume| {
                volume.set_field_by_name("name", Wire::String("v".to_owned()));
                child(volume, "volumeSource", |source| {
                    child(source, "emptyDir", |dir| {
                        child(dir, "sizeLimit", |size| {
                            size.set_field_by_name("string", Wire::String("1Gi".to_owned()));
                        });
                    });
                });
            });
            child(spec, "containers", |container| {
                child(container, "livenessProbe", |probe| {
                    child(probe, "handler", |handler| {
                        child(handler, "tcpSocket", |socket| {
                            child(socket, "port", |port| {
                                port.set_field_by_name("type", Wire::I64(1));
                                port.set_field_by_name("strVal", Wire::String("http".to_owned()));
                            });
                        });
                    });
                });
            });
        });
    });
    assert_eq!(
        pod["spec"],
        json!({"priority": 0, "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}],
            "containers": [{"livenessProbe": {"tcpSocket": {"port": "http"}}}]})
    );

    let crd = sent(&Gvk::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), |crd| {
        child(crd, "spec", |spec| {
            child(spec, "versions", |version| {
                child(version, "schema", |schema| {
                    child(schema, "openAPIV3Schema", |schema| {
                        schema.set_field_by_name("xKubernetesIntOrString", Wire::Bool(true));
                        child(schema, "additionalProperties", |or| {
                            child(or, "schema", |inner| {
                                inner.set_field_by_name("type", Wire::String("string".to_owned()));
                            });
                        });
                        child(schema, "items", |or| {
                            child(or, "schema", |inner| {
                                child(inner, "default", |json| {
                                    json.set_field_by_name("raw", Wire::Bytes(b"[1]".as_slice().into()));
                                });
                            });
                        });
                    });
                });
            });
        });
    });
    assert_eq!(
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"],
        json!({"x-kubernetes-int-or-string": true, "additionalProperties": {"type": "string"}, "items": {"default": [1]}})
    );

    let review = sent(&Gvk::new("authentication.k8s.io", "v1", "TokenReview"), |review| {
        child(review, "status", |status| {
            child(status, "user", |user| {
                let descriptor = user.descriptor().get_field_by_name("extra").unwrap();
                let entry = descriptor.kind().as_message().unwrap().clone();
                let mut value = DynamicMessage::new(entry.map_entry_value_field().kind().as_message().unwrap().clone());
                value.set_field_by_name("items", Wire::List(vec![Wire::String("x".to_owned())]));
                let key = prost_reflect::MapKey::String("k".to_owned());
                user.set_field_by_name("extra", Wire::Map([(key, Wire::Message(value))].into_iter().collect()));
            });
        });
    });
    assert_eq!(review["status"]["user"]["extra"], json!({"k": ["x"]}));
}
