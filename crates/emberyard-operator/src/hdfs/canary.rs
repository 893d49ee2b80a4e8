//! What the canary of an HDFS tells of the time that clients wait.

use crate::view::{Key, label, serves};
use emberyard_client::Client;
use emberyard_manifest::hdfs::CLIENT;
use emberyard_model::Timestamp;
use emberyard_model::hdfs::{CANARY_PORT, COMPONENT_LABEL};
use serde_json::Value;
use std::time::Duration;

/// The condition that says it: true while clients are served.
pub const CANARY: &str = "Canary";
/// A canary that does not answer within this is not asked longer: who asks has other things to do.
const PATIENCE: Duration = Duration::from_secs(1);
/// Shorter waits are told as this: a figure that changes with each look would be noise.
const SHORT: Duration = Duration::from_secs(1);
/// A wait that is told while it lasts.
const LONG: Duration = Duration::from_secs(2);

/// The page of the canary of an HDFS with these pods; none where it does not answer.
pub async fn page(client: &Client, pods: &[&Value]) -> Option<Value> {
    let of_client = |pod: &&&Value| label(pod, COMPONENT_LABEL) == Some(CLIENT) && serves(pod);
    let Key { namespace, name } = Key::of(pods.iter().find(of_client)?);
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}:{CANARY_PORT}/proxy/");
    tokio::time::timeout(PATIENCE, client.get(&path, &[])).await.ok()?.ok()
}

/// Status, reason and message of the condition, once the canary was served for the first time.
pub fn said(page: &Value) -> Option<(&'static str, &'static str, String)> {
    if page["served"] != true {
        return None;
    }
    if let Some((began, waited)) = wait(&page["waiting"])
        && waited >= LONG
    {
        let message = format!("Since {} no small file can be written and read.", clock(began));
        return Some(("False", "Stalled", message));
    }
    let what = "for a small file to be written and read, in the last hour";
    let message = match wait(&page["longest"]) {
        Some((began, longest)) if longest >= SHORT => {
            format!("Clients waited at most {:.1} s {what}: from {} on.", longest.as_secs_f64(), clock(began))
        }
        _ => format!("Clients waited less than a second {what}."),
    };
    Some(("True", "Serves", message))
}

/// When a wait began, and how long it was or is.
fn wait(told: &Value) -> Option<(Timestamp, Duration)> {
    let began = Timestamp::parse(told["began"].as_str()?).ok()?;
    Some((began, Duration::from_millis(told["millis"].as_u64()?)))
}

/// The time of day, to the second.
fn clock(time: Timestamp) -> String {
    let text = time.rfc3339();
    text.get(11..19).map(|clock| format!("{clock} UTC")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_clients_feel_is_told() {
        let wait = |millis: u64| json!({"began": "2026-11-27T12:31:07.123456789Z", "millis": millis});
        let told = |served: bool, waiting: Value, longest: Value| {
            said(&json!({"served": served, "waiting": waiting, "longest": longest}))
                .map(|(status, reason, message)| format!("{status} {reason}: {message}"))
        };
        assert_eq!(told(false, wait(9000), Value::Null), None, "a start is no stall");
        let short =
            "True Serves: Clients waited less than a second for a small file to be written and read, in the last hour.";
        assert_eq!(told(true, wait(30), wait(40)).as_deref(), Some(short));
        assert_eq!(told(true, Value::Null, Value::Null).as_deref(), Some(short));
        assert_eq!(
            told(true, wait(300), wait(3612)).as_deref(),
            Some(
                "True Serves: Clients waited at most 3.6 s for a small file to be written and read, in the last hour: \
                 from 12:31:07 UTC on."
            )
        );
        assert_eq!(
            told(true, wait(2500), wait(40)).as_deref(),
            Some("False Stalled: Since 12:31:07 UTC no small file can be written and read.")
        );
        assert_eq!(said(&json!("something else")), None);
    }
}
