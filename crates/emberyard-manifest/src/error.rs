//! Why a Notebook's spec can't be carried out.

use emberyard_model::{Code, Explained};

/// A contradiction or impossibility in a Notebook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNotebook {
    /// The name can't carry the suffixes of its services.
    #[error("the notebook's name \"{name}\" can't be used: {why}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// The spec is not of the Notebook's form.
    #[error("the notebook's spec can't be read: {0}")]
    Form(String),
    /// The folder is not an absolute, plain path, or is one of the pod's own.
    #[error("the folder \"{path}\" can't be shown in a notebook: {why}")]
    Folder {
        /// The path.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An amount that makes no sense.
    #[error("{field} is {value}; it must be above zero")]
    Amount {
        /// Field of the spec.
        field: &'static str,
        /// What it says.
        value: String,
    },
    /// A Spark default that can't be written into spark-defaults.conf.
    #[error("the Spark default \"{key}\" can't be used: {why}")]
    SparkDefault {
        /// The key.
        key: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

const NAME: Code = Code {
    id: "EY-NBK-001",
    what: "A notebook's name can't be used.",
    why: "Its services are called NAME-spark-driver and NAME-spark-ui, and a service's name is a DNS label of at most 63 characters.",
    cure: "Choose a name of lower case letters, digits and '-', at most 50 characters long.",
};
const FORM: Code = Code {
    id: "EY-NBK-002",
    what: "A notebook's spec can't be read.",
    why: "A field has another type than the Notebook's definition says.",
    cure: "Compare it with `kubectl explain notebook.spec`.",
};
const FOLDER: Code = Code {
    id: "EY-NBK-003",
    what: "A folder can't be shown in a notebook.",
    why: "It appears at the same path in the pods, so the path must be absolute and plain and not one that the pods need themselves.",
    cure: "Name another folder, for example one below your home: `emberyard up FOLDER`.",
};
const AMOUNT: Code = Code {
    id: "EY-NBK-004",
    what: "An amount in a notebook's spec is zero or negative.",
    why: "A pod without CPU or memory and a volume without room can't exist.",
    cure: "Write a positive amount or leave the field out for the default.",
};
const SPARK_DEFAULT: Code = Code {
    id: "EY-NBK-005",
    what: "A Spark default can't be used.",
    why: "spark-defaults.conf holds one `spark.…` key and its value on each line.",
    cure: "Use a key that begins with `spark.` and has no blanks, and a value of one line.",
};

/// All codes of this crate.
pub const CODES: &[Code] = &[
    NAME,
    FORM,
    FOLDER,
    AMOUNT,
    SPARK_DEFAULT,
    HDFS_NAME,
    HDFS_FORM,
    HDFS_REPLICATION,
    HDFS_VOLUME,
    HDFS_RESIZE,
    HDFS_FEWER,
    HDFS_NAME_NODES,
    HDFS_FLEET,
    HDFS_DISKS,
];

impl Explained for InvalidNotebook {
    fn code(&self) -> Code {
        match self {
            Self::Name { .. } => NAME,
            Self::Form(_) => FORM,
            Self::Folder { .. } => FOLDER,
            Self::Amount { .. } => AMOUNT,
            Self::SparkDefault { .. } => SPARK_DEFAULT,
        }
    }
}

/// A contradiction or impossibility in an HdfsCluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHdfs {
    /// The name can't carry the suffixes of its parts.
    #[error("the HDFS's name \"{name}\" can't be used: {why}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// The spec is not of the HdfsCluster's form.
    #[error("the HDFS's spec can't be read: {0}")]
    Form(String),
    /// Neither one NameNode nor two.
    #[error("spec.nameNodes is {name_nodes}")]
    NameNodes {
        /// NameNodes wanted.
        name_nodes: u32,
    },
    /// Another number of NameNodes than the volumes that are there were made for.
    #[error("spec.nameNodes is {wanted}, and its volumes are those of {has}")]
    OtherNameNodes {
        /// NameNodes wanted.
        wanted: u32,
        /// NameNodes there were.
        has: u32,
    },
    /// More copies of a block than servers to hold them, or none.
    #[error("spec.replication is {replication}, with {data_nodes} DataNodes")]
    Replication {
        /// Copies wanted.
        replication: u32,
        /// DataNodes wanted.
        data_nodes: u32,
    },
    /// A volume that is too small to begin with.
    #[error("{field} is {value}; it must be at least {least}")]
    Volume {
        /// Field of the spec.
        field: &'static str,
        /// What it says.
        value: String,
        /// What is needed.
        least: String,
    },
    /// Another volume than the one that is there.
    #[error("{field} is {value}, and its volumes have {has}")]
    Resize {
        /// Field of the spec.
        field: &'static str,
        /// What it says.
        value: String,
        /// What there is.
        has: String,
    },
    /// No volume for a DataNode, or too many.
    #[error("spec.disks is {disks}")]
    Disks {
        /// Volumes wanted for each DataNode.
        disks: u32,
    },
    /// More than the cluster's fleet can ever hold.
    #[error("it would never be whole: {0}")]
    Fleet(String),
    /// Fewer DataNodes than there are volumes with blocks.
    #[error("spec.dataNodes is {wanted}, and the volume {volume} may hold blocks")]
    FewerDataNodes {
        /// DataNodes wanted.
        wanted: u32,
        /// A volume that would lie unused.
        volume: String,
    },
}

const HDFS_NAME: Code = Code {
    id: "EY-HDF-001",
    what: "An HDFS's name can't be used.",
    why: "Its parts are called NAME-namenode, NAME-journalnode and so on, and appear in labels of at most 63 characters.",
    cure: "Choose a name of lower case letters, digits and '-', at most 40 characters long, with a letter first.",
};
const HDFS_FORM: Code = Code {
    id: "EY-HDF-002",
    what: "An HDFS's spec can't be read.",
    why: "A field has another type than the HdfsCluster's definition says.",
    cure: "Compare it with `kubectl explain hdfscluster.spec`.",
};
const HDFS_REPLICATION: Code = Code {
    id: "EY-HDF-003",
    what: "An HDFS can't keep as many copies of a block as asked.",
    why: "Each copy lies on another DataNode, and there must be at least one.",
    cure: "Ask for more DataNodes (spec.dataNodes) or fewer copies (spec.replication).",
};
const HDFS_VOLUME: Code = Code {
    id: "EY-HDF-004",
    what: "A volume of an HDFS is too small.",
    why: "Journals and blocks need some room before the first file is written.",
    cure: "Write a larger size or leave the field out for the default.",
};

const HDFS_RESIZE: Code = Code {
    id: "EY-HDF-005",
    what: "A volume of an HDFS can't be changed in place.",
    why: "Its data lies on a volume that was made with what the spec said then; what runs stays as it is.",
    cure: "Write what the volumes have, or make another HDFS with other volumes and copy the files to it.",
};
const HDFS_FEWER: Code = Code {
    id: "EY-HDF-006",
    what: "An HDFS can't do without a volume that may hold blocks.",
    why: "The volume is that of a DataNode which is not there to hand them over; what runs stays as it is.",
    cure: "Write the number of DataNodes that there was. Once they are ready it can be lowered: blocks are copied to the others first.",
};
const HDFS_NAME_NODES: Code = Code {
    id: "EY-HDF-007",
    what: "An HDFS has one NameNode or two.",
    why: "One alone serves by itself; of two the second is the standby that takes over. More standbys are not made.",
    cure: "Write 1 or 2, or leave spec.nameNodes out for two.",
};
const HDFS_FLEET: Code = Code {
    id: "EY-HDF-008",
    what: "A fleet can't hold an HDFS.",
    why: "What all its pods ask for is more than all nodes have that the fleet may grow to.",
    cure: "Allow more nodes or larger ones (`emberyard up --nodes MIN..MAX --node-shape …`), or ask for fewer DataNodes (spec.dataNodes) or for one NameNode (spec.nameNodes).",
};
const HDFS_DISKS: Code = Code {
    id: "EY-HDF-009",
    what: "A DataNode of an HDFS has 1 to 16 volumes.",
    why: "Blocks need one; more than these no node's disks stand behind.",
    cure: "Write a number from 1 to 16, or leave spec.disks out for one.",
};

impl Explained for InvalidHdfs {
    fn code(&self) -> Code {
        match self {
            Self::Name { .. } => HDFS_NAME,
            Self::Form(_) => HDFS_FORM,
            Self::Replication { .. } => HDFS_REPLICATION,
            Self::Volume { .. } => HDFS_VOLUME,
            Self::Resize { .. } | Self::OtherNameNodes { .. } => HDFS_RESIZE,
            Self::NameNodes { .. } => HDFS_NAME_NODES,
            Self::FewerDataNodes { .. } => HDFS_FEWER,
            Self::Fleet(_) => HDFS_FLEET,
            Self::Disks { .. } => HDFS_DISKS,
        }
    }
}
