//! Port-forward over a WebSocket's channels, by kube-rs: bytes both ways, a port where nobody listens, the pod's end.

use crate::scenes::{World, pod_path};
use k8s_openapi::api::core::v1::Pod;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::{Api, Client};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

pub const PERL: &str = "/usr/bin/perl";
/// Says all back, on the pod's own loopback.
const ECHO: &str = r#"exec perl -MIO::Socket::INET -e '
    my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 7000, Listen => 5) or die;
    $| = 1; print "listening\n";
    while (my $peer = $server->accept) {
        while (sysread($peer, my $piece, 65536)) {
            for (my $at = 0; $at < length $piece;) { $at += syswrite($peer, $piece, 65536, $at) }
        }
        close $peer;
    }'"#;
const SOON: Duration = Duration::from_secs(30);

/// Plays it.
pub async fn forward(world: &World, dir: &Path) {
    if !Path::new(PERL).exists() {
        println!("port-forward is skipped: no {PERL} for a server in a pod");
        return;
    }
    world.pod("echo", ECHO, json!({"terminationGracePeriodSeconds": 0})).await;
    world.phase("echo", "Running").await;
    let listening = async {
        while !world.log("echo").await.starts_with("listening") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, listening).await.unwrap();

    let file = Kubeconfig::read_from(dir.join("admin")).unwrap();
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
    let pods: Api<Pod> = Api::namespaced(Client::try_from(config).unwrap(), "default");
    let mut forwarder = pods.portforward("echo", &[7000, 7009]).await.unwrap();
    let refused = timeout(SOON, forwarder.take_error(7009).unwrap()).await.unwrap().unwrap_or_default();
    assert!(refused.contains("dial tcp4 127.0.0.1:7009: connect: connection refused"), "{refused}");

    let (mut read, mut write) = tokio::io::split(forwarder.take_stream(7000).unwrap());
    let sent: Vec<u8> = (0..1_u32 << 19).flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    let copy = sent.clone();
    let writing = tokio::spawn(async move {
        write.write_all(&copy).await.unwrap();
        write
    });
    let mut got = vec![0; sent.len()];
    timeout(SOON, read.read_exact(&mut got)).await.unwrap().unwrap();
    assert!(got == sent, "what came back is not what was sent");

    // Both halves are kept: the pod's end alone must end the stream.
    let _write = writing.await.unwrap();
    world.client.delete(&pod_path("echo")).await.unwrap();
    assert_eq!(timeout(SOON, read.read(&mut got)).await.unwrap().unwrap_or(0), 0);
}
