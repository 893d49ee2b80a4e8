//! What users install: the program as one static file, and a wheel around it.
//!
//! Static with musl, so that one file runs on every Linux of its architecture, whatever its C library.

use crate::tools;
use crate::wheel::{Python, wheel};
use std::path::{Path, PathBuf};
use std::process::Command;

const ARCHITECTURES: [&str; 2] = ["x86_64", "aarch64"];

/// Builds for this machine's architecture, and for others whose Rust target and C compiler are there; says what is left out.
pub fn run() -> Result<(), String> {
    let folder = crate::root().join(tools::target()).join("dist");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for architecture in ARCHITECTURES {
        let own = architecture == std::env::consts::ARCH;
        match ready(architecture) {
            Ok(()) => make(architecture, &folder)?,
            Err(missing) if own => return Err(missing),
            Err(missing) => eprintln!("   {architecture} is left out: {missing}"),
        }
    }
    Ok(())
}

/// Builds for one architecture into the folder.
fn make(architecture: &str, folder: &Path) -> Result<(), String> {
    let target = target(architecture);
    eprintln!("== {target}");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--release", "--locked", "--package", "emberyard", "--bin", "emberyard", "--target", &target])
        .current_dir(crate::root());
    // The C in `ring` takes nothing from a C library: the machine's compiler will do.
    let (name, compiler) = compiler(architecture);
    build.env(name, compiler);
    if architecture != std::env::consts::ARCH {
        build.env(format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_")), "rust-lld");
    }
    tools::run(&mut build)?;
    let built = crate::root().join(tools::target()).join(&target).join("release/emberyard");
    let program = folder.join(format!("emberyard-{}-{architecture}-linux", env!("CARGO_PKG_VERSION")));
    std::fs::copy(&built, &program).map_err(|error| format!("{}: {error}", program.display()))?;
    told(&program)?;
    if architecture != std::env::consts::ARCH {
        eprintln!(
            "   no wheel for {architecture}: its manual pages are written by the program, which does not run here"
        );
        return Ok(());
    }
    // What static programs may call themselves: they ask for no C library at all.
    let python =
        Python(format!("manylinux_2_17_{architecture}.manylinux2014_{architecture}.musllinux_1_1_{architecture}"));
    told(&wheel(&program, &python, folder)?)
}

/// A wheel around a program of this machine, which may need its C library.
pub fn local(program: &str, folder: &str) -> Result<(), String> {
    let python = Python(format!("linux_{}", std::env::consts::ARCH));
    told(&wheel(Path::new(program), &python, Path::new(folder))?)
}

/// Says where a file is and how large.
fn told(file: &Path) -> Result<(), String> {
    let length = std::fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?.len();
    eprintln!("   {} ({:.1} MiB)", file.display(), length as f64 / f64::from(1 << 20));
    Ok(())
}

fn target(architecture: &str) -> String {
    format!("{architecture}-unknown-linux-musl")
}

/// Whether it can be built for, or what is missing and how it comes.
fn ready(architecture: &str) -> Result<(), String> {
    let target = target(architecture);
    if !sysroot()?.join("lib/rustlib").join(&target).exists() {
        return Err(format!("`rustup target add {target}` brings what it needs of Rust"));
    }
    let (name, compiler) = compiler(architecture);
    match Command::new(&compiler).arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(format!("there is no C compiler {compiler:?}: install it, or name another in {name}")),
    }
}

/// The variable that names a C compiler to the `cc` crate, and the compiler.
fn compiler(architecture: &str) -> (String, String) {
    let name = format!("CC_{}", target(architecture).replace('-', "_"));
    let usual =
        if architecture == std::env::consts::ARCH { "cc".to_owned() } else { format!("{architecture}-linux-gnu-gcc") };
    let compiler = std::env::var(&name).unwrap_or(usual);
    (name, compiler)
}

fn sysroot() -> Result<PathBuf, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "sysroot"]).current_dir(crate::root()).output();
    let output = output.map_err(|error| format!("rustc: {error}"))?;
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}
