//! What is run: a notebook's cells, or a Python file as one cell.

use super::RunError;
use serde_json::{Value, json};

/// A notebook in memory. Its outputs are filled in as it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The notebook as JSON (nbformat 4).
    notebook: Value,
    /// Places of its code cells.
    code: Vec<usize>,
}

impl Document {
    /// From a file's name and content: `.ipynb` or `.py`.
    pub fn read(name: &str, content: &str) -> Result<Self, RunError> {
        let bad = |why: String| RunError::File { path: name.to_owned(), why };
        match name.rsplit_once('.').map(|(_, end)| end) {
            Some("py") => Ok(Self::of_source(content)),
            Some("ipynb") => {
                let notebook: Value =
                    serde_json::from_str(content).map_err(|error| bad(format!("it is no JSON: {error}")))?;
                if notebook["nbformat"].as_u64() != Some(4) {
                    return Err(bad("it is no notebook of format 4".to_owned()));
                }
                let cells = notebook["cells"].as_array().ok_or_else(|| bad("it has no cells".to_owned()))?;
                let is_code = |cell: &Value| cell["cell_type"] == "code";
                let code = cells.iter().enumerate().filter(|(_, cell)| is_code(cell)).map(|(place, _)| place).collect();
                Ok(Self { notebook, code })
            }
            _ => Err(bad("its name ends neither in .ipynb nor in .py".to_owned())),
        }
    }

    fn of_source(source: &str) -> Self {
        let cell = json!({"cell_type": "code", "id": "source", "metadata": {}, "source": source, "execution_count": null, "outputs": []});
        let notebook = json!({
            "nbformat": 4, "nbformat_minor": 5, "cells": [cell],
            "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}},
        });
        Self { notebook, code: vec![0] }
    }

    /// The kernel that the notebook names.
    pub fn kernel_name(&self) -> &str {
        self.notebook["metadata"]["kernelspec"]["name"].as_str().unwrap_or("python3")
    }

    /// How many code cells there are.
    pub fn len(&self) -> usize {
        self.code.len()
    }

    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.code.is_empty()
    }

    /// The code of a cell, counted from 0. A source may be one text or a list of lines.
    pub fn source(&self, number: usize) -> String {
        match self.cell(number).map(|cell| &cell["source"]) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(lines)) => lines.iter().filter_map(Value::as_str).collect(),
            _ => String::new(),
        }
    }

    /// The notebook with the outputs so far.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(&self.notebook).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Forgets all outputs.
    pub(super) fn clear(&mut self) {
        for number in 0..self.code.len() {
            if let Some(cell) = self.cell_mut(number) {
                cell["outputs"] = json!([]);
                cell["execution_count"] = Value::Null;
            }
        }
    }

    /// Adds an output and gives its place; texts of one stream that follow each other become one.
    pub(super) fn add_output(&mut self, number: usize, output: Value) -> usize {
        let Some(Value::Array(outputs)) = self.cell_mut(number).map(|cell| &mut cell["outputs"]) else { return 0 };
        let place = outputs.len();
        if output["output_type"] == "stream"
            && let Some(last) =
                outputs.last_mut().filter(|last| last["output_type"] == "stream" && last["name"] == output["name"])
            && let (Some(before), Some(more)) = (last["text"].as_str(), output["text"].as_str())
        {
            last["text"] = Value::from(format!("{before}{more}"));
            return place - 1;
        }
        outputs.push(output);
        place
    }

    /// Changes what an output shows.
    pub(super) fn change_output(&mut self, number: usize, place: usize, content: &Value) {
        if let Some(output) = self.cell_mut(number).and_then(|cell| cell["outputs"].get_mut(place)) {
            for field in ["data", "metadata"] {
                output[field] = content[field].clone();
            }
        }
    }

    pub(super) fn set_count(&mut self, number: usize, count: &Value) {
        if let Some(cell) = self.cell_mut(number) {
            cell["execution_count"] = count.clone();
        }
    }

    pub(super) fn clear_outputs(&mut self, number: usize) {
        if let Some(cell) = self.cell_mut(number) {
            cell["outputs"] = json!([]);
        }
    }

    fn cell(&self, number: usize) -> Option<&Value> {
        self.notebook["cells"].get(*self.code.get(number)?)
    }

    fn cell_mut(&mut self, number: usize) -> Option<&mut Value> {
        self.notebook["cells"].get_mut(*self.code.get(number)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_kinds_and_refuses_the_rest() {
        let source = Document::read("a.py", "print(1)\n").unwrap();
        assert_eq!((source.len(), source.source(0).as_str()), (1, "print(1)\n"));
        let text = r#"{"nbformat":4,"cells":[{"cell_type":"markdown","source":"x"},{"cell_type":"code","source":["a\n","b"],"outputs":[]}]}"#;
        let mut notebook = Document::read("b.ipynb", text).unwrap();
        assert_eq!((notebook.len(), notebook.source(0).as_str(), notebook.kernel_name()), (1, "a\nb", "python3"));
        for part in ["1", "2"] {
            notebook.add_output(0, json!({"output_type": "stream", "name": "stdout", "text": part}));
        }
        assert_eq!(
            notebook.cell(0).unwrap()["outputs"],
            json!([{"output_type": "stream", "name": "stdout", "text": "12"}])
        );
        let place = notebook.add_output(0, json!({"output_type": "display_data", "data": {"text/plain": "waits"}}));
        notebook.change_output(0, place, &json!({"data": {"text/plain": "runs"}, "metadata": {}}));
        assert_eq!(notebook.cell(0).unwrap()["outputs"][1]["data"]["text/plain"], "runs");
        for (name, text) in [("a.txt", ""), ("a.ipynb", "x"), ("a.ipynb", "{}"), ("a.ipynb", r#"{"nbformat":4}"#)] {
            assert!(matches!(Document::read(name, text), Err(RunError::File { .. })), "{name} {text}");
        }
    }
}
