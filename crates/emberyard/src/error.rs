//! What can go wrong for someone at the command line, each with a stable code.

use crate::yard::settings::SettingsError;
use crate::yard::versions::VersionError;
use emberyard_model::{Code, Explained};
use std::path::PathBuf;

/// Codes of this crate.
pub const CODES: &[Code] = &[
    NO_YARD, FOLDER, SETTINGS, BUSY_PORT, START, KEEPER, API, MACHINE, IMAGE, NOTEBOOK, DEMO, USAGE, PURGE, REPAIR,
    NEWER, CHAOS, HDFS, DRAIN,
];

const NO_YARD: Code = Code {
    id: "EY-CLI-001",
    what: "The yard does not run.",
    why: "The verb needs a running yard in this folder, and no keeper answers there.",
    cure: "Start it with `emberyard up`, or name the right folder with --dir or EMBERYARD_DIR.",
};
const FOLDER: Code = Code {
    id: "EY-CLI-002",
    what: "The yard's folder can't be used.",
    why: "The folder can't be made, read or written by this user, or its file system lacks what the yard needs.",
    cure: "Name another folder with --dir, on a local disk and owned by you.",
};
const SETTINGS: Code = Code {
    id: "EY-CLI-003",
    what: "The yard's settings can't be used.",
    why: "A switch, the fleet file or yard.json asks for something this program can't read or do.",
    cure: "Correct the place named in the message; nothing was changed.",
};
const BUSY_PORT: Code = Code {
    id: "EY-CLI-004",
    what: "A port of the yard is taken.",
    why: "Another process listens on the port that this yard chose at its first start.",
    cure: "Stop that process, or choose another port: `emberyard up --port PORT` for the gateway, `--api-port PORT` for the API.",
};
const START: Code = Code {
    id: "EY-CLI-005",
    what: "The yard did not start.",
    why: "One of its processes failed; its log has the details.",
    cure: "Read the log named in the message, then run `emberyard doctor`.",
};
const KEEPER: Code = Code {
    id: "EY-CLI-006",
    what: "The keeper refused or did not answer.",
    why: "The yard is starting, stopping, or the request can't be met.",
    cure: "See `emberyard status`, and try again when it is running.",
};
const API: Code = Code {
    id: "EY-CLI-007",
    what: "The yard's API refused or did not answer.",
    why: "The request named something that does not exist or is not allowed, or the API server is restarting.",
    cure: "Check the name with `emberyard status`; see log/api.log in the yard's folder.",
};
const MACHINE: Code = Code {
    id: "EY-CLI-008",
    what: "This machine lacks something the yard needs.",
    why: "The program tried it, and the system said no.",
    cure: "`emberyard doctor` lists what is missing with the cure for each.",
};
const IMAGE: Code = Code {
    id: "EY-CLI-009",
    what: "An image could not be made or read.",
    why: "A package, the network or the disk failed; the message says which.",
    cure: "Mend what the message names and run the same command again: finished parts are kept.",
};
const NOTEBOOK: Code = Code {
    id: "EY-CLI-010",
    what: "The notebook did not answer or a cell failed.",
    why: "Its pod did not become ready in time, or the code raised an error.",
    cure: "See `kubectl describe pod NAME-0` and `emberyard status`.",
};
const HDFS: Code = Code {
    id: "EY-CLI-017",
    what: "The HDFS does not serve.",
    why: "Its spec can't be carried out, or its pods did not become ready in time: they may have no room.",
    cure: "See `emberyard hdfs status NAME`, `kubectl get pods -l release=NAME` and `emberyard explain`.",
};
const DRAIN: Code = Code {
    id: "EY-CLI-018",
    what: "A node was not emptied.",
    why: "Pods that are still on it may not go, or don't: the message says what they wait for.",
    cure: "Do what the message asks for and drain it again; or give the node back with `kubectl uncordon NODE`.",
};
const DEMO: Code = Code {
    id: "EY-CLI-011",
    what: "A step of the demo failed.",
    why: "What the tutorial promises was not seen.",
    cure: "The step's line says what was expected and what came; `emberyard status` shows the yard as it is.",
};
const USAGE: Code = Code {
    id: "EY-CLI-012",
    what: "The command is not complete.",
    why: "A switch or name is missing or contradicts another.",
    cure: "See `--help` of the verb.",
};
const PURGE: Code = Code {
    id: "EY-CLI-013",
    what: "The yard's data was not removed.",
    why: "Removal was not confirmed, or something in the folder could not be removed.",
    cure: "Run `emberyard down --purge --yes`; if a file stays, see who owns it.",
};
const CHAOS: Code = Code {
    id: "EY-CLI-016",
    what: "A rehearsal of faults broke promises.",
    why: "An answer was wrong or missing, something did not come back, or something was left over.",
    cure: "Each broken promise stands under its fault's line; the same list, seed and count play it again.",
};

const REPAIR: Code = Code {
    id: "EY-CLI-014",
    what: "The journal was not repaired.",
    why: "The yard runs, the repair was not confirmed, or a file could not be read or written.",
    cure: "Stop the yard with `emberyard down`, then run `emberyard repair --yes`; the damaged files are kept beside the new ones.",
};

const NEWER: Code = Code {
    id: "EY-CLI-015",
    what: "The yard was written by a newer emberyard.",
    why: "A file of its folder carries a version that this program does not know; taking it could lose what it holds.",
    cure: "Use the newer program, or name another folder with --dir. Nothing was changed.",
};

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No keeper answers.
    #[error("no yard runs in {0}")]
    NoYard(PathBuf),
    /// The folder is unusable.
    #[error("{path}: {source}")]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Settings are unusable.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A newer program wrote the yard, or its settings can't be read.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// A port is taken.
    #[error("port {port} on 127.0.0.1 is taken{holder}")]
    BusyPort {
        /// The port.
        port: u16,
        /// ` by NAME (process PID)`, if known.
        holder: String,
    },
    /// A process of the yard failed.
    #[error("the yard did not start: {why} (log: {log})")]
    Start {
        /// What failed.
        why: String,
        /// Where to read on.
        log: PathBuf,
    },
    /// The keeper said no.
    #[error("the keeper: {0}")]
    Keeper(String),
    /// The API said no.
    #[error("the API: {0}")]
    Api(String),
    /// The machine can't.
    #[error("this machine: {0}")]
    Machine(String),
    /// Images.
    #[error("{text}")]
    Image {
        /// What happened to what.
        text: String,
        /// The code that the image's part of the program gives it.
        code: Code,
    },
    /// The notebook.
    #[error("notebook {name}: {why}")]
    Notebook {
        /// Its name.
        name: String,
        /// What happened.
        why: String,
    },
    /// An HDFS.
    #[error("HDFS {name}: {why}")]
    Hdfs {
        /// Its name.
        name: String,
        /// What happened.
        why: String,
    },
    /// Pods stay on a node.
    #[error("node {node}: {why}")]
    Drain {
        /// Its name.
        node: String,
        /// What stays, and why.
        why: String,
    },
    /// A demo step.
    #[error("demo step {step}: {why}")]
    Demo {
        /// The step.
        step: String,
        /// Expected and seen.
        why: String,
    },
    /// A rehearsal's verdict.
    #[error("{broken} promises broken, {left} things left over (seed {seed})")]
    Chaos {
        /// Broken promises.
        broken: usize,
        /// Leftovers.
        left: usize,
        /// The seed to play it again.
        seed: u64,
    },
    /// Wrong usage.
    #[error("{0}")]
    Usage(String),
    /// Data stays.
    #[error("{0}")]
    Purge(String),
    /// The journal stays as it is.
    #[error("{0}")]
    Repair(String),
    /// Standard output could not be written.
    #[error("standard output: {0}")]
    Output(#[from] std::io::Error),
}

impl Explained for Failure {
    fn code(&self) -> Code {
        match self {
            Self::NoYard(_) => NO_YARD,
            Self::Folder { .. } | Self::Output(_) => FOLDER,
            Self::Settings(SettingsError::Newer { .. }) => NEWER,
            Self::Version(VersionError::Settings(SettingsError::Newer { .. })) => NEWER,
            Self::Version(VersionError::Newer { .. } | VersionError::Journal(_)) => NEWER,
            Self::Settings(_) | Self::Version(VersionError::Settings(_)) => SETTINGS,
            Self::BusyPort { .. } => BUSY_PORT,
            Self::Start { .. } => START,
            Self::Keeper(_) => KEEPER,
            Self::Api(_) => API,
            Self::Machine(_) => MACHINE,
            Self::Image { code, .. } => *code,
            Self::Notebook { .. } => NOTEBOOK,
            Self::Hdfs { .. } => HDFS,
            Self::Drain { .. } => DRAIN,
            Self::Demo { .. } => DEMO,
            Self::Chaos { .. } => CHAOS,
            Self::Usage(_) => USAGE,
            Self::Purge(_) => PURGE,
            Self::Repair(_) => REPAIR,
        }
    }
}

impl Failure {
    /// A failure of the image's part of the program, with the code it has there.
    pub fn image(error: &impl Explained) -> Self {
        let explained = error.explain();
        // The reason and the cure are told once, from the code.
        let text = explained.split_once("\n  why: ").map_or(explained.as_str(), |(text, _)| text).to_owned();
        Self::Image { text, code: error.code() }
    }

    /// No image, for a reason that only this crate knows.
    pub fn no_image(text: impl Into<String>) -> Self {
        Self::Image { text: text.into(), code: IMAGE }
    }

    /// Exit code: 2 for wrong usage, else 1.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Usage(_) | Self::Settings(SettingsError::Wrong(_))) { 2 } else { 1 }
    }
}
