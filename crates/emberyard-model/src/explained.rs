//! Errors that help: each carries a stable code, and each code has a page made from it.

/// A stable error code with the text of its page (`docs/errors/CODE.md`, made by `cargo xtask errors`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code {
    /// Stable identifier, for example `EY-IMG-003`: area, then a number that is never used again.
    pub id: &'static str,
    /// What happened, in one sentence, without the particulars.
    pub what: &'static str,
    /// Why it happens.
    pub why: &'static str,
    /// What to do about it.
    pub cure: &'static str,
}

/// An error whose text says what happened to what, and whose code says why and what to do.
pub trait Explained: std::error::Error {
    /// The code of this error's page.
    fn code(&self) -> Code;

    /// The whole text for a person: message, reason, cure and code, one line each.
    fn explain(&self) -> String {
        let Code { id, why, cure, .. } = self.code();
        let text = with_causes(self);
        format!("{text}\n  why: {why}\n  do:  {cure}\n  ({id})")
    }
}

/// An error and its causes in one line, without those that it repeats already.
pub fn with_causes<E: std::error::Error + ?Sized>(error: &E) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}
