//! What was played so far: each step is shown as it happens, all of them are the result with `-o json`.

use crate::cli::DemoPart;
use crate::error::Failure;
use emberyard_model::Explained;
use serde::Serialize;
use std::time::Instant;

/// A demo's result; other tools build on these names.
#[derive(Debug, Serialize)]
pub struct Played {
    part: DemoPart,
    steps: Vec<Step>,
    #[serde(skip)]
    begun: Instant,
}

#[derive(Debug, Serialize)]
struct Step {
    name: String,
    verdict: Verdict,
    /// What was seen, or why it failed.
    seen: String,
    seconds: f64,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Failed,
}

impl Played {
    /// None yet; the first one begins now.
    pub fn begin(part: DemoPart) -> Self {
        Self { part, steps: Vec::new(), begun: Instant::now() }
    }

    /// A step ended well; the next one begins.
    pub fn good(&mut self, name: &str, seen: &str) {
        let seconds = self.push(name, Verdict::Ok, seen);
        crate::progress::note(&format!("  ok   {name}: {seen} ({seconds:.1} s)"));
    }

    /// The step under way failed. The failure itself is shown where every verb's is.
    pub fn failed(&mut self, failure: &Failure) {
        match failure {
            Failure::Demo { step, why } => self.push(step, Verdict::Failed, why),
            other => self.push(other.code().id, Verdict::Failed, &other.to_string()),
        };
    }

    fn push(&mut self, name: &str, verdict: Verdict, seen: &str) -> f64 {
        let seconds = self.begun.elapsed().as_secs_f64();
        self.steps.push(Step { name: name.to_owned(), verdict, seen: seen.to_owned(), seconds });
        self.begun = Instant::now();
        seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_names_every_step_and_the_one_that_failed() {
        let mut steps = Played::begin(DemoPart::Tutorial);
        steps.good("sum", "4999999950000000");
        steps.failed(&Failure::Demo { step: "stop".to_owned(), why: "still there: pods/a".to_owned() });
        let json = serde_json::to_value(&steps).unwrap();
        assert_eq!(json["part"], "tutorial");
        let told =
            |at: usize| (json["steps"][at]["name"].as_str().unwrap(), json["steps"][at]["verdict"].as_str().unwrap());
        assert_eq!((told(0), told(1)), (("sum", "ok"), ("stop", "failed")));
        assert!(json["steps"][0]["seconds"].as_f64().unwrap() >= 0.0);
        assert_eq!(json["steps"][1]["seen"], "still there: pods/a");
    }
}
