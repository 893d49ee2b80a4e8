//! Files run in a real Jupyter server's kernel. It needs a Python with jupyter_server and ipykernel, named by
//! EMBERYARD_TEST_PYTHON.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use emberyard_front::kernel::{Document, Event, Jupyter, RunError, RunOptions, run};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Server {
    process: Child,
    link: String,
    _home: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The whole group: the server's kernels too.
        drop(Command::new("kill").args(["-9", "--", &format!("-{}", self.process.id())]).status());
        drop(self.process.wait());
    }
}

/// A Jupyter server under a path; none, said aloud, without Python.
async fn server() -> Option<Server> {
    let Some(python) = std::env::var_os("EMBERYARD_TEST_PYTHON") else {
        // Past the capture of the test harness: a skipped test is seen.
        let said = "EMBERYARD_TEST_PYTHON names no Python with jupyter_server";
        drop(writeln!(std::io::stderr(), "SKIPPED files_run_in_a_real_kernel: {said}"));
        return None;
    };
    let home = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let process = Command::new(python)
        .args(["-m", "jupyter_server", "--allow-root", "--no-browser", "--ServerApp.base_url=/notebooks/d/n/"])
        .args([&format!("--port={port}"), "--IdentityProvider.token=secret", "--ServerApp.port_retries=0"])
        .current_dir(home.path())
        .env("HOME", home.path())
        .env("JUPYTER_RUNTIME_DIR", home.path().join("run"))
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let link = format!("http://127.0.0.1:{port}/notebooks/d/n/?token=secret");
    let server = Server { process, link, _home: home };
    for _ in 0..1200 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Some(server);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("Jupyter did not start");
}

async fn play(
    server: &Server,
    document: &mut Document,
    session: &str,
    timeout: Option<u64>,
) -> (Result<(), RunError>, Vec<Event>) {
    let jupyter = Jupyter::from_link(&server.link).unwrap();
    let options = RunOptions { session: session.to_owned(), timeout: timeout.map(Duration::from_secs) };
    let mut events = Vec::new();
    let result = run(&jupyter, document, &options, &mut |event| events.push(event)).await;
    (result, events)
}

const NOTEBOOK: &str = r##"{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[
 {"cell_type":"markdown","id":"a","metadata":{},"source":"# title"},
 {"cell_type":"code","id":"b","metadata":{},"source":["x = 20\n","print('one')"],"outputs":[],"execution_count":null},
 {"cell_type":"code","id":"c","metadata":{},"source":"","outputs":[],"execution_count":null},
 {"cell_type":"code","id":"d","metadata":{},"source":"import sys; print('two', file=sys.stderr); x + 1","outputs":[],"execution_count":null}]}"##;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_run_in_a_real_kernel() {
    let Some(server) = server().await else { return };

    let mut notebook = Document::read("a.ipynb", NOTEBOOK).unwrap();
    let (result, events) = play(&server, &mut notebook, "first", Some(300)).await;
    result.unwrap();
    let stream = |error: bool, text: &str| Event::Stream { error, text: text.to_owned() };
    let wanted = [
        Event::Cell { number: 1, of: 3 },
        stream(false, "one\n"),
        Event::Cell { number: 3, of: 3 },
        stream(true, "two\n"),
        Event::Result("21".to_owned()),
    ];
    assert_eq!(events, wanted);
    let written: serde_json::Value = serde_json::from_str(&notebook.to_json()).unwrap();
    assert_eq!(written["cells"][1]["outputs"][0]["text"], "one\n");
    assert_eq!(written["cells"][3]["outputs"][1]["data"]["text/plain"], "21");
    assert_eq!(written["cells"][3]["execution_count"], 2);

    let mut failing = Document::read("b.py", "print(1)\nraise ValueError('bad')\n").unwrap();
    let (result, events) = play(&server, &mut failing, "second", Some(300)).await;
    assert!(
        matches!(&result, Err(RunError::Cell { number: 1, name, value }) if name == "ValueError" && value == "bad"),
        "{result:?}"
    );
    assert!(events.iter().any(|event| matches!(event, Event::Traceback(text) if text.contains("ValueError"))));
    assert!(failing.to_json().contains("\"output_type\": \"error\""));

    // The kernel was new: the first run's x is not there.
    let mut fresh = Document::read("c.py", "assert 'x' not in globals()").unwrap();
    play(&server, &mut fresh, "third", Some(300)).await.0.unwrap();

    let mut endless = Document::read("d.py", "while True: pass").unwrap();
    let (result, _) = play(&server, &mut endless, "fourth", Some(20)).await;
    assert!(matches!(result, Err(RunError::Timeout(_))), "{result:?}");

    let mut dying = Document::read("e.py", "import os; os._exit(1)").unwrap();
    let (result, _) = play(&server, &mut dying, "fifth", Some(300)).await;
    assert!(matches!(result, Err(RunError::KernelDied)), "{result:?}");

    let wrong = Jupyter::from_link(&server.link.replace("secret", "wrong")).unwrap();
    let options = RunOptions { session: "sixth".to_owned(), timeout: None };
    let result = run(&wrong, &mut fresh, &options, &mut |_| {}).await;
    assert!(matches!(result, Err(RunError::Refused { status: 403, .. })), "{result:?}");
}
