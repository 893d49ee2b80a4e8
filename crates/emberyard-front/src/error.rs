//! What can go wrong in the gateway and with kernels, each with a stable code.

use emberyard_model::{Code, Explained};

/// Codes of this crate.
pub const CODES: &[Code] = &[LISTEN, SERVER, KERNEL, TIMEOUT];

const LISTEN: Code = Code {
    id: "EY-FRT-001",
    what: "The gateway can't use its listening socket.",
    why: "The socket it was given is not a listening TCP socket, or the system refuses to watch it.",
    cure: "Restart the yard: `emberyard down`, then `emberyard up`.",
};
const SERVER: Code = Code {
    id: "EY-FRT-002",
    what: "The Jupyter server did not answer as one.",
    why: "The address does not lead to a running Jupyter server, or the token is not its token.",
    cure: "See `emberyard notebook list`; the link of `emberyard notebook url NAME` must open in a browser.",
};
const KERNEL: Code = Code {
    id: "EY-FRT-003",
    what: "The kernel ended or lost its connection.",
    why: "The kernel's process died (memory is the usual reason), or the notebook's pod was replaced.",
    cure: "See `kubectl describe pod NAME-0`; run the file again.",
};
const TIMEOUT: Code = Code {
    id: "EY-FRT-004",
    what: "The code did not finish in the time given.",
    why: "It takes longer, or it waits for executors that can't start.",
    cure: "Give more time with --timeout, and see `emberyard explain` for what executors wait for.",
};

/// Why the gateway or a kernel failed.
#[derive(Debug, thiserror::Error)]
pub enum FrontError {
    /// The listener.
    #[error("gateway: {0}")]
    Listen(std::io::Error),
    /// Jupyter's REST interface.
    #[error("{what}: {why}")]
    Server {
        /// What was asked.
        what: String,
        /// What came.
        why: String,
    },
    /// The kernel.
    #[error("kernel: {0}")]
    Kernel(String),
    /// Time is over.
    #[error("not finished after {0} s")]
    Timeout(u64),
}

impl Explained for FrontError {
    fn code(&self) -> Code {
        match self {
            Self::Listen(_) => LISTEN,
            Self::Server { .. } => SERVER,
            Self::Kernel(_) => KERNEL,
            Self::Timeout(_) => TIMEOUT,
        }
    }
}
