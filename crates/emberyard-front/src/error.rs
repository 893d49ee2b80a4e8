//! Why a gateway or a run in a notebook fails.

use crate::kernel::RunError;
use emberyard_model::{Code, Explained};

/// What ends a gateway.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The listener can't be used.
    #[error("the gateway can't listen")]
    Listener(#[source] std::io::Error),
}

const LISTENER: Code = Code {
    id: "EY-GTW-001",
    what: "The gateway can't listen.",
    why: "The socket handed to it is not usable.",
    cure: "Start it through `emberyard up`, which opens the socket, or choose another `--port`.",
};
const UNREACHABLE: Code = Code {
    id: "EY-RUN-001",
    what: "The notebook could not be reached.",
    why: "It is stopped, still starting, or its link has another token.",
    cure: "Look at `emberyard notebook list`; start it with `emberyard notebook create NAME`.",
};
const REFUSED: Code = Code {
    id: "EY-RUN-002",
    what: "Jupyter refused the request.",
    why: "The token is not the notebook's, or the notebook has no kernel of this kind.",
    cure: "Take the link from `emberyard notebook url NAME`.",
};
const FILE: Code = Code {
    id: "EY-RUN-003",
    what: "The file can't be run.",
    why: "It is neither a notebook (.ipynb, version 4) nor Python source (.py).",
    cure: "Name a .ipynb or .py file.",
};
const CELL: Code = Code {
    id: "EY-RUN-004",
    what: "A cell ended with an error.",
    why: "The code in it raised an exception; the traceback is above.",
    cure: "Correct the cell and run the file again.",
};
const TIME: Code = Code {
    id: "EY-RUN-005",
    what: "The run took longer than allowed.",
    why: "The time given by --timeout is over; the kernel was stopped.",
    cure: "Allow more time with `--timeout SECONDS`.",
};
const KERNEL: Code = Code {
    id: "EY-RUN-006",
    what: "The kernel ended during the run.",
    why: "It was stopped, or it used up its memory.",
    cure: "Give the notebook more memory, or look at its log: `kubectl logs NAME-0`.",
};

/// All codes of this crate.
pub const CODES: &[Code] = &[LISTENER, UNREACHABLE, REFUSED, FILE, CELL, TIME, KERNEL];

impl Explained for GatewayError {
    fn code(&self) -> Code {
        match self {
            Self::Listener(_) => LISTENER,
        }
    }
}

impl Explained for RunError {
    fn code(&self) -> Code {
        match self {
            Self::Unreachable(_) => UNREACHABLE,
            Self::Refused { .. } => REFUSED,
            Self::File { .. } => FILE,
            Self::Cell { .. } => CELL,
            Self::Timeout(_) => TIME,
            Self::KernelDied | Self::Cut => KERNEL,
        }
    }
}
