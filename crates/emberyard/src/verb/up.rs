//! `up`: checks first, then images, then the keeper, then the notebook; each step said.

use crate::cli::Up;
use crate::error::Failure;
use crate::keeper::children::{Records, Role};
use crate::keeper::protocol::{Answer, Ask, Stage, Status, ask};
use crate::progress::{Step, note};
use crate::session;
use crate::yard::versions::{self, PROGRAM};
use crate::yard::{FleetSettings, NotebookSettings, Settings, YardDir, outside, ports};
use emberyard_manifest::{Identity, SessionSettings, Sizes, validate};
use emberyard_model::{Bytes, Folder, NamespaceName, NotebookSpec, ObjectName, Quantity};
use emberyard_node::net::yard::Outbound;
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
    let overview = session::overview_link(&crate::api::admin(dir).await?, status.gateway_port).await?;
    report(dir, &status, link.as_deref(), overview.as_deref(), arguments)?;
    if !arguments.detach {
        note("Ctrl-C stops the yard.");
        let _ = tokio::signal::ctrl_c().await;
        crate::verb::down::stop(dir)?;
    }
    Ok(())
}

/// Everything but the notebook. Running it twice is safe.
pub async fn bring_up(dir: &YardDir, arguments: &Up) -> Result<Status, Failure> {
    versions::check(dir)?;
    let settings = wanted(dir, arguments)?;
    if let Some(status) = running(dir) {
        if status.version == PROGRAM {
            note("the yard runs already; new settings count after `emberyard down`");
            return Ok(status);
        }
        take_over(dir, &status)?;
    }
    see_out(dir);
    settle(dir, settings, arguments).await?;
    start_keeper(dir)?;
    wait_for_keeper(dir).await
}

/// What comes before the first process: checks, settings, images. Running it twice is safe.
pub async fn prepare(dir: &YardDir, arguments: &Up) -> Result<(), Failure> {
    settle(dir, wanted(dir, arguments)?, arguments).await
}

async fn settle(dir: &YardDir, mut settings: Settings, arguments: &Up) -> Result<(), Failure> {
    let first = !dir.settings().exists();
    ports_are_free(dir, &settings)?;
    crate::verb::doctor::preflight(dir, &settings.images(dir))?;
    if settings.notebook.is_some() {
        crate::verb::image::preflight_session(dir, &settings).await?;
    }
    if let Some(text) = settings.gave_way() {
        note(&text);
    }
    write(dir, &settings)?;
    if settings.notebook.is_some() {
        crate::verb::image::ensure(dir, &settings).await?;
    }
    if first {
        // Images can take minutes; nobody knows the ports yet, so one that was taken meanwhile is not missed.
        settings.api_port = arguments.api_port.map_or_else(|| ports::choose(settings.api_port), Ok)?;
        settings.gateway_port = arguments.port.map_or_else(|| ports::choose(settings.gateway_port), Ok)?;
        settings.save(dir)?;
    }
    Ok(())
}

/// The status of a keeper that answers.
pub fn running(dir: &YardDir) -> Option<Status> {
    match ask(&dir.keeper_socket(), &Ask::Status, Duration::from_secs(5)) {
        Ok(Answer::Status(status)) if status.stage == Stage::Running => Some(status),
        _ => None,
    }
}

/// Waits for a keeper that is on its way down, by `down` or because its yard was killed.
fn see_out(dir: &YardDir) {
    let asked = ask(&dir.keeper_socket(), &Ask::Status, Duration::from_secs(5));
    if matches!(asked, Ok(Answer::Status(status)) if status.stage == Stage::Stopping) {
        note("the yard is on its way down: it is started again as soon as it is");
        crate::keeper::wait_until_free(dir, PATIENCE);
    }
}

/// Ends the keeper of another version. It holds nothing that a new one does not find again: pods go on, and the new keeper
/// replaces control plane, operator and agents by its own.
fn take_over(dir: &YardDir, status: &Status) -> Result<(), Failure> {
    let theirs = if status.version.is_empty() { "an earlier version" } else { &status.version };
    note(&format!("the yard runs under emberyard {theirs}: {PROGRAM} takes over, pods go on"));
    let wrong = |error: emberyard_sandbox::SandboxError| Failure::Machine(error.to_string());
    let pid = i32::try_from(status.keeper_pid).map_err(|error| Failure::Keeper(error.to_string()))?;
    emberyard_sandbox::ProcessId::of(pid).and_then(|keeper| keeper.kill()).map_err(wrong)?;
    crate::keeper::wait_until_free(dir, Duration::from_secs(10));
    Ok(())
}

/// Merges what was typed into the kept settings, and checks all of it. Changes nothing.
fn wanted(dir: &YardDir, arguments: &Up) -> Result<Settings, Failure> {
    let mut settings = match Settings::load(dir)? {
        Some(settings) => settings,
        None => {
            let id = format!("{:08x}", crate::machine::random() as u32);
            let new = Settings::new(id, ports::choose(6443)?, ports::choose(8800)?);
            Settings { owner: crate::machine::user(), ..new }
        }
    };
    settings.api_port = arguments.api_port.unwrap_or(settings.api_port);
    settings.gateway_port = arguments.port.unwrap_or(settings.gateway_port);
    if settings.api_port == settings.gateway_port {
        return Err(Failure::Usage(format!("port {} can't be both --port and --api-port", settings.api_port)));
    }
    if let Some(file) = &arguments.fleet {
        settings.fleet = FleetSettings::read(file)?;
    }
    if let Some(nodes) = &arguments.nodes {
        settings.fleet = settings.fleet.with_nodes(nodes)?;
    }
    if let Some(shape) = &arguments.node_shape {
        settings.fleet = settings.fleet.with_shape(shape)?;
    }
    // What a yard that lives on uses is not missing: its sizes stay.
    if Records::new(&dir.run()).adopt(&Role::Api).is_none() {
        settings.sizes = Sizes::of(Bytes(crate::machine::available_memory()));
    }
    settings.notebook = match arguments.notebook.as_str() {
        "none" => None,
        name => Some(notebook(name, arguments.folder.as_deref())?),
    };
    for mount in &arguments.mount {
        let (host, inside) = mount
            .split_once(':')
            .filter(|(host, inside)| Path::new(host).is_absolute() && Path::new(inside).is_absolute())
            .ok_or_else(|| Failure::Usage(format!("--mount {mount}: write HOST:PATH, both absolute")))?;
        std::fs::metadata(host).map_err(|source| Failure::Folder { path: host.into(), source })?;
        settings.mounts.insert(PathBuf::from(inside), PathBuf::from(host));
    }
    if let Some(notebook) = &settings.notebook {
        settings.mounts.insert(notebook.folder.clone(), notebook.folder.clone());
    }
    if let Some(images) = &arguments.images {
        settings.images = Some(std::path::absolute(images)?);
    }
    if let Some(text) = &arguments.journal_limit {
        let limit = Quantity::parse(text).ok().filter(|limit| limit.units() > 0);
        let wrong = || Failure::Usage(format!("--journal-limit {text}: write a size, for example 64Mi"));
        settings.journal_limit = Some(limit.ok_or_else(wrong)?);
    }
    settings.allow_host.extend(&arguments.allow_host);
    settings.allow_host.sort_unstable();
    settings.allow_host.dedup();
    settings.outbound_by_proxy = arguments.outbound_by_proxy.unwrap_or(settings.outbound_by_proxy);
    Ok(settings)
}

/// The notebook to open, as the operator will want it.
fn notebook(name: &str, folder: Option<&Path>) -> Result<NotebookSettings, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Usage(format!("--notebook {name}: {error}"));
    let notebook = NotebookSettings {
        name: ObjectName::new(name).map_err(|error| wrong(&error))?,
        namespace: NamespaceName::new("default").map_err(|error| wrong(&error))?,
        folder: self::folder(folder)?,
    };
    let identity = Identity { namespace: notebook.namespace.to_string(), name: name.to_owned(), uid: String::new() };
    let folder = Folder { path: notebook.folder.display().to_string() };
    let spec = NotebookSpec { folder: Some(folder), ..NotebookSpec::default() };
    validate(identity, spec, &SessionSettings::new("http://127.0.0.1"))
        .map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(notebook)
}

/// Nobody else may listen where this yard will.
fn ports_are_free(dir: &YardDir, settings: &Settings) -> Result<(), Failure> {
    for (port, role) in [(settings.api_port, Role::Api), (settings.gateway_port, Role::Operator)] {
        // A child of a keeper that was killed still listens: the new keeper takes it over.
        if Records::new(&dir.run()).adopt(&role).is_none() {
            drop(ports::listen(port)?);
        }
    }
    Ok(())
}

/// The first change: the yard's folder with its settings, and the folder that notebooks open on.
fn write(dir: &YardDir, settings: &Settings) -> Result<(), Failure> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Failure::Folder { path, source }
    };
    dir.create().map_err(failed(dir.path()))?;
    if let Some(NotebookSettings { folder, .. }) = &settings.notebook {
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
    }
    settings.save(dir)?;
    outside::write(dir)
}

/// The folder JupyterLab opens on. From the home folder itself, `/` or a system folder it is a folder `emberyard`
/// below home, so that no pod sees keys and credentials.
fn folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let path = given.map_or_else(std::env::current_dir, std::path::absolute)?;
    let failed = |source| Failure::Folder { path: path.clone(), source };
    let found = std::fs::canonicalize(&path).map_err(failed)?;
    // What this user can't list, the notebook can't either.
    std::fs::read_dir(&found).map_err(failed)?;
    let home = crate::yard::folder::home()?;
    let home = std::fs::canonicalize(&home).unwrap_or(home);
    if found != home && found != Path::new("/") && !home.starts_with(&found) {
        return Ok(found);
    }
    let below = home.join("emberyard");
    note(&format!("{} holds more than notebooks should see: JupyterLab opens on {}", found.display(), below.display()));
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
    // What this process was given unasked (a lock, a pipe that somebody waits on) must not live as long as the yard.
    emberyard_sandbox::close_others_on_exec()?;
    Command::new(program)
        .arg("--dir")
        .arg(dir.path())
        .arg("keeper")
        // Whoever looks for what a yard left behind finds its keeper by this.
        .env(emberyard_sandbox::YARD_MARK, dir.path())
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
                    note(&format!("pods reach the outside {}", way(status.outbound.as_ref())));
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

/// How pods reach the outside, in words.
fn way(outbound: Option<&Outbound>) -> String {
    match outbound {
        Some(Outbound::Door { reason }) => format!(
            "through an HTTP proxy in their environment (HTTPS_PROXY; pip, apt, curl and Python know it, Java does not; \
             {reason})"
        ),
        Some(Outbound::Redirected) | None => "directly (nf_tables redirects what they send)".to_owned(),
    }
}

fn report(
    dir: &YardDir,
    status: &Status,
    link: Option<&str>,
    overview: Option<&str>,
    arguments: &Up,
) -> Result<(), Failure> {
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
    // Only who came by SSH has the user's name asked for, which starts a program.
    if let Ok(connection) = std::env::var("SSH_CONNECTION")
        && let user = crate::machine::user().unwrap_or_else(|| "USER".to_owned())
        && let Some(way) = crate::remote::tunnel(&connection, &user, status.gateway_port)
    {
        note(&format!("the link opens where you sit while this runs there: {way}"));
    }
    if let Some(overview) = overview {
        note(&format!("overview: {overview}"));
    }
    note(&format!(
        "kubectl: KUBECONFIG={}   (API at https://127.0.0.1:{})",
        dir.kubeconfig().display(),
        status.api_port
    ));
    Ok(())
}
