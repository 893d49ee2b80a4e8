//! What every provider promises, asked of each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use emberyard_cloud::{Local, Memory, NodeRequest, Provider, ProviderError};
use emberyard_model::{Bytes, Cpu, Resources};
use std::collections::BTreeMap;

fn request(id: &str) -> NodeRequest {
    let resources = Resources { cpu: Cpu(4000), memory: Bytes(8 << 30), pods: 110 };
    NodeRequest { id: id.to_owned(), shape: "cpu=4,memory=8Gi".to_owned(), resources, labels: BTreeMap::new() }
}

async fn names(provider: &dyn Provider) -> Vec<String> {
    provider.list().await.unwrap().into_iter().map(|claim| claim.name.to_string()).collect()
}

async fn conforms(provider: &dyn Provider) {
    let first = provider.launch(request("a")).await.unwrap();
    let again = provider.launch(request("a")).await.unwrap();
    assert_eq!(first.name, again.name, "{}: one id, one node", provider.name());
    let second = provider.launch(request("b")).await.unwrap();
    assert_eq!(names(provider).await, ["node-1", "node-2"]);
    assert!(matches!(provider.launch(request("c")).await, Err(ProviderError::Full { running: 2, limit: 2 })));
    provider.terminate(first.name.clone()).await.unwrap();
    provider.terminate(first.name.clone()).await.unwrap();
    assert_eq!(names(provider).await, [second.name.to_string()]);
    let reused = provider.launch(request("a")).await.unwrap();
    assert_eq!(reused.name, first.name, "a terminated request may be asked anew");
}

#[tokio::test]
async fn memory_conforms() {
    conforms(&Memory::new(2)).await;
}

#[tokio::test]
async fn local_conforms() {
    conforms(&Local::new(Memory::new(2))).await;
}

#[tokio::test]
async fn ordered_faults_come_once() {
    let memory = Memory::new(1);
    memory.fail_next(ProviderError::Unreachable("gone".to_owned()));
    assert!(Provider::list(&memory).await.is_err());
    assert!(Provider::list(&memory).await.is_ok());
    assert_eq!(memory.calls(), ["list", "list"]);
}
