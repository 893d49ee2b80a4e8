//! Why a pod cannot go on, in the words its status and events carry.

use emberyard_model::{Code, Explained};

/// A pod, container or volume that cannot be prepared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PodError {
    /// The object is not a pod this agent can read.
    #[error("the pod cannot be read: {0}")]
    Unreadable(String),
    /// A ConfigMap, Secret or claim that is not there (yet).
    #[error("{kind} \"{name}\" not found")]
    Missing {
        /// `configmap`, `secret`, `persistentvolumeclaim`…
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A key that is not in its ConfigMap or Secret.
    #[error("couldn't find key {key} in {kind} {name}")]
    MissingKey {
        /// `ConfigMap` or `Secret`.
        kind: &'static str,
        /// The object.
        name: String,
        /// The key.
        key: String,
    },
    /// A field reference that means nothing here.
    #[error("unsupported fieldPath: {0}")]
    Field(String),
    /// A volume of a kind that is not offered here.
    #[error("volume \"{name}\" is of an unsupported kind: {kind}")]
    UnsupportedVolume {
        /// The volume.
        name: String,
        /// The kind's field name.
        kind: String,
    },
    /// A mount of a volume the pod does not have.
    #[error("volume \"{0}\" is not one of the pod's volumes")]
    UnknownVolume(String),
    /// A path that leaves its folder.
    #[error("the path \"{0}\" must be relative and must not contain '..'")]
    Path(String),
    /// An image without a command in a container without one.
    #[error("no command specified")]
    NoCommand,
}

const SPEC: Code = Code {
    id: "EY-POD-001",
    what: "A pod cannot be read.",
    why: "A field has a type or value this agent does not understand.",
    cure: "Check the field named in the message against `kubectl explain pod.spec`.",
};
const MISSING: Code = Code {
    id: "EY-POD-002",
    what: "A pod refers to something that does not exist.",
    why: "The ConfigMap, Secret, key or claim was not created, or in another namespace.",
    cure: "Create it; the pod waits and goes on by itself.",
};
const UNSUPPORTED: Code = Code {
    id: "EY-POD-003",
    what: "A pod asks for something that is not offered here.",
    why: "The embedded cluster has these volumes: emptyDir, configMap, secret, projected, downwardAPI, persistentVolumeClaim, hostPath.",
    cure: "Use one of them.",
};
const COMMAND: Code = Code {
    id: "EY-POD-004",
    what: "A container has no command.",
    why: "Neither the container nor its image names a program.",
    cure: "Set `command` in the container.",
};

/// All codes of this crate.
pub const CODES: &[Code] = &[SPEC, MISSING, UNSUPPORTED, COMMAND];

impl Explained for PodError {
    fn code(&self) -> Code {
        match self {
            Self::Unreadable(_) | Self::Field(_) | Self::Path(_) | Self::UnknownVolume(_) => SPEC,
            Self::Missing { .. } | Self::MissingKey { .. } => MISSING,
            Self::UnsupportedVolume { .. } => UNSUPPORTED,
            Self::NoCommand => COMMAND,
        }
    }
}
