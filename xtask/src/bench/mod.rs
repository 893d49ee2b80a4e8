//! `cargo xtask bench NAME`: both sides in one run, alternating, several rounds; the result is kept in
//! `bench/results/NAME.json` and shown in `BENCHMARKS.md`. A benchmark is never a test: nothing fails for slowness.

mod api;
mod context;
mod first_light;
mod guard;
mod hdfs;
mod hdfs_peer;
mod lab;
mod links;
pub mod load;
mod locality;
mod machine;
mod memory;
mod page;
mod processes;
mod record;
mod replaced;
mod series;
mod show;
mod stock;
mod up;
mod yard;

use lab::Lab;
use machine::{Machine, Program};
use record::{Measure, Record};
use std::path::{Path, PathBuf};

/// One benchmark.
struct Benchmark {
    name: &'static str,
    about: &'static str,
    /// Rounds unless `--rounds` says otherwise.
    rounds: usize,
    run: fn(&Lab) -> Result<Vec<Measure>, String>,
}

/// All of them, in the page's order.
const BENCHMARKS: &[Benchmark] = &[
    first_light::BENCHMARK,
    up::BENCHMARK,
    context::BENCHMARK,
    hdfs::BENCHMARK,
    locality::BENCHMARK,
    api::BENCHMARK,
    memory::BENCHMARK,
];

/// Runs what the words after `bench` ask for.
pub fn run(words: &[&str]) -> Result<(), String> {
    let asked = Asked::read(words)?;
    for benchmark in &asked.benchmarks {
        one(benchmark, &asked).map_err(|error| format!("{}: {error}", benchmark.name))?;
    }
    renew_page()
}

/// What was typed.
struct Asked {
    benchmarks: Vec<&'static Benchmark>,
    rounds: Option<usize>,
    images: Option<PathBuf>,
    now: bool,
}

impl Asked {
    fn read(words: &[&str]) -> Result<Self, String> {
        let mut asked = Self {
            benchmarks: Vec::new(),
            rounds: None,
            images: std::env::var_os("EMBERYARD_IMAGES").map(PathBuf::from),
            now: false,
        };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            match word {
                "--rounds" => {
                    let number = words.next().and_then(|text| text.parse().ok()).filter(|&number| number > 0);
                    asked.rounds = Some(number.ok_or("--rounds wants a number above zero")?);
                }
                "--images" => asked.images = Some(words.next().ok_or("--images wants a folder")?.into()),
                "--now" => asked.now = true,
                "all" => asked.benchmarks.extend(BENCHMARKS),
                // Only the page.
                "page" => {}
                name => {
                    let known: Vec<_> = BENCHMARKS.iter().map(|benchmark| benchmark.name).collect();
                    let found = BENCHMARKS.iter().find(|benchmark| benchmark.name == name);
                    let unknown = || format!("there is no benchmark {name}; known are {}, all", known.join(", "));
                    asked.benchmarks.push(found.ok_or_else(unknown)?);
                }
            }
        }
        Ok(asked)
    }
}

fn one(benchmark: &Benchmark, asked: &Asked) -> Result<(), String> {
    let lab = Lab::open(asked.rounds.unwrap_or(benchmark.rounds), asked.images.clone())?;
    if !asked.now {
        machine::settle()?;
    }
    let machine = Machine::this()?;
    if machine.noisy() {
        eprintln!("   warning: load average {:.2}: something else is at work, the figures will say so", machine.load);
    }
    let record = Record {
        bench: benchmark.name.to_owned(),
        about: benchmark.about.to_owned(),
        taken: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
        rounds: lab.rounds,
        machine,
        program: Program::this(),
        measures: (benchmark.run)(&lab)?,
    };
    let mut text = serde_json::to_string_pretty(&record).map_err(|error| error.to_string())?;
    text.push('\n');
    write(&results().join(format!("{}.json", benchmark.name)), &text)
}

/// Makes `BENCHMARKS.md` from the records.
fn renew_page() -> Result<(), String> {
    write(&page_path(), &page::renewed(&read(&page_path())?, &records()?)?)
}

/// `BENCHMARKS.md` says what the records say.
pub fn check_page() -> Result<(), String> {
    let page = read(&page_path())?;
    if page::renewed(&page, &records()?)? == page {
        return Ok(());
    }
    Err("BENCHMARKS.md is not what bench/results makes of it: run `cargo xtask bench page`".to_owned())
}

/// The records there are, in the page's order.
fn records() -> Result<Vec<Record>, String> {
    let paths = BENCHMARKS.iter().map(|benchmark| results().join(format!("{}.json", benchmark.name)));
    paths
        .filter(|path| path.exists())
        .map(|path| serde_json::from_str(&read(&path)?).map_err(|error| format!("{}: {error}", path.display())))
        .collect()
}

fn results() -> PathBuf {
    crate::root().join("bench/results")
}

fn page_path() -> PathBuf {
    crate::root().join("BENCHMARKS.md")
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
