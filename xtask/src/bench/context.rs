//! SparkContext until all executors have registered: a yard's, with the defaults we ship, and stock `local-cluster`.

use super::Benchmark;
use super::lab::Lab;
use super::processes::has_java;
use super::record::{Limit, Measure, Unit};
use super::yard::{PATIENCE, Yard};
use emberyard_client::{ApiError, Client};
use serde_json::json;
use std::time::Duration;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "context",
    about: "`SparkContext()` until all executors have registered, JVM start of the driver included, import of pyspark \
            not. emberyard: in a notebook's kernel with the settings it comes with. Peer: stock `local-cluster[N,1,1024]` \
            in a pod of the same image, so with the same Python, Java and jars. Same code on both sides, one at a time, \
            alternating.",
    rounds: 3,
    run,
};

/// What is compared.
struct Case {
    what: &'static str,
    executors: usize,
    limit: f64,
}

const CASES: [Case; 2] = [
    Case { what: "2 executors, cold kernel", executors: 2, limit: 0.60 },
    Case { what: "10 executors, cold kernel", executors: 10, limit: 0.50 },
];

const PODS: &str = "/api/v1/namespaces/default/pods";
const STOCK: &str = "stock-spark";

fn run(lab: &Lab) -> Result<Vec<Measure>, String> {
    let yard = Yard::new(lab, "context")?;
    // Room for ten executors, so that no node has to be added.
    yard.up(&["--nodes", "2..2", "--node-shape", "cpu=8,memory=10Gi"])?;
    let mut samples = [const { (Vec::new(), Vec::new()) }; CASES.len()];
    for round in 0..lab.rounds {
        for (case, (ours, stock)) in CASES.iter().zip(&mut samples) {
            // Who begins changes with the round.
            for turn in 0..2 {
                quiet(lab, &yard)?;
                if (round + turn) % 2 == 0 {
                    ours.push(registered(&yard.kernel(&code(case.executors, ""), PATIENCE)?)?);
                } else {
                    stock.push(registered(&stock_spark(lab, &yard, case.executors)?)?);
                }
            }
        }
    }
    let measure = |(case, (ours, stock)): (&Case, (Vec<f64>, Vec<f64>))| {
        let peer = format!("`local-cluster[{},1,1024]`", case.executors);
        Ok(Measure::new(case.what, Unit::Seconds, ours)?.against(peer, stock)?.limited(Limit::Ratio(case.limit)))
    };
    CASES.iter().zip(samples).map(measure).collect()
}

fn code(executors: usize, master: &str) -> String {
    include_str!("context.py").replace("@MASTER@", master).replace("@EXECUTORS@", &executors.to_string())
}

/// No JVM of the side before takes part.
fn quiet(lab: &Lab, yard: &Yard<'_>) -> Result<(), String> {
    lab.until("the JVMs before are gone", Duration::from_secs(60), || Ok(!has_java(&yard.dir())))
}

/// Seconds that the code told.
fn registered(printed: &str) -> Result<f64, String> {
    let told = printed.lines().find_map(|line| line.strip_prefix("registered ")?.trim().parse().ok());
    told.ok_or_else(|| format!("the executors did not register; it printed:\n{printed}"))
}

/// The code in a pod of its own, which no notebook's kernel has prepared anything for; its log.
fn stock_spark(lab: &Lab, yard: &Yard<'_>, executors: usize) -> Result<String, String> {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": STOCK, "namespace": "default"},
        "spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": false,
            "securityContext": {"runAsUser": 1000, "runAsGroup": 1000},
            "containers": [{
                "name": "spark", "image": "pyspark-notebook", "env": [{"name": "HOME", "value": "/tmp"}],
                "command": ["python3", "-c", code(executors, &format!("local-cluster[{executors},1,1024]"))],
            }],
        },
    });
    let path = format!("{PODS}/{STOCK}");
    let kubeconfig = yard.kubeconfig();
    let played = lab.wait(async {
        let client = Client::from_kubeconfig(&kubeconfig).await.map_err(|error| error.to_string())?;
        let api = |error: ApiError| error.to_string();
        client.create(PODS, &pod).await.map_err(api)?;
        let ended = tokio::time::timeout(PATIENCE, async {
            loop {
                let phase = client.get(&path, &[]).await.map_err(api)?["status"]["phase"].clone();
                if phase == "Succeeded" || phase == "Failed" {
                    return Ok::<(), String>(());
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        ended.await.map_err(|_| format!("stock Spark did not end within {} s", PATIENCE.as_secs()))??;
        let log = client.get_bytes(&format!("{path}/log"), &[]).await.map_err(api)?;
        client.delete(&path).await.map_err(api)?;
        while client.find(&path).await.map_err(api)?.is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(String::from_utf8_lossy(&log).into_owned())
    });
    played.and_then(|log| log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_run_the_same_code_but_for_the_master() {
        let (ours, stock) = (code(2, ""), code(2, "local-cluster[2,1,1024]"));
        assert!(!ours.contains('@') && !stock.contains('@'));
        assert_eq!(ours, stock.replace("local-cluster[2,1,1024]", ""));
    }

    #[test]
    fn the_told_seconds_are_found_among_other_lines() {
        assert_eq!(registered("WARN x\n\nregistered 12.5\n"), Ok(12.5));
        assert!(registered("registered nothing").is_err());
    }
}
