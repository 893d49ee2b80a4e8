//! The binary: command line, configuration, wiring, shutdown. The only place for the real clock, entropy and
//! environment. Linux only, like what it runs on; `main.rs` says so elsewhere.

#![cfg(target_os = "linux")]

mod api;
mod chaos;
mod cli;
mod demo;
mod error;
mod keeper;
mod launcher;
mod machine;
mod output;
mod progress;
mod remote;
mod session;
mod verb;
mod yard;

use clap::CommandFactory;
use cli::{Cli, Verb};
use emberyard_model::Explained;
use error::Failure;
use std::process::ExitCode;
use yard::YardDir;

/// The whole program.
pub fn main() -> ExitCode {
    // Sandbox roles run in freshly executed, single-threaded processes: before anything else.
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if let Some(code) = emberyard_sandbox::dispatch(&arguments) {
        return code;
    }
    let cli = Cli::typed();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("emberyard: {}", failure.explain());
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let dir = YardDir::locate(cli.common.dir.as_deref())?;
    let form = cli.common.output.form();
    match cli.verb {
        Verb::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "emberyard", &mut std::io::stdout());
            Ok(())
        }
        Verb::Man { folder } => verb::man::run(Cli::command(), folder.as_deref()),
        Verb::Uninstall(arguments) => verb::uninstall::run(&dir, &arguments, form),
        Verb::Kubeconfig(arguments) => verb::kubeconfig::run(&dir, &arguments),
        Verb::Doctor => verb::doctor::run(&dir, form),
        Verb::Down(arguments) => verb::down::run(&dir, &arguments),
        Verb::Repair(arguments) => verb::repair::run(&dir, &arguments, form),
        Verb::ErrorPages { file } => verb::errors::run(&file),
        Verb::Keeper => runtime(2)?.block_on(verb::keeper::run(dir)),
        Verb::Api => runtime(2)?.block_on(verb::api::run(dir)),
        Verb::Operator => runtime(1)?.block_on(verb::operator::run(dir)),
        Verb::NodeAgent { name } => runtime(1)?.block_on(verb::node_agent::run(dir, name)),
        Verb::YardNet(step) => runtime(1)?.block_on(verb::yard_net::run(&dir, &step)),
        Verb::Up(arguments) => runtime(1)?.block_on(verb::up::run(&dir, &arguments)),
        Verb::Status => runtime(1)?.block_on(verb::status::run(&dir, form)),
        Verb::Demo(arguments) => runtime(1)?.block_on(verb::demo::run(&dir, &arguments, form)),
        Verb::Chaos(arguments) => runtime(1)?.block_on(verb::chaos::run(&dir, &arguments, form)),
        Verb::Notebook(verb) => runtime(1)?.block_on(verb::notebook::run(&dir, &verb, &cli.common.output)),
        Verb::Hdfs(verb) => runtime(1)?.block_on(verb::hdfs::run(&dir, &verb, form)),
        Verb::Image(verb) => runtime(1)?.block_on(verb::image::run(&dir, &verb, form)),
        Verb::Node(verb) => runtime(1)?.block_on(verb::node::run(&dir, &verb, form)),
        Verb::Explain => runtime(1)?.block_on(verb::explain::run(&dir, form)),
    }
}

/// A runtime with few threads: each costs memory, and our processes mostly wait.
fn runtime(workers: usize) -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build().map_err(Failure::Output)
}
