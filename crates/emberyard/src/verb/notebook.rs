//! `notebook`: create, list, url, stop, delete, run.

use crate::api::{admin, api};
use crate::cli::{Form, NotebookRun, NotebookTarget, NotebookVerb, Output};
use crate::error::Failure;
use crate::output::{self, Listing};
use crate::session;
use crate::yard::{Settings, YardDir};
use emberyard_client::ContentKind;
use emberyard_front::kernel::{Document, Event, Jupyter, RunError, RunOptions};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// Runs the verb.
pub async fn run(dir: &YardDir, verb: &NotebookVerb, output: &Output) -> Result<(), Failure> {
    let client = admin(dir).await?;
    let path = |target: &NotebookTarget| session::path(target.namespace.as_str(), target.name.as_str());
    match verb {
        NotebookVerb::Create(target) => {
            let folder =
                Settings::load(dir)?.and_then(|settings| settings.notebook).map(|own| own.folder.display().to_string());
            session::ensure(&client, target.namespace.as_str(), target.name.as_str(), folder.as_deref()).await?;
            let link = session::wait(&client, target.namespace.as_str(), target.name.as_str()).await?;
            Ok(output::line(&link)?)
        }
        NotebookVerb::List => list(&client, output.form()).await,
        NotebookVerb::Url(target) => {
            let object = client.get(&path(target), &[]).await.map_err(api)?;
            let link = session::link(&client, &object).await?;
            let none = || Failure::Notebook { name: target.name.to_string(), why: "it does not run".to_owned() };
            Ok(output::line(&link.ok_or_else(none)?)?)
        }
        NotebookVerb::Stop(target) => {
            let stopped = json!({ "spec": { "stopped": true } });
            client.patch(&path(target), &stopped, ContentKind::MergePatch).await.map(drop).map_err(api)
        }
        NotebookVerb::Delete(target) => client.delete(&path(target)).await.map_err(api),
        NotebookVerb::Run(arguments) => run_file(&client, arguments, output).await,
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Notebooks {
    items: Vec<Notebook>,
}

#[derive(Debug, Serialize)]
struct Notebook {
    namespace: String,
    name: String,
    phase: String,
    url: String,
}

impl Listing for Notebooks {
    fn columns(&self) -> (&'static [&'static str], usize) {
        (&["NAMESPACE", "NAME", "PHASE", "URL"], 4)
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row =
            |book: &Notebook| vec![book.namespace.clone(), book.name.clone(), book.phase.clone(), book.url.clone()];
        self.items.iter().map(row).collect()
    }
}

async fn list(client: &emberyard_client::Client, form: Form) -> Result<(), Failure> {
    let (objects, _) = client.list("/apis/emberyard.dev/v1alpha1/notebooks", &[]).await.map_err(api)?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
    let items = objects.iter().map(|object| Notebook {
        namespace: text(&object["metadata"]["namespace"]),
        name: text(&object["metadata"]["name"]),
        phase: text(&object["status"]["phase"]),
        url: text(&object["status"]["url"]),
    });
    Ok(output::listing(form, &Notebooks { items: items.collect() })?)
}

/// Runs a file in a kernel of the notebook, as the user would. The outputs so far are written also when a cell fails.
async fn run_file(client: &emberyard_client::Client, arguments: &NotebookRun, output: &Output) -> Result<(), Failure> {
    let name = arguments.target.name.to_string();
    let failed = |error: RunError| Failure::Notebook { name: name.clone(), why: error.to_string() };
    let text = std::fs::read_to_string(&arguments.file)
        .map_err(|source| Failure::Folder { path: arguments.file.clone(), source })?;
    let mut document = Document::read(&arguments.file.display().to_string(), &text).map_err(failed)?;
    let object = client.get(&session::path(arguments.target.namespace.as_str(), &name), &[]).await.map_err(api)?;
    let link = session::link(client, &object).await?;
    let link = link.ok_or_else(|| Failure::Notebook { name: name.clone(), why: "it does not run".to_owned() })?;
    let jupyter = Jupyter::from_link(&link).map_err(failed)?;
    let options = RunOptions {
        session: format!("run-{:016x}", crate::machine::random()),
        timeout: Some(Duration::from_secs(arguments.timeout)),
    };
    let run = emberyard_front::kernel::run(&jupyter, &mut document, &options, &mut show).await;
    if let Output::File(path) = output {
        std::fs::write(path, document.to_json()).map_err(|source| Failure::Folder { path: path.clone(), source })?;
    }
    run.map_err(failed)
}

/// A reader that went away does not end the run: the cells' work may matter more than their output.
fn show(event: Event) {
    match event {
        Event::Cell { .. } => {}
        Event::Stream { error: true, text } => eprint!("{text}"),
        Event::Traceback(text) => eprintln!("{text}"),
        Event::Stream { error: false, text } => drop(output::raw(&text)),
        Event::Result(text) | Event::Show(text) => drop(output::line(&text)),
    }
}
