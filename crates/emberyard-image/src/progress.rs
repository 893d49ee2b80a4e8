//! What a build tells the person who waits for it.

/// One step of a build, as shown: "3/9 Debian packages".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Place in the build, from 1.
    pub step: u32,
    /// How many steps the build has.
    pub of: u32,
    /// What is done, in a few words.
    pub title: String,
}

/// Receives a build's progress. All calls come from the thread that called `build`.
pub trait Progress {
    /// A new step begins.
    fn stage(&mut self, stage: &Stage);

    /// Bytes of the current step done so far, of `total` where that is known.
    fn bytes(&mut self, done: u64, total: Option<u64>);

    /// A line worth keeping: a changed lock, an index that did not answer, what is waited for.
    fn note(&mut self, text: &str);
}

/// Progress for nobody, for callers that only want the result.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&mut self, _stage: &Stage) {}
    fn bytes(&mut self, _done: u64, _total: Option<u64>) {}
    fn note(&mut self, _text: &str) {}
}
