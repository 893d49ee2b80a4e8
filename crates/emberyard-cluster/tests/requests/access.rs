//! Who may do what.

use crate::yard::Yard;
use emberyard_cluster::Method::{Delete, Get, Patch, Post};
use emberyard_cluster::{Impersonate, Reply, User};
use serde_json::{Value, json};
use std::time::Duration;

const PODS: &str = "/api/v1/namespaces/default/pods";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";

fn as_user<T>(yard: &mut Yard, user: User, run: impl FnOnce(&mut Yard) -> T) -> T {
    let before = std::mem::replace(&mut yard.user, user);
    let result = run(yard);
    yard.user = before;
    result
}

fn grant(yard: &mut Yard, user: &str, rules: Value) {
    yard.post(ROLES, json!({"metadata": {"name": "r"}, "rules": rules}));
    yard.post(
        BINDINGS,
        json!({"metadata": {"name": "b"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
            "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}]}),
    );
}

fn node_user(name: &str) -> User {
    User::new(format!("system:node:{name}"), &["system:nodes"])
}

#[test]
fn roles_are_enforced() {
    let mut yard = Yard::new();
    grant(
        &mut yard,
        "jo",
        json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "create"]},
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["mine"], "verbs": ["get"]}]),
    );
    as_user(&mut yard, User::new("jo", &[]), |yard| {
        yard.get(PODS);
        yard.pod("a");
        let refused = yard.ok(403, Get, &format!("{PODS}/a"), Value::Null);
        assert_eq!(
            refused["message"],
            "pods \"a\" is forbidden: User \"jo\" cannot get resource \"pods\" in API group \"\" in the namespace \"default\""
        );
        let refused = yard.ok(403, Get, "/api/v1/pods", Value::Null);
        assert_eq!(
            refused["message"],
            "pods is forbidden: User \"jo\" cannot list resource \"pods\" in API group \"\" at the cluster scope"
        );
        yard.ok(404, Get, "/api/v1/namespaces/default/configmaps/mine", Value::Null);
        yard.ok(403, Get, "/api/v1/namespaces/default/configmaps/other", Value::Null);
        yard.ok(403, Get, &format!("{PODS}/a/log"), Value::Null);
        yard.get("/version");
        yard.get("/api");
    });
    as_user(&mut yard, User::anonymous(), |yard| {
        yard.get("/version");
        yard.ok(403, Get, "/api", Value::Null);
        yard.ok(403, Get, PODS, Value::Null);
    });
}

/// What changes nothing in the store can still change a pod: over a WebSocket the method is GET, and that is not enough.
#[test]
fn connections_into_a_pod_are_for_who_may_edit() {
    let mut yard = Yard::new();
    yard.pod("a");
    grant(
        &mut yard,
        "reader",
        json!([{"apiGroups": [""], "resources": ["pods/portforward"], "verbs": ["get", "list"]}]),
    );
    yard.post(
        BINDINGS,
        json!({"metadata": {"name": "editors"}, "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "editor"}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:aggregate-to-edit"}}),
    );
    let path = format!("{PODS}/a/portforward?ports=80");
    for method in [Get, Post] {
        as_user(&mut yard, User::new("editor", &[]), |yard| {
            // Let through, and only then found to be nowhere.
            let unplaced = yard.ok(400, method, &path, Value::Null);
            assert_eq!(unplaced["message"], "pod a does not have a host assigned");
        });
        as_user(&mut yard, User::new("reader", &[]), |yard| {
            let refused = yard.ok(403, method, &path, Value::Null);
            assert_eq!(
                refused["message"],
                "pods \"a\" is forbidden: User \"reader\" cannot create resource \"pods/portforward\" in API group \"\" in the namespace \"default\""
            );
        });
    }
}

#[test]
fn rights_are_not_made_of_nothing() {
    let mut yard = Yard::new();
    grant(
        &mut yard,
        "jo",
        json!([{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
    );
    as_user(&mut yard, User::new("jo", &[]), |yard| {
        let role = |name: &str, verbs: Value| json!({"metadata": {"name": name}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": verbs}]});
        yard.post(ROLES, role("same", json!(["get"])));
        yard.ok(403, Post, ROLES, role("more", json!(["get", "list"])));
        let binding = |role: &str| {
            json!({"metadata": {"name": "x"}, "subjects": [],
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}})
        };
        yard.ok(403, Post, BINDINGS, binding("cluster-admin"));
    });
    as_user(&mut yard, User::new("emberyard-operator", &["emberyard:operators"]), |yard| {
        let rules = json!([{"apiGroups": [""], "resources": ["pods", "configmaps", "services", "persistentvolumeclaims"], "verbs": ["*"]}]);
        yard.post(ROLES, json!({"metadata": {"name": "session"}, "rules": rules}));
        yard.post(
            BINDINGS,
            json!({"metadata": {"name": "session"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "session"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}]}),
        );
        yard.ok(403, Delete, "/api/v1/namespaces/default", Value::Null);
        yard.ok(
            403,
            Post,
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            json!({"metadata": {"name": "x"}, "rules": []}),
        );
        yard.get("/api/v1/nodes");
    });
    as_user(&mut yard, User::service_account("default", "default"), |yard| {
        yard.get(PODS);
        yard.ok(403, Get, "/api/v1/namespaces/kube-system/pods", Value::Null);
    });
}

#[test]
fn aggregated_roles_add_up() {
    let mut yard = Yard::new();
    yard.post(
        BINDINGS,
        json!({"metadata": {"name": "b"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
            "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "team"}]}),
    );
    as_user(&mut yard, User::new("jo", &["team"]), |yard| {
        yard.get(PODS);
        yard.post("/api/v1/namespaces/default/configmaps", json!({"metadata": {"name": "a"}}));
        yard.post(
            ROLES,
            json!({"metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
        );
        yard.ok(403, Get, "/api/v1/nodes", Value::Null);
        yard.ok(403, Get, "/api/v1/namespaces/kube-system/pods", Value::Null);
    });
}

#[test]
fn nodes_see_their_own() {
    let mut yard = Yard::new();
    yard.post("/api/v1/namespaces/default/secrets", json!({"metadata": {"name": "used"}}));
    yard.post("/api/v1/namespaces/default/secrets", json!({"metadata": {"name": "other"}}));
    as_user(&mut yard, node_user("n"), |yard| {
        yard.node("n");
        yard.ok(403, Post, "/api/v1/nodes", json!({"metadata": {"name": "m"}}));
    });
    yard.node("m");
    yard.post(
        PODS,
        json!({"metadata": {"name": "a", "labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i"}],
            "volumes": [{"name": "v", "secret": {"secretName": "used"}}]}}),
    );
    yard.pod("b");
    yard.bind("a", "n");
    yard.bind("b", "m");
    as_user(&mut yard, node_user("n"), |yard| {
        let table = [
            (200, "/api/v1/pods?fieldSelector=spec.nodeName%3Dn"),
            (403, "/api/v1/pods?fieldSelector=spec.nodeName%3Dm"),
            (403, "/api/v1/pods"),
            (200, "/api/v1/namespaces/default/pods/a"),
            (403, "/api/v1/namespaces/default/pods/b"),
            (200, "/api/v1/namespaces/default/secrets/used"),
            (200, "/api/v1/namespaces/default/secrets?fieldSelector=metadata.name%3Dused"),
            (403, "/api/v1/namespaces/default/secrets/other"),
            (403, "/api/v1/namespaces/default/secrets"),
            (404, "/api/v1/namespaces/default/configmaps/kube-root-ca.crt"),
            (200, "/api/v1/nodes/n"),
            (200, "/api/v1/services"),
            (200, "/apis/discovery.k8s.io/v1/endpointslices"),
            (404, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n"),
            (403, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/m"),
        ];
        for (status, path) in table {
            yard.ok(status, Get, path, Value::Null);
        }
        let leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
        yard.post(leases, json!({"metadata": {"name": "n"}, "spec": {"holderIdentity": "n"}}));
        yard.ok(403, Post, leases, json!({"metadata": {"name": "m"}}));
        let running = json!({"status": {"phase": "Running"}});
        yard.ok(200, Patch, &format!("{PODS}/a/status"), running.clone());
        yard.ok(403, Patch, &format!("{PODS}/b/status"), running);
        yard.ok(403, Patch, &format!("{PODS}/a/status"), json!({"metadata": {"labels": {"x": "y"}}}));
        yard.ok(403, Patch, &format!("{PODS}/a"), json!({"metadata": {"labels": {"x": "y"}}}));
        yard.ok(
            403,
            Post,
            PODS,
            json!({"metadata": {"name": "z"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}),
        );
        yard.ok(200, Patch, "/api/v1/nodes/n", json!({"metadata": {"labels": {"example.com/a": "b"}}}));
        yard.ok(403, Patch, "/api/v1/nodes/n", json!({"metadata": {"labels": {"node-role.kubernetes.io/x": ""}}}));
        yard.ok(403, Patch, "/api/v1/nodes/n", json!({"spec": {"taints": []}}));
        yard.ok(403, Patch, "/api/v1/nodes/m/status", json!({"status": {}}));
        yard.ok(403, Delete, "/api/v1/nodes/n", Value::Null);
        yard.post(
            "/api/v1/namespaces/default/events",
            json!({"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}}),
        );
        yard.ok(403, Delete, &format!("{PODS}/b"), json!({"gracePeriodSeconds": 0}));
        yard.ok(200, Delete, &format!("{PODS}/a"), json!({"gracePeriodSeconds": 0}));
    });
}

/// The claims of a token asked for, or the status of the refusal.
fn token(yard: &mut Yard, account: &str, spec: Value) -> Result<Value, u16> {
    let path = format!("/api/v1/namespaces/default/serviceaccounts/{account}/token");
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec});
    let request = yard.request(Post, &path, &body);
    match yard.reply(&request) {
        Reply::Sign(token) => {
            let answer = (*token).clone().answer("signed".to_owned());
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!((answer.status, &body["status"]["token"]), (201, &json!("signed")));
            Ok(token.claims)
        }
        Reply::Answer(answer) => Err(answer.status),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tokens_die_with_what_they_are_bound_to() {
    let mut yard = Yard::new();
    yard.node("n");
    let pod = yard.pod("a");
    yard.bind("a", "n");
    let bound = json!({"kind": "Pod", "apiVersion": "v1", "name": "a", "uid": pod["metadata"]["uid"]});
    let claims = token(&mut yard, "default", json!({"expirationSeconds": 3607, "boundObjectRef": bound})).unwrap();
    assert_eq!(claims["sub"], "system:serviceaccount:default:default");
    assert_eq!(claims["kubernetes.io"]["node"]["name"], "n");
    let user = yard.server.authenticate_claims(&claims, yard.now).unwrap();
    assert_eq!(user.name, "system:serviceaccount:default:default");
    assert_eq!(user.extra["authentication.kubernetes.io/pod-name"], ["a"]);
    let later = |seconds| yard.now.plus(Duration::from_secs(seconds));
    // Who never reads its token again is served on; the time after which it should is in the token.
    assert!(yard.server.authenticate_claims(&claims, later(30 * 3600)).is_ok());
    assert_eq!(claims["kubernetes.io"]["warnafter"], yard.now.seconds() + 3607);
    assert!(yard.server.authenticate_claims(&claims, later(366 * 24 * 3600)).is_err());
    for spec in [
        json!({"expirationSeconds": 3600, "boundObjectRef": bound}),
        json!({"expirationSeconds": 3607}),
        json!({"expirationSeconds": 3607, "boundObjectRef": bound, "audiences": ["x"]}),
    ] {
        let claims = token(&mut yard, "default", spec).unwrap();
        assert!(claims["exp"].as_i64().unwrap() - yard.now.seconds() <= 3607, "{claims}");
    }
    let mut foreign = claims.clone();
    foreign["aud"] = json!(["other"]);
    assert!(yard.server.authenticate_claims(&foreign, yard.now).is_err());

    assert_eq!(token(&mut yard, "default", json!({"expirationSeconds": 5})), Err(422));
    assert_eq!(token(&mut yard, "nope", json!({})), Err(404));
    let mut wrong = bound.clone();
    wrong["uid"] = json!("other");
    assert_eq!(token(&mut yard, "default", json!({"boundObjectRef": wrong})), Err(409));
    yard.user = node_user("n");
    assert!(token(&mut yard, "default", json!({"boundObjectRef": bound})).is_ok());
    assert_eq!(token(&mut yard, "default", json!({})), Err(403));
    assert_eq!(token(&mut yard, "default", json!({"boundObjectRef": bound, "audiences": ["x"]})), Err(403));
    yard.user = node_user("m");
    assert_eq!(token(&mut yard, "default", json!({"boundObjectRef": bound})), Err(403));
    yard.user = crate::yard::admin();
    yard.ok(200, Delete, &format!("{PODS}/a"), json!({"gracePeriodSeconds": 0}));
    assert!(yard.server.authenticate_claims(&claims, yard.now).is_err());
}

#[test]
fn reviews_answer() {
    let mut yard = Yard::new();
    grant(&mut yard, "jo", json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]));
    let authz = "/apis/authorization.k8s.io/v1";
    let review = |verb: &str| {
        json!({"spec": {"user": "jo", "resourceAttributes":
        {"namespace": "default", "verb": verb, "resource": "pods"}}})
    };
    assert_eq!(yard.post(&format!("{authz}/subjectaccessreviews"), review("list"))["status"]["allowed"], true);
    assert_eq!(yard.post(&format!("{authz}/subjectaccessreviews"), review("get"))["status"]["allowed"], false);
    as_user(&mut yard, User::new("jo", &["g"]), |yard| {
        let spec =
            json!({"spec": {"resourceAttributes": {"namespace": "default", "verb": "list", "resource": "pods"}}});
        assert_eq!(yard.post(&format!("{authz}/selfsubjectaccessreviews"), spec)["status"]["allowed"], true);
        let rules = yard.post(&format!("{authz}/selfsubjectrulesreviews"), json!({"spec": {"namespace": "default"}}));
        assert!(rules["status"]["resourceRules"].to_string().contains("\"pods\""), "{rules}");
        let me = yard.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json!({}));
        assert_eq!(me["status"]["userInfo"], json!({"username": "jo", "groups": ["g", "system:authenticated"]}));
    });
    let request = yard.request(Post, "/apis/authentication.k8s.io/v1/tokenreviews", &json!({"spec": {"token": "t"}}));
    let Reply::Verify(verify) = yard.reply(&request) else { panic!("a token is to be verified") };
    let answer = yard.server.review_token(*verify, None, yard.now);
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["status"]["authenticated"], false);
}

#[test]
fn others_may_be_impersonated_by_who_may() {
    let mut yard = Yard::new();
    grant(&mut yard, "jo", json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]));
    let mut request = yard.request(Get, PODS, &Value::Null);
    request.impersonate = Some(Impersonate { user: "jo".to_owned(), ..Impersonate::default() });
    assert_eq!(yard.answer(&request).status, 200);
    request.path = "/api/v1/nodes".to_owned();
    assert_eq!(yard.answer(&request).status, 403);
    request.user = User::new("jo", &[]);
    request.impersonate = Some(Impersonate { user: "admin".to_owned(), ..Impersonate::default() });
    request.path = PODS.to_owned();
    assert_eq!(yard.answer(&request).status, 403);
}
