//! The one door for results: standard output. Progress and notes go to standard error.

use crate::cli::Form;
use serde::Serialize;
use std::io::Write;

/// A result that also has a form for people.
pub trait Listing: Serialize {
    /// Column titles; those from `wide_from` on are shown with `-o wide` only.
    fn columns(&self) -> (&'static [&'static str], usize);
    /// One line for each thing.
    fn rows(&self) -> Vec<Vec<String>>;
}

/// Writes a listing in the form asked for.
pub fn listing(form: Form, value: &impl Listing) -> std::io::Result<()> {
    match form {
        Form::Table => table(value, false),
        Form::Wide => table(value, true),
        Form::Json | Form::Yaml => structured(form, value),
    }
}

/// Writes a value as JSON or YAML; tables fall back to JSON.
pub fn structured(form: Form, value: &impl Serialize) -> std::io::Result<()> {
    let text = if form == Form::Yaml {
        serde_yaml_ng::to_string(value).map_err(std::io::Error::other)?
    } else {
        let mut text = serde_json::to_string_pretty(value).map_err(std::io::Error::other)?;
        text.push('\n');
        text
    };
    raw(&text)
}

/// Writes a line.
pub fn line(text: &str) -> std::io::Result<()> {
    raw(&format!("{text}\n"))
}

/// Writes text as it is. A reader that went away (`| head`) is no error.
pub fn raw(text: &str) -> std::io::Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn table(value: &impl Listing, wide: bool) -> std::io::Result<()> {
    let (titles, wide_from) = value.columns();
    let shown = if wide { titles.len() } else { wide_from };
    let mut lines = vec![titles[..shown].iter().map(|title| (*title).to_owned()).collect::<Vec<_>>()];
    lines.extend(value.rows().into_iter().map(|mut row| {
        row.truncate(shown);
        row
    }));
    let widths: Vec<usize> = (0..shown)
        .map(|column| {
            lines.iter().map(|line| line.get(column).map_or(0, |cell| cell.chars().count())).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("   ").trim_end());
        text.push('\n');
    }
    raw(&text)
}
