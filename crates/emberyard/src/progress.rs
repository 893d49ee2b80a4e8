//! Progress for people, on standard error: a moving line on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// One thing that takes a while.
pub struct Step {
    bar: Option<ProgressBar>,
    text: String,
    start: Instant,
}

impl Step {
    /// Begins; the text says what is being done.
    pub fn begin(text: impl Into<String>) -> Self {
        let text = text.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
                bar.set_style(style);
            }
            bar.set_message(text.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        if bar.is_none() {
            note(&format!("{text} ..."));
        }
        Self { bar, text, start: Instant::now() }
    }

    /// Says more about the same step; repeated texts are shown once.
    pub fn update(&mut self, text: &str) {
        if text == self.text {
            return;
        }
        text.clone_into(&mut self.text);
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => note(&format!("  {text}")),
        }
    }

    /// How much of the step is done: moves the line on a terminal, says nothing elsewhere.
    pub fn amount(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }

    /// Ends well.
    pub fn done(self, text: &str) {
        let seconds = self.start.elapsed().as_secs_f64();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        note(&format!("{text} ({seconds:.1} s)"));
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.as_ref().filter(|bar| !bar.is_finished()) {
            bar.finish_and_clear();
        }
    }
}

/// A line for people.
pub fn note(text: &str) {
    eprintln!("{text}");
}
