//! Lines of a log in CRI form: `TIME STREAM FLAG TEXT`, where flag `P` means that the line goes on.

use emberyard_model::Timestamp;

/// What is wanted of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Only lines from then on.
    pub since: Option<Timestamp>,
    /// Only so many lines at the end.
    pub tail: Option<usize>,
    /// Each line with its time.
    pub timestamps: bool,
    /// At most so many bytes.
    pub limit: Option<usize>,
    /// Go on with what comes.
    pub follow: bool,
}

/// A piece of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    time: &'a str,
    whole: bool,
    text: &'a [u8],
}

/// Reads one line (without its newline); `None` for what is not in CRI form.
pub(super) fn parse(line: &[u8]) -> Option<Entry<'_>> {
    let mut parts = line.splitn(4, |b| *b == b' ');
    let time = std::str::from_utf8(parts.next()?).ok()?;
    let _stream = parts.next()?;
    let whole = parts.next()? != b"P";
    Some(Entry { time, whole, text: parts.next().unwrap_or_default() })
}

/// Turns a log into what is shown, piece by piece.
#[derive(Debug)]
pub(super) struct Printer {
    wanted: Wanted,
    sent: usize,
    inside: bool,
    pending: Vec<u8>,
}

impl Printer {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self { wanted, sent: 0, inside: false, pending: Vec::new() }
    }

    /// Whether the limit of bytes is reached.
    pub(super) fn is_full(&self) -> bool {
        self.wanted.limit.is_some_and(|limit| self.sent >= limit)
    }

    /// Takes more of the file; a last line without its newline waits for the rest.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.pending);
        all.extend_from_slice(bytes);
        let end = all.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        self.pending = all.split_off(end);
        let mut out = Vec::with_capacity(all.len());
        for line in all.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let Some(entry) = parse(line) else { continue };
            if let Some(since) = self.wanted.since
                && Timestamp::parse(entry.time).is_ok_and(|t| t < since)
            {
                continue;
            }
            if self.wanted.timestamps && !self.inside {
                out.extend_from_slice(entry.time.as_bytes());
                out.push(b' ');
            }
            out.extend_from_slice(entry.text);
            if entry.whole {
                out.push(b'\n');
            }
            self.inside = !entry.whole;
        }
        if let Some(limit) = self.wanted.limit {
            out.truncate(limit.saturating_sub(self.sent));
        }
        self.sent += out.len();
        out
    }
}

/// Where the last `lines` whole lines of a log begin.
pub(super) fn tail_start(log: &[u8], lines: usize) -> usize {
    if lines == 0 {
        return log.len();
    }
    let mut seen = 0;
    let mut end = log.len();
    // The end of a line is where a whole entry ends; going back, the next whole entry ends the line before.
    while end > 0 {
        let body = &log[..end - usize::from(log[end - 1] == b'\n')];
        let start = body.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        if parse(&body[start..]).is_none_or(|entry| entry.whole) {
            seen += 1;
            if seen > lines {
                return end;
            }
        }
        end = start;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &[u8] = b"2026-01-31T12:00:00.1Z stdout F one\n2026-01-31T12:00:01.1Z stderr P tw\n2026-01-31T12:00:01.2Z stderr F o\n2026-01-31T12:00:02Z stdout F three\n2026-01-31T12:00:03Z stdout F \n";

    fn shown(wanted: Wanted) -> String {
        let start = wanted.tail.map_or(0, |n| tail_start(LOG, n));
        let mut printer = Printer::new(wanted);
        // Byte by byte gives the same as all at once.
        let bytes: Vec<u8> = LOG[start..].iter().flat_map(|b| printer.take(&[*b])).collect();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn shows_what_is_wanted() {
        let at = |text: &str| Timestamp::parse(text).ok();
        for (wanted, expected) in [
            (Wanted::default(), "one\ntwo\nthree\n\n"),
            (Wanted { tail: Some(2), ..Wanted::default() }, "three\n\n"),
            (Wanted { tail: Some(3), ..Wanted::default() }, "two\nthree\n\n"),
            (Wanted { tail: Some(0), ..Wanted::default() }, ""),
            (Wanted { tail: Some(99), ..Wanted::default() }, "one\ntwo\nthree\n\n"),
            (Wanted { since: at("2026-01-31T12:00:02Z"), ..Wanted::default() }, "three\n\n"),
            (Wanted { limit: Some(5), ..Wanted::default() }, "one\nt"),
            (
                Wanted { timestamps: true, tail: Some(3), ..Wanted::default() },
                "2026-01-31T12:00:01.1Z two\n2026-01-31T12:00:02Z three\n2026-01-31T12:00:03Z \n",
            ),
        ] {
            assert_eq!(shown(wanted.clone()), expected, "{wanted:?}");
        }
    }
}
