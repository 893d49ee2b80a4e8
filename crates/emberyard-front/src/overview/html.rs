//! The overview as HTML: plain tables that reload themselves.

use super::{Notebook, Overview};
use crate::page::escape;
use std::fmt::Write as _;

/// Heading and tables, without the frame around them.
pub fn page(overview: &Overview) -> String {
    let Overview { nodes, notebooks, pods } = overview;
    let mut body = String::new();
    for notebook in notebooks {
        session_lines(&mut body, notebook);
    }
    if body.is_empty() {
        body.push_str("<p>There is no notebook.");
    }
    let rows = nodes.iter().map(|node| {
        [node.name.clone(), node.state.to_owned(), node.cpu.clone(), node.memory.clone(), node.pods.to_string()]
    });
    table(&mut body, "Nodes", ["node", "state", "CPU", "memory", "pods"], rows);
    let rows = pods.iter().map(|pod| {
        let node = pod.node.clone().unwrap_or_else(|| "waits for one".to_owned());
        [pod.namespace.clone(), pod.name.clone(), pod.phase.clone(), node]
    });
    table(&mut body, "Pods", ["namespace", "pod", "phase", "node"], rows);
    body
}

/// A notebook, and under it its sessions with who waits and who ended.
fn session_lines(body: &mut String, notebook: &Notebook) {
    let Notebook { namespace, name, phase, sessions } = notebook;
    // Writing to a String can't fail.
    let _ = write!(body, "<h2>{}</h2><p>{}, {}", escape(name), escape(namespace), escape(phase));
    if sessions.is_empty() {
        body.push_str(", no Spark session");
    }
    body.push_str("<ul>");
    for session in sessions {
        let _ = write!(
            body,
            "<li>{}: {} executors run, {} wait",
            escape(&session.application),
            session.running,
            session.waiting_count()
        );
        for line in session.sentences() {
            let _ = write!(body, "<br><small>{}</small>", escape(&line));
        }
    }
    body.push_str("</ul>");
}

fn table<const N: usize>(body: &mut String, title: &str, columns: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let _ = write!(body, "<h2>{title}</h2><table><tr>");
    for column in columns {
        let _ = write!(body, "<th>{column}");
    }
    for row in rows {
        body.push_str("<tr>");
        for cell in row {
            let _ = write!(body, "<td>{}", escape(&cell));
        }
    }
    body.push_str("</table>");
}

#[cfg(test)]
mod tests {
    use super::super::{Node, Pod};
    use super::*;
    use emberyard_model::{EndedExecutor, SessionStatus, Waiting};

    #[test]
    fn names_cannot_break_out_and_reasons_are_there() {
        let waiting =
            Waiting { pods: vec!["e-3".into()], why: "no room; node node-3 boots.".into(), ..Waiting::default() };
        let ended = EndedExecutor {
            pod: "e-1".into(),
            what: "out of memory.".into(),
            cure: "Raise it.".into(),
            ..EndedExecutor::default()
        };
        let session = SessionStatus {
            application: "<b>".into(),
            running: 2,
            waiting: vec![waiting],
            ended: vec![ended],
            ..SessionStatus::default()
        };
        let overview = Overview {
            nodes: vec![Node { name: "node-1".into(), state: "ready", cpu: "4".into(), memory: "8Gi".into(), pods: 3 }],
            notebooks: vec![Notebook {
                namespace: "d".into(),
                name: "n".into(),
                phase: "Running".into(),
                sessions: vec![session],
            }],
            pods: vec![Pod { namespace: "d".into(), name: "e-3".into(), phase: "Pending".into(), node: None }],
        };
        let html = page(&overview);
        assert!(!html.contains("<b>") && html.contains("&lt;b&gt;: 2 executors run, 1 wait"), "{html}");
        for part in [
            "e-3 waits: no room; node node-3 boots.",
            "e-1 ended: out of memory. Raise it.",
            "<td>waits for one",
            "<td>node-1<td>ready",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
    }
}
