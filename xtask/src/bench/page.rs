//! `BENCHMARKS.md`: what stands between its markers is made from the records, and nothing else.

use super::record::{Limit, Measure, Record, Unit};
use super::series::Series;
use std::fmt::Write as _;

const BEGIN: &str = "<!-- begin: made by `cargo xtask bench` -->";
const END: &str = "<!-- end: made by `cargo xtask bench` -->";

/// The page with its made part replaced.
pub fn renewed(page: &str, records: &[Record]) -> Result<String, String> {
    let missing = || format!("BENCHMARKS.md lacks the lines `{BEGIN}` and `{END}`");
    let (before, rest) = page.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    let sections: String = records.iter().map(section).collect();
    Ok(format!("{before}{BEGIN}\n{sections}\n{END}{after}"))
}

fn section(record: &Record) -> String {
    let Record { bench, about, taken, rounds, machine, program, measures } = record;
    let mut text = format!("\n## {bench}\n\n{about}\n\n");
    let changed = if program.changed { " with changes" } else { "" };
    let noisy = if machine.noisy() { ": **noisy, other work was on the machine**" } else { "" };
    // Writing to a String can't fail.
    let _ = writeln!(
        text,
        "{taken}, {rounds} {}, {} cores, {:.1} GiB, {}, kernel {}, {}, version {} at {}{changed}, {} build, load at start {:.2}{noisy}.\n",
        if *rounds == 1 { "round" } else { "rounds" },
        machine.cores,
        machine.memory_gib,
        machine.system,
        machine.kernel,
        if machine.root { "as root" } else { "without root" },
        program.version,
        program.revision,
        program.profile,
        machine.load,
    );
    text.push_str(if measures.iter().any(|measure| measure.peer.is_some()) {
        "| what | emberyard | peer | ratio | promised |\n|---|---|---|---|---|\n"
    } else {
        "| what | emberyard | promised |\n|---|---|---|\n"
    });
    let peers = measures.iter().any(|measure| measure.peer.is_some());
    for measure in measures {
        let _ = writeln!(text, "{}", row(measure, peers));
    }
    let notes: Vec<String> = measures
        .iter()
        .filter_map(|measure| measure.note.as_ref().map(|note| format!("- {}: {note}\n", measure.what)))
        .collect();
    if !notes.is_empty() {
        let _ = write!(text, "\n{}", notes.concat());
    }
    text
}

fn row(measure: &Measure, peers: bool) -> String {
    let ours = spread(&measure.ours, measure.unit);
    let promised = promised(measure);
    if !peers {
        return format!("| {} | {ours} | {promised} |", measure.what);
    }
    let peer = measure.peer.as_ref().map(|peer| format!("{}: {}", peer.name, spread(&peer.series, measure.unit)));
    let ratio = measure.ratio().map(|ratio| format!("{ratio:.2}{}", if measure.loses() { ", **loses**" } else { "" }));
    format!("| {} | {ours} | {} | {} | {promised} |", measure.what, peer.unwrap_or_default(), ratio.unwrap_or_default())
}

/// Median, and smallest and largest where there are several.
fn spread(series: &Series, unit: Unit) -> String {
    let median = format!("{} {}", figure(series.median), unit.symbol());
    if series.samples.len() == 1 {
        return median;
    }
    format!("{median} ({} to {})", figure(series.min), figure(series.max))
}

fn promised(measure: &Measure) -> String {
    let verdict = match measure.keeps() {
        Some(true) => "kept",
        Some(false) => "**missed**",
        None => "not compared",
    };
    match measure.limit {
        None => String::new(),
        Some(Limit::Ratio(limit)) => format!("ratio {limit:.2}: {verdict}"),
        Some(Limit::Value(limit)) => {
            let part = measure.ours.median / limit;
            format!("{} {}: {verdict} ({part:.2} of it)", figure(limit), measure.unit.symbol())
        }
    }
}

/// Three digits that count.
fn figure(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::machine::{Machine, Program};
    use super::*;

    fn record() -> Record {
        let against = |what: &str, ours, peer| {
            Measure::new(what, Unit::Seconds, ours).unwrap().against("local-cluster", peer).unwrap()
        };
        Record {
            bench: "context".to_owned(),
            about: "What it is.".to_owned(),
            taken: "2026-01-02".to_owned(),
            rounds: 3,
            machine: Machine {
                cores: 2,
                memory_gib: 23.5,
                kernel: "6.1".to_owned(),
                system: "Debian".to_owned(),
                root: true,
                load: 0.7,
            },
            program: Program {
                version: "0.1.0".to_owned(),
                revision: "abc".to_owned(),
                changed: false,
                profile: "release".to_owned(),
            },
            measures: vec![
                against("two", vec![5.0, 6.0, 12.0], vec![10.0, 12.0, 11.0]).limited(Limit::Ratio(0.5)),
                against("ten", vec![150.0], vec![120.0]).noted("one round"),
                Measure::new("up", Unit::Seconds, vec![0.04]).unwrap().limited(Limit::Value(10.0)),
            ],
        }
    }

    #[test]
    fn losing_cases_stand_beside_winning_ones() {
        let text = section(&record());
        for line in [
            "| two | 6.00 s (5.00 to 12.0) | local-cluster: 11.0 s (10.0 to 12.0) | 0.55 | ratio 0.50: **missed** |",
            "| ten | 150 s | local-cluster: 120 s | 1.25, **loses** |  |",
            "| up | 0.040 s |  |  | 10.0 s: kept (0.00 of it) |",
            "- ten: one round",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\nis not in\n{text}");
        }
        assert!(text.contains("load at start 0.70: **noisy"), "{text}");
    }

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let page = format!("# Head\n{BEGIN}\nold\n{END}\nFoot\n");
        let made = renewed(&page, &[record()]).unwrap();
        assert!(made.starts_with("# Head\n") && made.ends_with("\nFoot\n") && !made.contains("old"), "{made}");
        assert_eq!(renewed(&made, &[record()]).unwrap(), made, "made again it is the same");
        assert!(renewed("no markers", &[]).is_err());
    }
}
