//! `up`: checks first, then images, then the keeper, then the notebook; each step said.

use crate::cli::Up;
use crate::error::Failure;
use crate::keeper::children::{Records, Role};
use crate::keeper::protocol::{Answer, Ask, Stage, Status, ask};
use crate::progress::{Step, note};
use crate::session;
use crate::yard::{FleetSettings, NotebookSettings, Settings, YardDir, ports};
use emberyard_model::{NamespaceName, ObjectName};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A start takes seconds; a machine that swaps may need more.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the verb.
pub async fn run(dir: &YardDir, arguments: &Up) -> Result<(), Failure> {
    let status = bring_up(dir, arguments).await?;
    let link = match &Settings::load(dir)?.and_then(|settings| settings.notebook) {
        Some(notebook) => Some(session::open(dir, notebook).await?),
        None => None,
    };
    report(dir, &status, link.as_deref(), arguments)?;
    if !arguments.detach {
        note("Ctrl-C stops the yard.");
        let _ = tokio::signal::ctrl_c().await;
        crate::verb::down::stop(dir)?;
    }
    Ok(())
}

/// Everything but the notebook. Running it twice is safe.
pub async fn bring_up(dir: &YardDir, arguments: &Up) -> Result<Status, Failure> {
    if let Some(status) = running(dir) {
        note("the yard runs already");
        return Ok(status);
    }
    crate::verb::doctor::preflight(dir)?;
    let settings = settle(dir, arguments)?;
    if settings.notebook.is_some() {
        crate::verb::image::ensure(dir, &settings).await?;
    }
    start_keeper(dir)?;
    wait_for_keeper(dir).await
}

/// The status of a keeper that answers.
pub fn running(dir: &YardDir) -> Option<Status> {
    match ask(&dir.keeper_socket(), &Ask::Status, Duration::from_secs(5)) {
        Ok(Answer::Status(status)) if status.stage == Stage::Running => Some(status),
        _ => None,
    }
}

/// Merges what was typed into the kept settings; checks all of it before anything is written.
fn settle(dir: &YardDir, arguments: &Up) -> Result<Settings, Failure> {
    dir.create().map_err(|source| Failure::Folder { path: dir.path().to_path_buf(), source })?;
    let mut settings = match Settings::load(dir)? {
        Some(settings) => settings,
        None => {
            let id = format!("{:08x}", crate::machine::random() as u32);
            Settings::new(id, ports::choose(6443)?, ports::choose(8800)?)
        }
    };
    if let Some(port) = arguments.port {
        settings.gateway_port = port;
    }
    for (port, role) in [(settings.api_port, Role::Api), (settings.gateway_port, Role::Operator)] {
        // A child of a keeper that was killed still listens: the new keeper takes it over.
        if Records::new(&dir.run()).adopt(&role).is_none() {
            drop(ports::listen(port)?);
        }
    }
    let mut fleet: FleetSettings = match &arguments.fleet {
        Some(file) => FleetSettings::read(file)?,
        None => settings.fleet.clone(),
    };
    if let Some(nodes) = &arguments.nodes {
        fleet = fleet.with_nodes(nodes)?;
    }
    if let Some(shape) = &arguments.node_shape {
        fleet = fleet.with_shape(shape)?;
    }
    settings.fleet = fleet;
    settings.notebook = match arguments.notebook.as_str() {
        "none" => None,
        name => Some(NotebookSettings {
            name: ObjectName::new(name).map_err(|error| Failure::Usage(error.to_string()))?,
            namespace: NamespaceName::new("default").map_err(|error| Failure::Usage(error.to_string()))?,
            folder: folder(arguments.folder.as_deref())?,
        }),
    };
    for mount in &arguments.mount {
        let (host, inside) = mount
            .split_once(':')
            .filter(|(host, inside)| Path::new(host).is_absolute() && Path::new(inside).is_absolute())
            .ok_or_else(|| Failure::Usage(format!("--mount {mount}: write HOST:PATH, both absolute")))?;
        settings.mounts.insert(PathBuf::from(inside), PathBuf::from(host));
    }
    if let Some(notebook) = &settings.notebook {
        settings.mounts.insert(notebook.folder.clone(), notebook.folder.clone());
    }
    if let Some(images) = &arguments.images {
        settings.images = Some(std::path::absolute(images)?);
    }
    settings.allow_host.extend(&arguments.allow_host);
    settings.allow_host.sort_unstable();
    settings.allow_host.dedup();
    settings.save(dir)?;
    Ok(settings)
}

/// The folder JupyterLab opens on. From the home folder itself, `/` or a system folder it is a folder `emberyard`
/// below home, so that no pod sees keys and credentials.
fn folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let path = given.map_or_else(std::env::current_dir, std::path::absolute)?;
    let path = std::fs::canonicalize(&path).map_err(|source| Failure::Folder { path, source })?;
    let home = crate::yard::folder::home()?;
    let home = std::fs::canonicalize(&home).unwrap_or(home);
    if path != home && path != Path::new("/") && !home.starts_with(&path) {
        return Ok(path);
    }
    let below = home.join("emberyard");
    std::fs::create_dir_all(&below).map_err(|source| Failure::Folder { path: below.clone(), source })?;
    note(&format!("{} holds more than notebooks should see: JupyterLab opens on {}", path.display(), below.display()));
    Ok(below)
}

fn start_keeper(dir: &YardDir) -> Result<(), Failure> {
    let path = dir.log().join("keeper.log");
    let open = || std::fs::OpenOptions::new().create(true).append(true).open(&path);
    let folder_error = |source| Failure::Folder { path: path.clone(), source };
    let (out, err) = (open().map_err(folder_error)?, open().map_err(folder_error)?);
    // Locks and pipes of whoever called `up` are not the yard's to hold for as long as it lives.
    emberyard_sandbox::close_others_on_exec()?;
    let program = std::env::current_exe()?;
    Command::new(program)
        .arg("--dir")
        .arg(dir.path())
        .arg("keeper")
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .current_dir("/")
        .spawn()
        .map(drop)
        .map_err(Failure::Output)
}

/// Shows each step of the keeper's start until it runs or has failed.
async fn wait_for_keeper(dir: &YardDir) -> Result<Status, Failure> {
    let mut step = Step::begin("starting the yard");
    let start = Instant::now();
    let failed = |why: String| Failure::Start { why, log: dir.log().join("keeper.log") };
    while start.elapsed() < PATIENCE {
        if let Ok(Answer::Status(status)) = ask(&dir.keeper_socket(), &Ask::Status, Duration::from_secs(5)) {
            match &status.stage {
                Stage::Running => {
                    step.done(&format!("yard up: {} nodes, mode {}", status.nodes.len(), status.mode));
                    return Ok(status);
                }
                Stage::Starting { step: now } => step.update(&format!("starting the yard: {now}")),
                Stage::Failed { why } => return Err(failed(why.clone())),
                Stage::Stopping => {}
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(failed(format!("it is not up after {} s", PATIENCE.as_secs())))
}

fn report(dir: &YardDir, status: &Status, link: Option<&str>, arguments: &Up) -> Result<(), Failure> {
    if let Some(link) = link {
        crate::output::line(link)?;
        let desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
        if desktop && !arguments.no_browser && !arguments.detach {
            // A machine without a browser opener still has the link above.
            let _ = Command::new("xdg-open")
                .arg(link)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
        }
    }
    note(&format!(
        "kubectl: KUBECONFIG={}   (API at https://127.0.0.1:{})",
        dir.kubeconfig().display(),
        status.api_port
    ));
    Ok(())
}
