use super::EndpointSlices;
use crate::fake::Bench;
use crate::reconcile::Loop;
use crate::resources;
use emberyard_model::Timestamp;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn pod(name: &str, ip: &str, ready: bool) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}"), "labels": {"app": "web"}},
        "spec": {"nodeName": "node-1", "hostname": name, "subdomain": "web",
            "containers": [{"ports": [{"name": "http", "containerPort": 8888}]}]},
        "status": {"phase": "Running", "podIP": ip, "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]},
    })
}

fn service(extra: &Value) -> Value {
    let mut service = json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "s", "labels": {"team": "a"}},
        "spec": {"clusterIP": "10.96.0.9", "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    });
    for (key, value) in extra.as_object().into_iter().flatten() {
        service["spec"][key] = value.clone();
    }
    service
}

fn bench(service: Value, pods: &[Value]) -> Bench {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::services(), service);
    for pod in pods {
        bench.api.create(&resources::pods(), pod.clone());
    }
    bench.start(Box::new(Loop::new(EndpointSlices)));
    bench.settle();
    bench
}

fn slices(bench: &Bench) -> Vec<&Value> {
    let slices = resources::endpoint_slices();
    bench.api.objects.iter().filter(|((of, ..), _)| *of == slices).map(|(_, slice)| slice).collect()
}

fn addresses(bench: &Bench) -> Vec<(String, bool)> {
    let endpoints = slices(bench).into_iter().flat_map(|slice| slice["endpoints"].as_array().unwrap());
    endpoints
        .map(|one| (one["addresses"][0].as_str().unwrap().to_owned(), one["conditions"]["ready"] == json!(true)))
        .collect()
}

#[test]
fn a_slice_says_everything_that_is_needed() {
    let bench = bench(service(&json!({})), &[pod("a", "10.42.1.2", true)]);
    let mut slice = slices(&bench)[0].clone();
    slice["metadata"]["resourceVersion"] = json!("-");
    slice["metadata"]["uid"] = json!("-");
    insta::assert_json_snapshot!(slice, @r#"
    {
      "addressType": "IPv4",
      "apiVersion": "discovery.k8s.io/v1",
      "endpoints": [
        {
          "addresses": [
            "10.42.1.2"
          ],
          "conditions": {
            "ready": true,
            "serving": true,
            "terminating": false
          },
          "hostname": "a",
          "nodeName": "node-1",
          "targetRef": {
            "kind": "Pod",
            "name": "a",
            "namespace": "default",
            "uid": "uid-a"
          }
        }
      ],
      "kind": "EndpointSlice",
      "metadata": {
        "labels": {
          "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
          "kubernetes.io/service-name": "web",
          "team": "a"
        },
        "name": "web-vxvfk829",
        "namespace": "default",
        "ownerReferences": [
          {
            "apiVersion": "v1",
            "blockOwnerDeletion": true,
            "controller": true,
            "kind": "Service",
            "name": "web",
            "uid": "s"
          }
        ],
        "resourceVersion": "-",
        "uid": "-"
      },
      "ports": [
        {
          "name": "http",
          "port": 8888,
          "protocol": "TCP"
        }
      ]
    }
    "#);
}

#[test]
fn pods_come_go_and_change() {
    let mut bench = bench(service(&json!({})), &[pod("a", "10.42.1.2", true), pod("b", "10.42.1.3", false)]);
    let both = |a, b| vec![("10.42.1.2".to_owned(), a), ("10.42.1.3".to_owned(), b)];
    assert_eq!(addresses(&bench), both(true, false));
    bench.api.edit(&resources::pods(), "default", "b", |pod| pod["status"]["conditions"][0]["status"] = json!("True"));
    bench.settle();
    assert_eq!(addresses(&bench), both(true, true));
    bench.api.edit(&resources::pods(), "default", "a", |pod| {
        pod["metadata"]["deletionTimestamp"] = json!("2027-01-15T08:00:00Z");
    });
    bench.settle();
    assert_eq!(addresses(&bench), both(false, true), "on its way out: serves, is not ready");
    bench.api.edit(&resources::pods(), "default", "a", |pod| pod["status"]["phase"] = json!("Succeeded"));
    bench.api.edit(&resources::pods(), "default", "b", |pod| pod["metadata"]["labels"] = json!({"app": "other"}));
    bench.settle();
    assert_eq!((addresses(&bench).len(), slices(&bench).len()), (0, 1));
    let requests = bench.api.seen.len();
    bench.api.edit(&resources::pods(), "default", "b", |pod| pod["metadata"]["annotations"] = json!({"x": "y"}));
    bench.settle();
    assert_eq!(bench.api.seen.len(), requests, "what does not matter makes no request");
}

#[test]
fn unready_pods_are_published_where_asked_and_headless_slices_are_marked() {
    let extra = json!({"publishNotReadyAddresses": true, "clusterIP": "None"});
    let bench = bench(service(&extra), &[pod("driver", "10.42.1.2", false)]);
    assert_eq!(addresses(&bench), [("10.42.1.2".to_owned(), true)]);
    assert_eq!(slices(&bench)[0]["metadata"]["labels"]["service.kubernetes.io/headless"], json!(""));
}

#[test]
fn services_without_selector_are_left_to_their_owner() {
    for extra in [json!({"selector": null}), json!({"selector": {}}), json!({"type": "ExternalName"})] {
        assert_eq!(slices(&bench(service(&extra), &[pod("a", "10.42.1.2", true)])).len(), 0, "{extra}");
    }
}

#[test]
fn different_port_numbers_and_many_pods_need_more_slices() {
    let mut other = pod("other", "10.42.9.9", true);
    other["spec"]["containers"][0]["ports"][0]["containerPort"] = json!(9999);
    let mut pods: Vec<Value> =
        (0..1001).map(|n| pod(&format!("p{n}"), &format!("10.42.{}.{}", n / 250, n % 250), true)).collect();
    pods.push(other);
    let mut bench = bench(service(&json!({})), &pods);
    let mut sizes: Vec<usize> =
        slices(&bench).iter().map(|slice| slice["endpoints"].as_array().unwrap().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1, 1000]);
    let before = bench.api.seen.len();
    bench.crash();
    bench.start(Box::new(Loop::new(EndpointSlices)));
    bench.settle();
    assert_eq!(bench.api.seen.len(), before, "a restart changes nothing");
}
