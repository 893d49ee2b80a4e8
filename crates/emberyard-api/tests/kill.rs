//! A real server process, killed without warning at 200 random moments while clients write.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use emberyard_api::pki::{self, Names};
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::{CONFIG_MAPS, Client, config, config_map, connector, now};
use tokio_util::sync::CancellationToken;

const FOLDER: &str = "EMBERYARD_TEST_CHILD_FOLDER";
const ADDRESS: &str = "EMBERYARD_TEST_CHILD_ADDRESS";
const ROUNDS: usize = 200;

/// The child's side: serves until killed. Nothing to do when run as a test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Ok(folder), Ok(address)) = (std::env::var(FOLDER), std::env::var(ADDRESS)) else { return };
    let listener = TcpListener::bind(address.parse::<SocketAddr>().unwrap()).unwrap();
    emberyard_api::serve(config(Path::new(&folder), listener, CancellationToken::new())).await.unwrap();
}

fn spawn(folder: &Path, address: SocketAddr) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(FOLDER, folder)
        .env(ADDRESS, address.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// What one writer knows: the value last acknowledged, and the one it may have reached.
type Known = BTreeMap<String, (Option<String>, String)>;

async fn write(mut client: Client, writer: usize, round: usize) -> Known {
    let mut known = Known::new();
    for turn in 0.. {
        let name = format!("w{writer}-r{round}-{}", turn / 2);
        let value = format!("{turn}-{}", "x".repeat(turn % 700));
        let body = config_map(&name, &value);
        let before = known.get(&name).and_then(|(acknowledged, _)| acknowledged.clone());
        known.insert(name.clone(), (before, value.clone()));
        let answered = if turn % 2 == 0 {
            client.try_json("POST", CONFIG_MAPS, Some(&body)).await
        } else {
            client.try_json("PUT", &format!("{CONFIG_MAPS}/{name}"), Some(&body)).await
        };
        match answered {
            Some((200 | 201, _)) => drop(known.insert(name, (Some(value.clone()), value))),
            Some((status, body)) => panic!("{status}: {body}"),
            None => return known,
        }
    }
    known
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_kills_lose_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let pki = pki::ensure(&folder.path().join("pki"), &Names::default(), now()).unwrap();
    let connector = connector(pki.authority.certificate(), Some(&pki.admin), &[]);
    let address = { TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    let mut rng = rand::rngs::StdRng::seed_from_u64(11);
    let (mut acknowledged, mut unsure) = (0, 0);
    let mut known = Known::new();
    for round in 0..=ROUNDS {
        let mut child = spawn(folder.path(), address);
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(child.try_wait().unwrap().is_none(), "the server ended by itself");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let mut client = Client::new(address, connector.clone()).await;
        let (status, list) = client.get(CONFIG_MAPS).await;
        assert_eq!(status, 200, "{list}");
        let found: BTreeMap<&str, &str> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| {
                (item["metadata"]["name"].as_str().unwrap(), item["data"]["value"].as_str().unwrap_or_default())
            })
            .collect();
        for (name, (sure, tried)) in &known {
            match found.get(name.as_str()) {
                None => assert_eq!(*sure, None, "{name} is lost after kill {round}"),
                Some(value) => {
                    assert!(*value == tried || sure.as_deref() == Some(value), "{name} is half there: {value}");
                }
            }
        }
        acknowledged += known.values().filter(|(sure, tried)| sure.as_ref() == Some(tried)).count();
        unsure += known.values().filter(|(sure, tried)| sure.as_ref() != Some(tried)).count();
        if round == ROUNDS {
            child.kill().unwrap();
            child.wait().unwrap();
            break;
        }
        let mut writers = Vec::new();
        for writer in 0..4 {
            let client = Client::new(address, connector.clone()).await;
            writers.push(tokio::spawn(write(client, writer, round)));
        }
        tokio::time::sleep(Duration::from_micros(rng.random_range(0..40_000))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        // Every few rounds the old ones are checked for the last time, so that lists stay short.
        known.clear();
        for writer in writers {
            known.extend(writer.await.unwrap());
        }
        if round % 20 == 19 {
            let mut child = spawn(folder.path(), address);
            while tokio::net::TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let mut client = Client::new(address, connector.clone()).await;
            for name in known.keys() {
                let (_, body) = client.get(&format!("{CONFIG_MAPS}/{name}")).await;
                let (sure, tried) = &known[name];
                let value = body["data"]["value"].as_str();
                assert!(value == Some(tried) || value == sure.as_deref(), "{name} in round {round}");
            }
            known.clear();
            let (status, gone) = client.json("DELETE", CONFIG_MAPS, None).await;
            assert_eq!(status, 200, "{gone}");
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
    eprintln!("{acknowledged} writes acknowledged and found, {unsure} cut off");
    assert!(acknowledged > ROUNDS);
}
