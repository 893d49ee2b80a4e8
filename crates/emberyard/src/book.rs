//! A file of cells: a notebook (nbformat 4), or a Python file as one cell.

use crate::error::Failure;
use emberyard_front::kernel::Execution;
use serde_json::{Value, json};
use std::path::Path;

/// The file.
pub struct Book(Value);

/// One code cell.
pub struct Cell {
    /// Place among all cells.
    pub index: usize,
    /// Place among the code cells, from 1.
    pub number: usize,
    /// The code.
    pub source: String,
}

impl Book {
    /// Reads a notebook (`.ipynb`) or Python file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Failure::Folder { path: path.to_path_buf(), source })?;
        if path.extension().is_none_or(|extension| extension != "ipynb") {
            let cell = json!({ "cell_type": "code", "id": "code", "metadata": {}, "source": text, "outputs": [], "execution_count": null });
            return Ok(Self(json!({ "cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5 })));
        }
        let book: Value = serde_json::from_str(&text)
            .map_err(|error| Failure::Usage(format!("{} is not a notebook: {error}", path.display())))?;
        if book["nbformat"] != 4 || !book["cells"].is_array() {
            return Err(Failure::Usage(format!("{} is not a notebook of format 4", path.display())));
        }
        Ok(Self(book))
    }

    /// The code cells in their order; empty ones are left out.
    pub fn code_cells(&self) -> Vec<Cell> {
        let cells = self.0["cells"].as_array().into_iter().flatten().enumerate();
        let code =
            cells.filter(|(_, cell)| cell["cell_type"] == "code").map(|(index, cell)| (index, source(&cell["source"])));
        let full = code.filter(|(_, source)| !source.trim().is_empty());
        full.enumerate().map(|(number, (index, source))| Cell { index, number: number + 1, source }).collect()
    }

    /// Stores what a cell gave.
    pub fn store(&mut self, index: usize, execution: Execution) {
        if let Some(cell) = self.0["cells"].get_mut(index) {
            cell["outputs"] = Value::Array(execution.outputs);
            cell["execution_count"] = json!(execution.count);
        }
    }

    /// Writes the notebook.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(&self.0).unwrap_or_default();
        std::fs::write(path, text + "\n").map_err(|source| Failure::Folder { path: path.to_path_buf(), source })
    }
}

/// A cell's source is one text or a list of lines.
fn source(value: &Value) -> String {
    match value {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().unwrap_or("").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Book;

    #[test]
    fn code_cells_of_a_notebook_and_of_a_python_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.ipynb");
        let text = r#"{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[
            {"cell_type":"markdown","source":"x"},{"cell_type":"code","source":["a=1\n","a"]},{"cell_type":"code","source":" "},{"cell_type":"code","source":"b"}]}"#;
        std::fs::write(&file, text).unwrap();
        let cells = Book::read(&file).unwrap().code_cells();
        let seen: Vec<_> = cells.iter().map(|cell| (cell.index, cell.number, cell.source.as_str())).collect();
        assert_eq!(seen, [(1, 1, "a=1\na"), (3, 2, "b")]);
        let python = folder.path().join("a.py");
        std::fs::write(&python, "print(1)").unwrap();
        assert_eq!(Book::read(&python).unwrap().code_cells().len(), 1);
        std::fs::write(&file, "{}").unwrap();
        assert!(Book::read(&file).is_err());
    }
}
