//! What is typed about notebooks, HDFS, images and nodes.

use clap::{Args, Subcommand, ValueEnum};
use emberyard_model::hdfs::{MOST_DISKS, NAME_NODES};
use emberyard_model::{NamespaceName, NodeName, ObjectName};
use std::path::PathBuf;

/// `notebook`.
#[derive(Debug, Subcommand)]
pub enum NotebookVerb {
    /// Creates a notebook.
    Create(NotebookTarget),
    /// Lists notebooks.
    List,
    /// Prints the link that opens it, token included.
    Url(NotebookTarget),
    /// Stops the pod; files and volume stay.
    Stop(NotebookTarget),
    /// Deletes it with its volume.
    Delete(NotebookTarget),
    /// Runs a file in the notebook's own kernel and prints its output.
    Run(NotebookRun),
}

/// Which notebook.
#[derive(Debug, Args)]
pub struct NotebookTarget {
    /// The notebook's name.
    pub name: ObjectName,
    /// Its namespace.
    #[arg(short, long, default_value = "default")]
    pub namespace: NamespaceName,
}

/// `notebook run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  emberyard notebook run my-pyspark-notebook analysis.ipynb --output done.ipynb\n  emberyard notebook run my-pyspark-notebook job.py --timeout 600"
)]
pub struct NotebookRun {
    /// Which notebook.
    #[command(flatten)]
    pub target: NotebookTarget,
    /// A notebook (.ipynb) or Python (.py) file on this machine.
    pub file: PathBuf,
    /// Seconds that all cells together may take.
    #[arg(long, value_name = "S", default_value_t = 3600)]
    pub timeout: u64,
}

/// `hdfs`.
#[derive(Debug, Subcommand)]
pub enum HdfsVerb {
    /// Creates an HDFS, and waits until it serves.
    #[command(
        after_help = "Examples:\n  emberyard hdfs create my-hdfs\n  emberyard hdfs create small --name-nodes 1 --data-nodes 1"
    )]
    Create(HdfsCreate),
    /// Lists them.
    List,
    /// What one consists of, and how much of it is ready.
    Status(HdfsTarget),
    /// Deletes one; its volumes stay, and an HDFS of the same name finds its files again.
    Delete(HdfsDelete),
}

/// Which HDFS.
#[derive(Debug, Args)]
pub struct HdfsTarget {
    /// Its name; also that of its nameservice: `hdfs://NAME`.
    pub name: ObjectName,
    /// Its namespace.
    #[arg(short, long, default_value = "default")]
    pub namespace: NamespaceName,
}

/// `hdfs create`.
#[derive(Debug, Args)]
pub struct HdfsCreate {
    /// Which HDFS.
    #[command(flatten)]
    pub target: HdfsTarget,
    /// NameNodes: 2, of which one takes over when the other dies, or 1, without JournalNodes and ZooKeeper.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(NAME_NODES)))]
    pub name_nodes: Option<u32>,
    /// DataNodes (4 if not given).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub data_nodes: Option<u32>,
    /// Volumes of each DataNode (1 if not given).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_DISKS)))]
    pub disks: Option<u32>,
    /// What copies of a block are kept apart by: each node by itself, or by zone and then node (node if not given).
    #[arg(long)]
    pub racks: Option<Racks>,
    /// A namespace beside its own whose pods may reach it; may be given again. Whoever reaches it is trusted.
    #[arg(long = "client-namespace", value_name = "NAMESPACE")]
    pub client_namespaces: Vec<NamespaceName>,
    /// Copies of each block where a file's writer says nothing (3 if not given, or as many as there are DataNodes).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub replication: Option<u32>,
}

/// What counts as a rack of an HDFS.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Racks {
    /// Each node by itself.
    Node,
    /// All nodes of a zone (label `topology.kubernetes.io/zone`).
    Zone,
}

/// `hdfs delete`.
#[derive(Debug, Args)]
pub struct HdfsDelete {
    /// Which HDFS.
    #[command(flatten)]
    pub target: HdfsTarget,
    /// Deletes its volumes too: all files are lost.
    #[arg(long)]
    pub volumes: bool,
}

/// `image`.
#[derive(Debug, Subcommand)]
pub enum ImageVerb {
    /// Lists images and the names that lead to them.
    List,
    /// Builds an image from a built-in recipe or a recipe file.
    Build {
        /// Name of a built-in recipe, or a file.
        recipe: String,
    },
    /// Brings in an OCI archive.
    Import {
        /// The archive.
        file: PathBuf,
    },
    /// Writes an image as OCI archive.
    Export {
        /// The image's name.
        image: String,
        /// The archive to write.
        file: PathBuf,
    },
    /// Removes what no image and no pod of this yard uses. Other yards that share the folder of images must be down.
    Prune,
}

/// `node`.
#[derive(Debug, Subcommand)]
pub enum NodeVerb {
    /// Lists nodes.
    List,
    /// Marks a node unschedulable and moves its pods away.
    Drain {
        /// The node.
        name: NodeName,
    },
    /// Kills a node with everything on it, as a power cut would.
    Kill {
        /// The node.
        name: NodeName,
    },
}
