//! The Python environment itself: made and filled by uv, which runs inside the image in the making.

use crate::error::ImageError;
use crate::inside::{Inside, MOUNTED, Shown};
use crate::net::{Downloads, FetchError, without_credentials};
use crate::progress::Progress;
use crate::python::lock::{Locked, from_pylock, line, requirements};
use crate::python::settings::Indexes;
use crate::python::{ENVIRONMENT, index};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The packager, one line for each architecture.
const UV: &str = include_str!("../../recipes/uv.lock");

/// What building packages from source may need; locked beside the packages themselves.
pub const BUILD_TOOLS: [&str; 2] = ["setuptools", "wheel"];

/// Makes environments.
pub struct Python<'a> {
    /// The image in the making.
    pub inside: &'a Inside,
    /// Downloaded files.
    pub downloads: &'a Downloads,
    /// The user's indexes.
    pub indexes: &'a Indexes,
    /// Folder for the packager and its cache.
    pub cache: &'a Path,
    /// The recipe's name, for errors.
    pub recipe: &'a str,
}

impl Python<'_> {
    /// Finds versions that go together for `wanted`, staying with the versions of `base` where those are in it already.
    pub fn lock(
        &self,
        wanted: &[String],
        base: &[Locked],
        progress: &mut dyn Progress,
    ) -> Result<Vec<Locked>, ImageError> {
        let mut files = match self.compile(wanted, base, false, progress) {
            Err(ImageError::Unsolvable { .. }) if !base.is_empty() => {
                progress.note("these packages need other versions than the image below has; choosing all of them anew");
                self.compile(wanted, &[], false, progress)?
            }
            chosen => chosen?,
        };
        if files.iter().any(|file| Path::new(&file.url).extension().is_none_or(|kind| kind != "whl")) {
            let tools: Vec<String> = BUILD_TOOLS.iter().map(|&tool| tool.to_owned()).collect();
            files.extend(self.compile(&tools, &[], true, progress)?);
        }
        Ok(files)
    }

    fn compile(
        &self,
        wanted: &[String],
        base: &[Locked],
        build: bool,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Locked>, ImageError> {
        let uv = self.uv(progress)?;
        let work = self.work("lock")?;
        let write = |name: &str, text: String| {
            let path = work.join(name);
            fs::write(&path, text).map_err(ImageError::io("write", &path))
        };
        write("wanted.txt", wanted.join("\n") + "\n")?;
        // A package asked without a version stays as it is below.
        let versioned = wanted.iter().filter(|package| index::name(package) != package.as_str());
        let named: Vec<String> = versioned.map(|package| index::normalised(index::name(package))).collect();
        let pinned = base.iter().filter(|file| !file.build && !named.contains(&file.name));
        let pins: Vec<String> = pinned.map(|file| format!("{}=={}", file.name, file.version)).collect();
        write("pins.txt", pins.join("\n"))?;
        let uv_path = format!("{MOUNTED}/uv/uv");
        let paths = [
            format!("{MOUNTED}/work/wanted.txt"),
            format!("{MOUNTED}/work/pins.txt"),
            format!("{MOUNTED}/work/pylock.toml"),
        ];
        let argv = [
            &uv_path,
            "pip",
            "compile",
            "--quiet",
            "--no-header",
            "--no-annotate",
            "--format",
            "pylock.toml",
            "--python",
            "/usr/bin/python3",
            &paths[0],
            "--constraints",
            &paths[1],
            "--output-file",
            &paths[2],
        ];
        let mut env = environment();
        env.push(("UV_DEFAULT_INDEX".to_owned(), self.indexes.default.clone()));
        env.push(("UV_INDEX".to_owned(), self.indexes.extra.join(" ")));
        let mut said = String::new();
        let ended = self.inside.run("choosing Python packages", &argv, &env, &shown(&uv, &work), &mut |text| {
            said.push_str(text);
            said.push('\n');
        });
        if let Err(error @ ImageError::Step { .. }) = ended {
            return Err(self.why_not(wanted, &said).unwrap_or(error));
        }
        let path = work.join("pylock.toml");
        let text = fs::read_to_string(&path).map_err(ImageError::io("read", &path))?;
        let _ = fs::remove_dir_all(&work);
        from_pylock(&text, build).map_err(|why| ImageError::Unsolvable {
            recipe: self.recipe.to_owned(),
            registry: "PyPI".to_owned(),
            why,
        })
    }

    /// The package index's own words for what the recipe got wrong.
    fn why_not(&self, wanted: &[String], said: &str) -> Option<ImageError> {
        let registry = format!("PyPI ({})", without_credentials(&self.indexes.default));
        let missing = |package: &String| {
            let name = index::name(package);
            let absent = format!("{} was not found in the package registry", index::normalised(name));
            let version = format!("there is no version of {}", index::normalised(name));
            let text = said.split_whitespace().collect::<Vec<_>>().join(" ").replace("× ", "").replace("╰─▶ ", "");
            [absent, version].iter().find_map(|words| {
                let start = text.find(words.as_str())?;
                let words = text[start..].split(" and you require").next().unwrap_or_default();
                Some(words.split(',').next().unwrap_or_default().trim().to_owned())
            })
        };
        let found = wanted.iter().find_map(|package| Some((package, missing(package)?)));
        if let Some((package, why)) = found {
            let package = package.clone();
            return Some(ImageError::NoSuchPackage { recipe: self.recipe.to_owned(), package, registry, why });
        }
        let why = said.trim().to_owned();
        said.contains("No solution found").then(|| ImageError::Unsolvable {
            recipe: self.recipe.to_owned(),
            registry,
            why,
        })
    }

    /// Downloads the files: from the user's own index where there is one, else from where they were locked.
    pub fn fetch(&self, files: &[Locked], progress: &mut dyn Progress) -> Result<(), ImageError> {
        let mut wanted = Vec::new();
        for file in files {
            let mut urls = vec![file.url.clone()];
            if !self.indexes.public() && !self.downloads.path(&file.sha256).is_file() {
                urls.splice(0..0, self.addresses(file));
            }
            wanted.push(file.wanted(urls));
        }
        for (file, answer) in files.iter().zip(self.downloads.fetch(&wanted, progress)) {
            answer.map_err(|error| match error {
                FetchError::Gone { url } => ImageError::NoSuchPackage {
                    recipe: self.recipe.to_owned(),
                    package: format!("{}=={}", file.name, file.version),
                    registry: "PyPI".to_owned(),
                    why: format!("{url} is gone"),
                },
                other => other.into(),
            })?;
        }
        Ok(())
    }

    /// The file's addresses in the user's own indexes.
    fn addresses(&self, file: &Locked) -> Vec<String> {
        let name = file.file();
        let bases = self.indexes.extra.iter().chain([&self.indexes.default]);
        let pages = bases.filter_map(|base| index::files(self.downloads.http(), base, &file.name).ok());
        pages.flatten().filter(|listed| listed.name == name).map(|listed| listed.url).collect()
    }

    /// Makes the environment where there is none, and installs the files into it, without network.
    pub fn install(&self, files: &[Locked], progress: &mut dyn Progress) -> Result<(), ImageError> {
        let uv = self.uv(progress)?;
        let work = self.work("install")?;
        for file in files {
            let (from, to) = (self.downloads.path(&file.sha256), work.join(file.file()));
            fs::hard_link(&from, &to).map_err(ImageError::io("link", &to))?;
        }
        for (name, build) in [("run.txt", false), ("build.txt", true)] {
            let path = work.join(name);
            let text = requirements(files.iter().filter(|file| file.build == build));
            fs::write(&path, text).map_err(ImageError::io("write", &path))?;
        }
        let uv_path = format!("{MOUNTED}/uv/uv");
        let shown = shown(&uv, &work);
        if self.inside.find(&format!("{ENVIRONMENT}/pyvenv.cfg")).is_none() {
            // The system's packages stay visible so that pip can fall back to the user's own folder where this one is read-only.
            let argv =
                [&uv_path, "venv", "--quiet", "--python", "/usr/bin/python3", "--system-site-packages", ENVIRONMENT];
            self.inside.run("making the Python environment", &argv, &environment(), &shown, &mut |_| {})?;
        }
        let python = format!("{ENVIRONMENT}/bin/python");
        let (links, run, build) =
            (format!("{MOUNTED}/work"), format!("{MOUNTED}/work/run.txt"), format!("{MOUNTED}/work/build.txt"));
        let argv = [
            &uv_path,
            "pip",
            "install",
            "--python",
            &python,
            "--offline",
            "--no-deps",
            "--no-index",
            "--find-links",
            &links,
            "--require-hashes",
            "--build-constraints",
            &build,
            "--requirements",
            &run,
        ];
        self.inside.run("installing Python packages", &argv, &environment(), &shown, &mut |text| {
            if text.trim_start().starts_with("Building") {
                progress.note(text.trim());
            }
        })?;
        let _ = fs::remove_dir_all(&work);
        // What was built from source is worth its room; the rest is among the downloads.
        let argv = [uv_path.as_str(), "cache", "prune", "--ci", "--quiet"];
        let shown = [
            Shown { name: "uv", folder: &uv, writable: false },
            Shown { name: "cache", folder: cache(&uv), writable: true },
        ];
        self.inside.run("clearing the packager's cache", &argv, &environment(), &shown, &mut |_| {})
    }

    /// An empty folder of this build beside the downloads, on their file system.
    fn work(&self, name: &str) -> Result<PathBuf, ImageError> {
        let folder = self.cache.join(format!("work-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(ImageError::io("create", &folder))?;
        Ok(folder)
    }

    /// The folder with uv in it, fetched where it is missing.
    fn uv(&self, progress: &mut dyn Progress) -> Result<PathBuf, ImageError> {
        let this = std::env::consts::ARCH;
        let Some(locked) = UV.lines().filter_map(line).find(|file| file.url.contains(this)) else {
            return Err(ImageError::NoSuchPackage {
                recipe: self.recipe.to_owned(),
                package: "uv".to_owned(),
                registry: "PyPI".to_owned(),
                why: format!("no file of it for {this} is known here"),
            });
        };
        let folder = self.cache.join(format!("uv/uv-{}", locked.version));
        let program = folder.join("uv");
        if !program.is_file() {
            self.fetch(std::slice::from_ref(&locked), progress)?;
            fs::create_dir_all(&folder).map_err(ImageError::io("create", &folder))?;
            let wheel = self.downloads.path(&locked.sha256);
            unzip_program(&wheel, &program)?;
        }
        Ok(folder)
    }
}

/// The packager, the folder of this run, and the packager's cache, inside.
fn shown<'a>(uv: &'a Path, work: &'a Path) -> [Shown<'a>; 3] {
    [
        Shown { name: "uv", folder: uv, writable: false },
        Shown { name: "work", folder: work, writable: true },
        Shown { name: "cache", folder: cache(uv), writable: true },
    ]
}

/// The folder that has the packager's cache, beside its program.
fn cache(uv: &Path) -> &Path {
    uv.parent().unwrap_or(uv)
}

/// Takes the program out of uv's wheel.
fn unzip_program(wheel: &Path, program: &Path) -> Result<(), ImageError> {
    let bad = |why: String| ImageError::Unpack { what: wheel.display().to_string(), why };
    let file = fs::File::open(wheel).map_err(ImageError::io("read", wheel))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|e| bad(e.to_string()))?;
    let mut names = archive.file_names().filter_map(Result::ok).map(|name| name.into_owned());
    let name = names.find(|name| name.ends_with("/bin/uv") || name.ends_with("/scripts/uv"));
    drop(names);
    let name = name.ok_or_else(|| bad("it holds no program `uv`".to_owned()))?;
    let mut member = archive.by_name(&name).map_err(|e| bad(e.to_string()))?;
    let part = program.with_extension("part");
    let mut out = fs::File::create(&part).map_err(ImageError::io("create", &part))?;
    std::io::copy(&mut member, &mut out).map_err(ImageError::io("write", &part))?;
    fs::set_permissions(&part, fs::Permissions::from_mode(0o755)).map_err(ImageError::io("set the mode of", &part))?;
    drop(out);
    fs::rename(&part, program).map_err(ImageError::io("rename", &part))
}

/// What uv is told by environment in every run, with the user's proxies.
fn environment() -> Vec<(String, String)> {
    let own = [
        ("UV_CACHE_DIR", format!("{MOUNTED}/cache/cache")),
        ("UV_LINK_MODE", "copy".to_owned()),
        ("UV_PYTHON_DOWNLOADS", "never".to_owned()),
        ("UV_NO_CONFIG", "1".to_owned()),
        ("UV_NO_PROGRESS", "1".to_owned()),
        ("NO_COLOR", "1".to_owned()),
    ];
    let users =
        ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"];
    let users = users.iter().filter_map(|&name| Some((name.to_owned(), std::env::var(name).ok()?)));
    own.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(users).collect()
}
