//! What can go wrong with images, each with its page.

use crate::image::ImageId;
use emberyard_model::{Code, Explained};
use std::path::{Path, PathBuf};

/// No image answers to this reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The name is unknown, or its image is not built yet.
    #[error(
        "no image \"{reference}\" here; known: {}; build it: {build}",
        if known.is_empty() { "none yet".to_owned() } else { known.join(", ") }
    )]
    Unknown {
        /// The reference as asked.
        reference: String,
        /// Names that would have resolved.
        known: Vec<String>,
        /// The command that makes this image, or a start at it.
        build: String,
    },
    /// The reference is no image name.
    #[error("\"{reference}\" is no image reference: {why}")]
    Malformed {
        /// The reference as asked.
        reference: String,
        /// What is wrong with it.
        why: String,
    },
    /// The store can't be read.
    #[error("the image store at {dir} can't be read: {why}")]
    Store {
        /// The store's folder.
        dir: PathBuf,
        /// The system's answer.
        why: String,
    },
}

/// A build, import, export or prune that did not work. Nothing half-made is left behind.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The recipe's text or a value in it is wrong.
    #[error("recipe {recipe}: {why}")]
    Recipe {
        /// Its name or file.
        recipe: String,
        /// What is wrong, with the place.
        why: String,
    },
    /// A registry does not have what the recipe names.
    #[error("recipe {recipe} names {package}, which {registry} does not have: {why}")]
    NoSuchPackage {
        /// The recipe.
        recipe: String,
        /// The package as named.
        package: String,
        /// Debian, PyPI, Maven or npm, with its address.
        registry: String,
        /// What the registry answered.
        why: String,
    },
    /// Packages were found, but not versions that go together.
    #[error("recipe {recipe}: {registry} packages don't go together: {why}")]
    Unsolvable {
        /// The recipe.
        recipe: String,
        /// Which registry's.
        registry: String,
        /// The resolver's words.
        why: String,
    },
    /// A download did not succeed after all tries.
    #[error("can't fetch {url}: {why}")]
    Unreachable {
        /// What was asked, without credentials.
        url: String,
        /// The last failure.
        why: String,
    },
    /// A signed index does not carry a signature of a known key.
    #[error("the signature of {url} is not good: {why}")]
    Signature {
        /// The index.
        url: String,
        /// What failed.
        why: String,
    },
    /// Bytes came, but not the ones promised.
    #[error("{url} has the wrong content: {promised} was promised, {got} came")]
    Checksum {
        /// What was fetched.
        url: String,
        /// Promised digest.
        promised: String,
        /// Digest of what came.
        got: String,
    },
    /// A package or archive can't be unpacked.
    #[error("{what} can't be unpacked: {why}")]
    Unpack {
        /// The package or file.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A program run inside the image in the making failed.
    #[error("{what} failed: {why}")]
    Step {
        /// What was being done.
        what: String,
        /// End of its output.
        why: String,
    },
    /// Too little room for the build.
    #[error("{dir} has {free_mib} MiB free, the build needs about {needed_mib} MiB")]
    Disk {
        /// Where it is short.
        dir: PathBuf,
        /// Free mebibytes.
        free_mib: u64,
        /// Needed mebibytes.
        needed_mib: u64,
    },
    /// A file or folder refused.
    #[error("{doing} {path}")]
    Io {
        /// The verb: "write", "read".
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// An archive to import is no OCI image layout.
    #[error("this is no OCI image archive: {why}")]
    NotOci {
        /// What is missing or wrong.
        why: String,
    },
    /// The image is not there.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// A stored image is damaged.
    #[error("stored image {id} is damaged: {why}")]
    Damaged {
        /// Which.
        id: ImageId,
        /// What is missing or unreadable.
        why: String,
    },
}

impl ImageError {
    /// Wraps a refusal of the file system with the verb and the place.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

/// Every code of this crate.
pub const CODES: &[Code] = &[
    UNKNOWN,
    MALFORMED,
    STORE,
    RECIPE,
    NO_PACKAGE,
    UNSOLVABLE,
    UNREACHABLE,
    SIGNATURE,
    CHECKSUM,
    UNPACK,
    STEP,
    DISK,
    IO,
    NOT_OCI,
    DAMAGED,
];

const UNKNOWN: Code = Code {
    id: "EY-IMG-001",
    what: "A pod or command names an image that is not in the store.",
    why: "images here are built from recipes or imported; none is pulled from a registry on its own",
    cure: "`emberyard image list` shows the known ones; `emberyard image build NAME` or `emberyard image import FILE` adds one",
};
const MALFORMED: Code = Code {
    id: "EY-IMG-002",
    what: "An image reference can't be read.",
    why: "a reference is [registry/]name[:tag][@digest]",
    cure: "correct the pod's `image` field",
};
const STORE: Code = Code {
    id: "EY-IMG-003",
    what: "The image store can't be read.",
    why: "its folder is missing, damaged, or belongs to somebody else",
    cure: "look at the folder's owner and permissions; `emberyard image build NAME` makes images anew",
};
const RECIPE: Code = Code {
    id: "EY-IMG-004",
    what: "A recipe is wrong.",
    why: "a key or value in it is not one that recipes have",
    cure: "correct the place named; the built-in recipes are examples",
};
const NO_PACKAGE: Code = Code {
    id: "EY-IMG-005",
    what: "A recipe names a package that its registry does not have.",
    why: "the name or version is misspelt, was never published for this machine's architecture, or was withdrawn",
    cure: "correct the package's name or version in the recipe; nothing was changed",
};
const UNSOLVABLE: Code = Code {
    id: "EY-IMG-006",
    what: "The packages of a recipe exclude each other.",
    why: "two of them need different versions of a third",
    cure: "relax or change one of the versions named",
};
const UNREACHABLE: Code = Code {
    id: "EY-IMG-007",
    what: "A download failed.",
    why: "no network, a proxy that is not set, or a registry that is down",
    cure: "set HTTPS_PROXY/NO_PROXY, SSL_CERT_FILE, EMBERYARD_DEBIAN_MIRROR, PIP_INDEX_URL or EMBERYARD_MAVEN_URL as your network needs and run it again: it goes on where it stopped",
};
const SIGNATURE: Code = Code {
    id: "EY-IMG-008",
    what: "A signed package index does not verify.",
    why: "the mirror serves another distribution, an old or a tampered index",
    cure: "use another mirror (EMBERYARD_DEBIAN_MIRROR)",
};
const CHECKSUM: Code = Code {
    id: "EY-IMG-009",
    what: "Downloaded bytes are not the promised ones.",
    why: "a proxy or mirror changed or cut them",
    cure: "run it again; if it stays, use another mirror or go around the proxy",
};
const UNPACK: Code = Code {
    id: "EY-IMG-010",
    what: "A package can't be unpacked.",
    why: "its format is not one we know, or it is damaged",
    cure: "run it again; if it stays, leave the package out and tell us its name",
};
const STEP: Code = Code {
    id: "EY-IMG-011",
    what: "A program inside the image in the making failed.",
    why: "its own message says it",
    cure: "correct what it names; what was downloaded is kept for the next try",
};
const DISK: Code = Code {
    id: "EY-IMG-012",
    what: "Too little disk space.",
    why: "an image needs room for its packages and for the layers made of them",
    cure: "make room, `emberyard image prune`, or put the yard elsewhere with --dir",
};
const IO: Code = Code {
    id: "EY-IMG-013",
    what: "The file system refused.",
    why: "permissions, a full disk or a file system without what images need",
    cure: "look at the path named",
};
const NOT_OCI: Code = Code {
    id: "EY-IMG-014",
    what: "A file to import is no OCI image archive.",
    why: "import reads tar archives with an OCI image layout (oci-layout, index.json, blobs)",
    cure: "export it again as an OCI archive, for example `skopeo copy … oci-archive:FILE`",
};
const DAMAGED: Code = Code {
    id: "EY-IMG-015",
    what: "A stored image is damaged.",
    why: "files of the store were removed or changed",
    cure: "`emberyard image prune` and build it again",
};

impl Explained for ResolveError {
    fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } => UNKNOWN,
            Self::Malformed { .. } => MALFORMED,
            Self::Store { .. } => STORE,
        }
    }
}

impl Explained for ImageError {
    fn code(&self) -> Code {
        match self {
            Self::Recipe { .. } => RECIPE,
            Self::NoSuchPackage { .. } => NO_PACKAGE,
            Self::Unsolvable { .. } => UNSOLVABLE,
            Self::Unreachable { .. } => UNREACHABLE,
            Self::Signature { .. } => SIGNATURE,
            Self::Checksum { .. } => CHECKSUM,
            Self::Unpack { .. } => UNPACK,
            Self::Step { .. } => STEP,
            Self::Disk { .. } => DISK,
            Self::Io { .. } => IO,
            Self::NotOci { .. } => NOT_OCI,
            Self::Resolve(inner) => inner.code(),
            Self::Damaged { .. } => DAMAGED,
        }
    }
}
