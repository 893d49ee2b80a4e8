//! What is told of a container that ran out of memory: one sentence, always of the same form, so that others can build
//! advice on its figures.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Programs named in the sentence.
const MOST: usize = 3;
const MIB: u64 = 1 << 20;

/// A container's memory at the last look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryFigures {
    /// What it may use, bytes.
    pub limit: u64,
    /// The most it was seen to use, bytes.
    pub used: u64,
    /// Its programs, the largest first; empty if it was over before anybody looked.
    pub programs: Vec<Program>,
}

/// The processes of one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// As the kernel has it: at most 15 characters.
    pub name: String,
    /// What they use together, bytes.
    pub bytes: u64,
    /// How many there are.
    pub processes: u32,
}

impl MemoryFigures {
    /// Figures of a limit and what each process uses.
    pub fn new(limit: u64, used: u64, processes: impl IntoIterator<Item = (String, u64)>) -> Self {
        let mut by_name: BTreeMap<String, (u64, u32)> = BTreeMap::new();
        for (name, bytes) in processes {
            let program = by_name.entry(name).or_default();
            *program = (program.0 + bytes, program.1 + 1);
        }
        let programs = by_name.into_iter().map(|(name, (bytes, processes))| Program { name, bytes, processes });
        let mut programs: Vec<Program> = programs.collect();
        programs.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        programs.truncate(MOST);
        Self { limit, used, programs }
    }

    /// Reads the sentence back, to the nearest MiB, from the first line of a message.
    pub fn parse(message: &str) -> Option<Self> {
        let (used, rest) = message.lines().next()?.strip_prefix("used ")?.split_once(" of its memory limit of ")?;
        let (limit, list) = rest.split_once("; largest programs: ")?;
        let mut programs = Vec::new();
        for part in list.split(", ").filter(|part| *part != "not seen") {
            let (rest, processes) = part.strip_suffix(')')?.rsplit_once(" (")?;
            let (name, bytes) = rest.rsplit_once(' ')?;
            let processes = processes.split(' ').next()?.parse().ok()?;
            programs.push(Program { name: name.to_owned(), bytes: bytes_of(bytes)?, processes });
        }
        Some(Self { limit: bytes_of(limit)?, used: bytes_of(used)?, programs })
    }
}

fn bytes_of(text: &str) -> Option<u64> {
    Some(text.strip_suffix("Mi")?.parse::<u64>().ok()? * MIB)
}

impl fmt::Display for MemoryFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes.div_ceil(MIB);
        write!(f, "used {}Mi of its memory limit of {}Mi; largest programs: ", mib(self.used), mib(self.limit))?;
        if self.programs.is_empty() {
            return f.write_str("not seen");
        }
        for (number, Program { name, bytes, processes }) in self.programs.iter().enumerate() {
            let (comma, word) =
                (if number == 0 { "" } else { ", " }, if *processes == 1 { "process" } else { "processes" });
            write!(f, "{comma}{name} {}Mi ({processes} {word})", mib(*bytes))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_is_read_back() {
        let process = |name: &str, mib: u64| (name.to_owned(), mib * MIB);
        let processes = [
            process("java", 1120),
            process("python3", 200),
            process("sh", 1),
            process("python3", 110),
            process("a b", 2),
        ];
        let figures = MemoryFigures::new(1408 * MIB, 1464 * MIB, processes);
        let text = figures.to_string();
        assert_eq!(
            text,
            "used 1464Mi of its memory limit of 1408Mi; largest programs: java 1120Mi (1 process), python3 310Mi (2 processes), a b 2Mi (1 process)"
        );
        assert_eq!(MemoryFigures::parse(&format!("{text}\nits own words")), Some(figures));
        let unseen = MemoryFigures::new(MIB, MIB, []);
        assert_eq!(MemoryFigures::parse(&unseen.to_string()), Some(unseen));
        assert_eq!(MemoryFigures::parse("its own words"), None);
    }
}
