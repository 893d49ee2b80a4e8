//! What can go wrong in the network, the relay and the agent, each with a stable code.

use emberyard_model::{Code, Explained};
use std::io;
use std::path::PathBuf;

/// A failure to build or change the network of yard, node or pod.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// A link, address or route could not be made.
    #[error("cannot {what}: {reason}")]
    Link {
        /// What was tried.
        what: String,
        /// The kernel's answer.
        reason: String,
    },
    /// A namespace could not be opened or entered.
    #[error("cannot enter the network namespace {name}")]
    Namespace {
        /// Which one.
        name: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A kernel setting could not be written.
    #[error("cannot write the kernel setting {path}")]
    Setting {
        /// The file below `/proc/sys`.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// No free address is left in the node's pod range.
    #[error("no free pod address is left on this node")]
    Exhausted,
    /// The kernel has no nf_tables, or does not let us use it.
    #[error("the kernel refuses nf_tables rules: {reason}")]
    NoNfTables {
        /// The kernel's answer.
        reason: String,
    },
    /// A helper thread died.
    #[error("a network thread ended before its work was done")]
    Thread,
}

/// A failure of the relay.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// An inherited socket cannot be used.
    #[error("the relay's {name} socket cannot be used")]
    Socket {
        /// Which one.
        name: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
}

/// Why an agent could not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The node's network cannot be set up.
    #[error("the network of node {node} cannot be set up")]
    Network {
        /// The node.
        node: String,
        /// Why.
        source: NetError,
    },
    /// A folder or file of the node cannot be used.
    #[error("{path} cannot be used")]
    Files {
        /// Which.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kubeconfig cannot be used.
    #[error("the kubeconfig {path} cannot be used: {reason}")]
    Kubeconfig {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certificate, key or authority of the kubelet port cannot be used.
    #[error("the TLS identity {path} cannot be used: {reason}")]
    Tls {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A port is taken.
    #[error("cannot listen on {address}")]
    Listen {
        /// Address and port.
        address: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The image store cannot be used.
    #[error("the image store cannot be used: {reason}")]
    Images {
        /// Why.
        reason: String,
    },
}

const LINK: Code = Code {
    id: "EY-NET-001",
    what: "A network link, address or route could not be made.",
    why: "The kernel refused it: a leftover of the same name, a missing kernel feature, or missing rights in this namespace.",
    cure: "Run `emberyard down`, then `emberyard doctor`, which tries each network feature and names the missing one.",
};
const NAMESPACE: Code = Code {
    id: "EY-NET-002",
    what: "A network namespace could not be entered.",
    why: "The process that holds it has ended, or this process stands in another user namespace.",
    cure: "Run `emberyard up` again: a node whose holder is gone is made anew.",
};
const SETTING: Code = Code {
    id: "EY-NET-003",
    what: "A kernel setting of the network namespace could not be written.",
    why: "/proc/sys is read-only here, as in some containers.",
    cure: "Start the surrounding container with a writable /proc/sys, or run Emberyard outside of it.",
};
const EXHAUSTED: Code = Code {
    id: "EY-NET-004",
    what: "A node has no free pod address.",
    why: "A node's pod range holds 253 addresses and all are in use.",
    cure: "Add a node, or delete pods that have finished.",
};
const NO_NFTABLES: Code = Code {
    id: "EY-NET-005",
    what: "The kernel refuses nf_tables rules.",
    why: "The kernel was built without nf_tables, or this environment forbids it.",
    cure: "Load the nf_tables and nft_redir kernel modules. Without them pods reach outside only through a proxy.",
};
const THREAD: Code = Code {
    id: "EY-NET-006",
    what: "A network thread ended before its work was done.",
    why: "The machine ran out of threads or memory.",
    cure: "Raise the limit of processes (`ulimit -u`) or free memory, then try again.",
};
const RELAY_SOCKET: Code = Code {
    id: "EY-NET-010",
    what: "The relay cannot use a socket it inherited.",
    why: "The yard's holder ended, or the socket was closed.",
    cure: "Run `emberyard down` and `emberyard up`.",
};
const AGENT_NETWORK: Code = Code {
    id: "EY-NODE-001",
    what: "A node's network cannot be set up.",
    why: "The kernel refused a link, address or route inside the node's network namespace.",
    cure: "Run `emberyard doctor`; then `emberyard node kill NAME`, the node is made anew.",
};
const AGENT_FILES: Code = Code {
    id: "EY-NODE-002",
    what: "A file or folder of the node cannot be used.",
    why: "It is missing, belongs to another user, or the disk is full.",
    cure: "Check owner and free space of the folder named, then run `emberyard up` again.",
};
const AGENT_KUBECONFIG: Code = Code {
    id: "EY-NODE-003",
    what: "The node's kubeconfig cannot be used.",
    why: "It is missing or damaged.",
    cure: "Delete the node's folder under `nodes/` and run `emberyard up`: credentials are made anew.",
};
const AGENT_TLS: Code = Code {
    id: "EY-NODE-004",
    what: "The TLS identity of the kubelet port cannot be used.",
    why: "The certificate or key is missing or damaged.",
    cure: "Delete the node's folder under `nodes/` and run `emberyard up`: certificates are made anew.",
};
const AGENT_LISTEN: Code = Code {
    id: "EY-NODE-005",
    what: "The agent cannot listen on an address of its node.",
    why: "Another agent of the same node still runs, or a hostNetwork pod took the port.",
    cure: "End the other agent or pod, then run `emberyard up` again.",
};
const AGENT_IMAGES: Code = Code {
    id: "EY-NODE-006",
    what: "The image store cannot be used.",
    why: "Its folder is missing, damaged or not readable.",
    cure: "Run `emberyard image list`; it says what is wrong with the store.",
};

/// All codes of this crate.
pub const CODES: &[Code] = &[
    LINK,
    NAMESPACE,
    SETTING,
    EXHAUSTED,
    NO_NFTABLES,
    THREAD,
    RELAY_SOCKET,
    AGENT_NETWORK,
    AGENT_FILES,
    AGENT_KUBECONFIG,
    AGENT_TLS,
    AGENT_LISTEN,
    AGENT_IMAGES,
];

impl Explained for NetError {
    fn code(&self) -> Code {
        match self {
            Self::Link { .. } => LINK,
            Self::Namespace { .. } => NAMESPACE,
            Self::Setting { .. } => SETTING,
            Self::Exhausted => EXHAUSTED,
            Self::NoNfTables { .. } => NO_NFTABLES,
            Self::Thread => THREAD,
        }
    }
}

impl Explained for RelayError {
    fn code(&self) -> Code {
        match self {
            Self::Socket { .. } => RELAY_SOCKET,
        }
    }
}

impl Explained for AgentError {
    fn code(&self) -> Code {
        match self {
            Self::Network { .. } => AGENT_NETWORK,
            Self::Files { .. } => AGENT_FILES,
            Self::Kubeconfig { .. } => AGENT_KUBECONFIG,
            Self::Tls { .. } => AGENT_TLS,
            Self::Listen { .. } => AGENT_LISTEN,
            Self::Images { .. } => AGENT_IMAGES,
        }
    }
}
