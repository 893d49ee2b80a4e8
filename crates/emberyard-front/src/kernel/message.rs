//! Messages of a kernel as values: the request, and what is made of the answers.

use crate::error::FrontError;
use serde_json::{Value, json};

/// Something a cell printed or showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The output as a notebook file stores it (nbformat 4).
    pub stored: Value,
    /// The same as text for a terminal.
    pub text: String,
    /// Whether it belongs to standard error.
    pub is_error: bool,
}

/// A cell that was run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Execution {
    /// Outputs in their order, as a notebook file stores them.
    pub outputs: Vec<Value>,
    /// The kernel's count of cells.
    pub count: Option<u64>,
    /// Name and text of the exception, if the code raised one.
    pub error: Option<(String, String)>,
}

/// An `execute_request`.
pub(super) fn execute(session: &str, id: &str, code: &str) -> Value {
    json!({
        "channel": "shell",
        "header": { "msg_id": id, "username": "emberyard", "session": session, "msg_type": "execute_request", "version": "5.3", "date": "" },
        "parent_header": {}, "metadata": {}, "buffers": [],
        "content": { "code": code, "silent": false, "store_history": true, "user_expressions": {}, "allow_stdin": false, "stop_on_error": true }
    })
}

/// What is known of a running cell. It is done when the reply has come and the kernel is idle, in any order.
pub(super) struct Progress {
    id: String,
    execution: Execution,
    replied: bool,
    idle: bool,
}

impl Progress {
    pub fn new(id: String) -> Self {
        Self { id, execution: Execution::default(), replied: false, idle: false }
    }

    pub fn is_done(&self) -> bool {
        self.replied && self.idle
    }

    pub fn finish(self) -> Execution {
        self.execution
    }

    /// Takes a message; what is to be shown comes back.
    pub fn take(&mut self, message: &Value) -> Result<Option<Output>, FrontError> {
        let kind = message["header"]["msg_type"].as_str().unwrap_or("");
        let content = &message["content"];
        if kind == "status"
            && matches!(content["execution_state"].as_str(), Some("restarting" | "dead" | "terminating"))
        {
            return Err(FrontError::Kernel(
                "it died and is being started again; memory is the usual reason".to_owned(),
            ));
        }
        if message["parent_header"]["msg_id"] != self.id.as_str() {
            return Ok(None);
        }
        match kind {
            "status" => self.idle |= content["execution_state"] == "idle",
            "execute_reply" => {
                self.replied = true;
                self.execution.count = content["execution_count"].as_u64();
                if content["status"] == "error" || content["status"] == "aborted" {
                    let word = |key: &str| content[key].as_str().unwrap_or("").to_owned();
                    self.execution.error = Some((word("ename"), word("evalue")));
                }
            }
            _ => {
                if let Some(output) = output(kind, content) {
                    self.execution.outputs.push(output.stored.clone());
                    return Ok(Some(output));
                }
            }
        }
        Ok(None)
    }
}

fn output(kind: &str, content: &Value) -> Option<Output> {
    let data_text = || content["data"]["text/plain"].as_str().map(|text| format!("{text}\n")).unwrap_or_default();
    Some(match kind {
        "stream" => Output {
            stored: json!({ "output_type": "stream", "name": content["name"], "text": content["text"] }),
            text: content["text"].as_str().unwrap_or("").to_owned(),
            is_error: content["name"] == "stderr",
        },
        "execute_result" => Output {
            stored: json!({ "output_type": "execute_result", "data": content["data"], "metadata": content["metadata"], "execution_count": content["execution_count"] }),
            text: data_text(),
            is_error: false,
        },
        "display_data" => Output {
            stored: json!({ "output_type": "display_data", "data": content["data"], "metadata": content["metadata"] }),
            text: data_text(),
            is_error: false,
        },
        "error" => {
            let lines: Vec<&str> =
                content["traceback"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            Output {
                stored: json!({ "output_type": "error", "ename": content["ename"], "evalue": content["evalue"], "traceback": content["traceback"] }),
                text: format!("{}\n", lines.join("\n")),
                is_error: true,
            }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, parent: &str, content: Value) -> Value {
        json!({ "header": { "msg_type": kind }, "parent_header": { "msg_id": parent }, "content": content })
    }

    #[test]
    fn a_cell_is_done_after_reply_and_idle_in_any_order() {
        let (reply, idle) = (
            message("execute_reply", "1", json!({"status": "ok", "execution_count": 3})),
            message("status", "1", json!({"execution_state": "idle"})),
        );
        for order in [[&reply, &idle], [&idle, &reply]] {
            let mut progress = Progress::new("1".to_owned());
            let shown =
                progress.take(&message("stream", "1", json!({"name": "stdout", "text": "5\n"}))).unwrap().unwrap();
            assert_eq!(shown.text, "5\n");
            assert_eq!(
                progress.take(&message("stream", "other", json!({"name": "stdout", "text": "x"}))).unwrap(),
                None
            );
            for message in order {
                assert!(!progress.is_done());
                progress.take(message).unwrap();
            }
            assert!(progress.is_done());
            let execution = progress.finish();
            assert_eq!((execution.count, execution.outputs.len(), execution.error), (Some(3), 1, None));
        }
    }

    #[test]
    fn a_dead_kernel_is_told() {
        let mut progress = Progress::new("1".to_owned());
        assert!(progress.take(&message("status", "", json!({"execution_state": "restarting"}))).is_err());
    }
}
