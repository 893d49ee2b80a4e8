//! Bodies that real clients sent.

use super::*;

#[test]
fn refuses_what_is_none() {
    assert_eq!(decode(b"{}", None), Err(ProtobufError::Magic));
    assert_eq!(decode(b"k8s\0", None), Err(ProtobufError::UnknownKind(String::new())));
    let pod = Gvk::core("Pod");
    assert!(matches!(decode(b"k8s\0\xff\xff", Some(&pod)), Err(ProtobufError::Malformed(_))));
    let odd = Gvk::new("x.y", "v1", "Odd");
    assert!(matches!(decode(b"k8s\0", Some(&odd)), Err(ProtobufError::UnknownKind(_))));
}

#[test]
fn every_kind_has_a_message() {
    for kind in crate::Catalog::builtin().kinds() {
        assert!(WIRE.message(&kind.gvk).is_some(), "{}", kind.gvk);
    }
    for body in ["DeleteOptions", "Status"] {
        assert!(WIRE.message(&Gvk::new("apps", "v1", body)).is_some(), "{body}");
    }
    assert!(WIRE.message(&Gvk::new("policy", "v1", "Eviction")).is_some());
    assert!(WIRE.message(&Gvk::new("authentication.k8s.io", "v1", "TokenRequest")).is_some());
}

/// `NAME BASE64` lines, with a comment that says where they come from.
const BODIES: &str = include_str!("../../tests/data/protobuf.txt");

fn body(name: &str) -> Value {
    let line = BODIES.lines().find(|line| line.split(' ').next() == Some(name)).unwrap();
    decode(&special::from_base64(line.split(' ').nth(1).unwrap()), None).unwrap()
}

#[test]
fn bodies_of_kubectl() {
    insta::assert_json_snapshot!(body("deployment"), @r#"
{
  "apiVersion": "apps/v1",
  "kind": "Deployment",
  "metadata": {
    "labels": {
      "app": "web"
    },
    "name": "web"
  },
  "spec": {
    "replicas": 0,
    "selector": {
      "matchLabels": {
        "app": "web"
      }
    },
    "strategy": {},
    "template": {
      "metadata": {
        "labels": {
          "app": "web"
        }
      },
      "spec": {
        "containers": [
          {
            "image": "nginx",
            "name": "nginx",
            "ports": [
              {
                "containerPort": 80
              }
            ],
            "resources": {}
          }
        ]
      }
    }
  },
  "status": {}
}
"#);
    insta::assert_json_snapshot!(body("configmap"), @r#"
{
  "apiVersion": "v1",
  "data": {
    "a": "b",
    "c": ""
  },
  "kind": "ConfigMap",
  "metadata": {
    "name": "cm"
  }
}
"#);
    insta::assert_json_snapshot!(body("configmap-binary"), @r#"
{
  "apiVersion": "v1",
  "binaryData": {
    "bin": "eP95"
  },
  "kind": "ConfigMap",
  "metadata": {
    "name": "bin"
  }
}
"#);
    insta::assert_json_snapshot!(body("secret"), @r#"
{
  "apiVersion": "v1",
  "data": {
    "pw": "Z2VoZWlt"
  },
  "kind": "Secret",
  "metadata": {
    "name": "s"
  }
}
"#);
    insta::assert_json_snapshot!(body("namespace"), @r#"
{
  "apiVersion": "v1",
  "kind": "Namespace",
  "metadata": {
    "name": "n"
  },
  "spec": {},
  "status": {}
}
"#);
    insta::assert_json_snapshot!(body("token"), @r#"
{
  "apiVersion": "authentication.k8s.io/v1",
  "kind": "TokenRequest",
  "metadata": {},
  "spec": {
    "audiences": [
      "x"
    ],
    "expirationSeconds": 600
  },
  "status": {
    "token": ""
  }
}
"#);
    insta::assert_json_snapshot!(body("access-review"), @r#"
{
  "apiVersion": "authorization.k8s.io/v1",
  "kind": "SelfSubjectAccessReview",
  "metadata": {},
  "spec": {
    "resourceAttributes": {
      "namespace": "default",
      "resource": "pods",
      "subresource": "log",
      "verb": "get"
    }
  },
  "status": {
    "allowed": false
  }
}
"#);
    insta::assert_json_snapshot!(body("self-review"), @r#"
{
  "apiVersion": "authentication.k8s.io/v1",
  "kind": "SelfSubjectReview",
  "metadata": {},
  "status": {
    "userInfo": {}
  }
}
"#);
    insta::assert_json_snapshot!(body("rolebinding"), @r#"
{
  "apiVersion": "rbac.authorization.k8s.io/v1",
  "kind": "RoleBinding",
  "metadata": {
    "name": "rb"
  },
  "roleRef": {
    "apiGroup": "rbac.authorization.k8s.io",
    "kind": "Role",
    "name": "r"
  },
  "subjects": [
    {
      "apiGroup": "rbac.authorization.k8s.io",
      "kind": "User",
      "name": "u"
    },
    {
      "kind": "ServiceAccount",
      "name": "sa",
      "namespace": "default"
    }
  ]
}
"#);
    insta::assert_json_snapshot!(body("service"), @r#"
{
  "apiVersion": "v1",
  "kind": "Service",
  "metadata": {
    "labels": {
      "app": "svc"
    },
    "name": "svc"
  },
  "spec": {
    "ports": [
      {
        "name": "80-8080",
        "port": 80,
        "protocol": "TCP",
        "targetPort": 8080
      }
    ],
    "selector": {
      "app": "svc"
    },
    "type": "ClusterIP"
  },
  "status": {
    "loadBalancer": {}
  }
}
"#);
    insta::assert_json_snapshot!(body("priorityclass"), @r#"
{
  "apiVersion": "scheduling.k8s.io/v1",
  "kind": "PriorityClass",
  "metadata": {
    "name": "pc"
  },
  "preemptionPolicy": "PreemptLowerPriority",
  "value": 5
}
"#);
    insta::assert_json_snapshot!(body("job"), @r#"
{
  "apiVersion": "batch/v1",
  "kind": "Job",
  "metadata": {
    "name": "j"
  },
  "spec": {
    "template": {
      "metadata": {},
      "spec": {
        "containers": [
          {
            "image": "busybox",
            "name": "j",
            "resources": {}
          }
        ],
        "restartPolicy": "Never"
      }
    }
  },
  "status": {}
}
"#);
}

#[test]
fn every_captured_body_of_a_served_kind_passes_strict_decoding() {
    let catalog = crate::Catalog::builtin();
    let mut seen = 0;
    for line in BODIES.lines().filter(|line| !line.starts_with('#')) {
        let object = body(line.split(' ').next().unwrap());
        let Some(kind) = Gvk::of(&object).and_then(|gvk| catalog.kind(&gvk).cloned()) else { continue };
        let decoded =
            crate::schema::decode(&kind, object.clone(), &[], crate::schema::FieldValidation::Strict).unwrap();
        assert_eq!(decoded.value, object);
        seen += 1;
    }
    assert!(seen >= 10);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(0_u8..255, 0..60)) {
        for kind in ["Pod", "Secret", "Event"] {
            let _ = decode(&[b"k8s\0\x12\x20".as_slice(), &bytes].concat(), Some(&Gvk::core(kind)));
        }
    }
}
