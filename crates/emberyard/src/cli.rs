//! What can be typed: every verb and switch, with its help, its default and its examples.

mod resources;

pub use resources::{
    HdfsCreate, HdfsDelete, HdfsTarget, HdfsVerb, ImageVerb, NodeVerb, NotebookRun, NotebookTarget, NotebookVerb, Racks,
};

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use emberyard_model::NodeName;
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "emberyard",
    version,
    about = "Apache Spark, elastic on Kubernetes: on one machine with a small Kubernetes of its own, or on your cluster",
    after_help = "Examples:\n  emberyard up                 start a yard, open JupyterLab on this folder\n  emberyard demo tutorial      play the tutorial, step by step, with its verdicts\n  emberyard status             what runs, where, at which address\n  emberyard down --purge       stop everything and remove the yard's data"
)]
pub struct Cli {
    /// Common switches.
    #[command(flatten)]
    pub common: Common,
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Switches that every verb understands.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Folder of the yard's state; several yards can run side by side.
    #[arg(long, env = "EMBERYARD_DIR", global = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Form of the result on standard output: table, wide, json or yaml. Of `notebook run`: the file to write the
    /// notebook with its outputs to.
    #[arg(short, long, global = true, default_value = "table", value_name = "FORM|FILE")]
    pub output: Output,
}

/// Where a result goes: to standard output in some form, or into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A form on standard output.
    Form(Form),
    /// A file. Only `notebook run` writes one.
    File(PathBuf),
}

impl From<&str> for Output {
    fn from(text: &str) -> Self {
        Form::from_str(text, false).map_or_else(|_| Self::File(text.into()), Self::Form)
    }
}

impl Output {
    /// The form on standard output.
    pub fn form(&self) -> Form {
        match self {
            Self::Form(form) => *form,
            Self::File(_) => Form::Table,
        }
    }
}

impl Cli {
    /// What was typed. Ends the program with a message where it can't be understood.
    pub fn typed() -> Self {
        let cli = Self::parse();
        if let Output::File(file) = &cli.common.output
            && !matches!(cli.verb, Verb::Notebook(NotebookVerb::Run(_)))
        {
            let file = file.display();
            let text = format!("invalid value '{file}' for '--output': write table, wide, json or yaml");
            Self::command().error(ErrorKind::InvalidValue, text).exit();
        }
        cli
    }
}

/// Forms of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A table for people.
    Table,
    /// The table with more columns.
    Wide,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Starts or resumes the yard, waits until the notebook answers, prints its URL.
    Up(Up),
    /// Stops everything of this yard; keeps data unless --purge.
    Down(Down),
    /// Mends a damaged journal of a stopped yard; says first what is lost.
    Repair(Repair),
    /// Nodes, notebooks, sessions and addresses.
    Status,
    /// Prints a kubeconfig for kubectl, helm and other clients.
    Kubeconfig(Kubeconfig),
    /// Plays a part of the tutorial, each step shown with its verdict and time.
    Demo(Demo),
    /// Rehearses faults while jobs run: kills, cuts, freezes at seeded moments; checks answers and leftovers.
    Chaos(Chaos),
    /// Life of a notebook.
    #[command(subcommand)]
    Notebook(NotebookVerb),
    /// Life of an HDFS.
    #[command(subcommand)]
    Hdfs(HdfsVerb),
    /// Environments from recipes of registry packages.
    #[command(subcommand)]
    Image(ImageVerb),
    /// Nodes of the fleet.
    #[command(subcommand)]
    Node(NodeVerb),
    /// Why nodes were added, kept or removed, and why a pod waits.
    Explain,
    /// What this machine offers, which mode runs, and the cure for what is missing.
    Doctor,
    /// Writes completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Writes the manual page, or with DIR a page for every verb into that folder.
    #[command(after_help = "Examples:\n  emberyard man | man -l -\n  emberyard man ~/.local/share/man/man1")]
    Man {
        /// The folder, as one of `man`'s (…/man1).
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Removes what Emberyard left on this machine; says first what goes and what stays.
    Uninstall(Uninstall),
    /// Writes the page of all error codes.
    #[command(hide = true)]
    ErrorPages {
        /// The file to write.
        file: PathBuf,
    },
    /// The yard's keeper (started by `up`).
    #[command(hide = true)]
    Keeper,
    /// The embedded API server, scheduler and controllers (started by the keeper).
    Api,
    /// The operator and gateway (started by the keeper or a chart).
    Operator,
    /// A step of the yard's network (started by the keeper).
    #[command(hide = true, subcommand)]
    YardNet(YardNet),
    /// A node's agent (started by the keeper).
    #[command(hide = true)]
    NodeAgent {
        /// The node's name.
        name: NodeName,
    },
}

/// `up`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  emberyard up\n  emberyard up ~/analysis --nodes 2..4 --node-shape cpu=4,memory=8Gi\n  emberyard up --notebook none --detach"
)]
pub struct Up {
    /// Folder that JupyterLab opens on; the current one if not given.
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Fleet file (YAML): nodes, shape, boot delay.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["nodes", "node_shape"])]
    pub fleet: Option<PathBuf>,
    /// Smallest and largest number of nodes.
    #[arg(long, value_name = "MIN..MAX")]
    pub nodes: Option<String>,
    /// Capacity that each node declares.
    #[arg(long, value_name = "cpu=N,memory=SIZE")]
    pub node_shape: Option<String>,
    /// Name of the notebook to open, or `none`.
    #[arg(long, value_name = "NAME|none", default_value = "my-pyspark-notebook")]
    pub notebook: String,
    /// Return when the notebook answers; the yard runs on until `emberyard down`.
    #[arg(long)]
    pub detach: bool,
    /// Port of the gateway on 127.0.0.1 (chosen at the first `up` and kept).
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Port of the Kubernetes API on 127.0.0.1 (chosen at the first `up` and kept).
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub api_port: Option<u16>,
    /// Image store to share with other yards; the yard's own if not given.
    #[arg(long, env = "EMBERYARD_IMAGES", value_name = "DIR")]
    pub images: Option<PathBuf>,
    /// Let pods reach this port of the machine's own loopback (as machine.emberyard.internal).
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub allow_host: Vec<u16>,
    /// Pods reach the outside through an HTTP proxy in their environment, as where the kernel has no nf_tables (kept).
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub outbound_by_proxy: Option<bool>,
    /// Let hostPath volumes reach a folder of the machine.
    #[arg(long, value_name = "HOST:PATH")]
    pub mount: Vec<String>,
    /// What the journal may take on disk (64Mi); changes beyond it are refused. No limit if not given at the first `up`.
    #[arg(long, value_name = "SIZE")]
    pub journal_limit: Option<String>,
    /// Do not open a browser.
    #[arg(long)]
    pub no_browser: bool,
}

/// `down`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  emberyard down\n  emberyard down --purge --yes")]
pub struct Down {
    /// Also remove the yard's data: volumes, images, downloads, journal. Your own folder stays.
    #[arg(long)]
    pub purge: bool,
    /// Do not ask.
    #[arg(long, requires = "purge")]
    pub yes: bool,
}

/// `repair`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  emberyard repair             what is damaged, and what a repair would lose\n  emberyard repair --yes       do it; the damaged files stay beside the new ones"
)]
pub struct Repair {
    /// Do it, without asking.
    #[arg(long)]
    pub yes: bool,
}

/// `uninstall`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  emberyard uninstall          what would go, what stays, and a question\n  emberyard uninstall --yes\n  emberyard uninstall -o json  the list alone: nothing is removed without --yes"
)]
pub struct Uninstall {
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

/// `kubeconfig`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  emberyard kubeconfig > yard.kubeconfig\n  KUBECONFIG=<(emberyard kubeconfig) kubectl get nodes\n  emberyard kubeconfig --merge"
)]
pub struct Kubeconfig {
    /// Add a context to your own kubeconfig file instead of printing.
    #[arg(long)]
    pub merge: bool,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// The part to play.
    #[arg(value_enum, default_value = "tutorial")]
    pub part: DemoPart,
    /// Leave the yard running afterwards.
    #[arg(long)]
    pub keep: bool,
}

/// Parts of the tutorial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DemoPart {
    /// Notebook, two executors, the sum, and gone again.
    Tutorial,
    /// Ten executors: nodes are added and removed.
    Scale,
    /// An HDFS: made, written, read where it lies, killed as a whole, found again.
    Hdfs,
}

/// `chaos`.
#[derive(Debug, Args)]
#[command(
    after_help = "Faults:\n  executor, executor-pod, python-worker, agent, node, keeper, control-plane, operator, everything, link,\n  cable, freeze, long-freeze: the job's answer must be right all the same\n  kernel, driver-jvm, notebook-pod, notebook-pod-deleted, notebook-node, restart: the job is lost, nothing may be\n  left of it after seconds, and the next session must work\n  hdfs: namenode, namenode-pod, namenodes, namenode-link, namenode-cable, zkfc, journalnode, journalnode-full, zookeeper,\n  datanode, datanode-full, hdfs-node, hdfs-pods: strike the HDFS there is, or one made for the rehearsal. Meanwhile files are written to\n  it; whatever it acknowledged must be there afterwards, and the longest time a writer waited is told\n\nThe same list, seed and count are always the same schedule. Exit 1 if a promise is broken.\n\nExamples:\n  emberyard chaos executor,agent,control-plane --seed 7 --count 12\n  emberyard chaos all --count 100 -o json > report.json\n  emberyard chaos all --seed 7 --count 20 --plan\n  emberyard chaos hdfs --seed 7 --count 24"
)]
pub struct Chaos {
    /// Kinds of faults with commas between; `all` for those of Spark and of the yard, `hdfs` for those of an HDFS.
    #[arg(value_name = "LIST", default_value = "all")]
    pub faults: String,
    /// Number from which the schedule follows; a random one, which is said, if not given.
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// How many faults.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub count: u32,
    /// Only print the schedule.
    #[arg(long)]
    pub plan: bool,
    /// Leave the yard running afterwards.
    #[arg(long)]
    pub keep: bool,
}

/// Steps of the yard's network, run inside the yard's network namespace.
#[derive(Debug, Clone, Subcommand)]
pub enum YardNet {
    /// Bridge and outbound redirection.
    Setup {
        /// Redirect nothing.
        #[arg(long)]
        no_redirect: bool,
    },
    /// Cable to a node.
    Attach {
        /// The node's name.
        name: NodeName,
        /// The node's number.
        index: u8,
        /// Process whose network namespace is the node's.
        pid: u32,
    },
    /// Keeps the pods of two nodes from each other (a rehearsal's fault).
    Cut {
        /// One node's number.
        a: u8,
        /// The other's.
        b: u8,
    },
    /// Undoes `cut`.
    Heal {
        /// One node's number.
        a: u8,
        /// The other's.
        b: u8,
    },
    /// Pulls a node's cable (a rehearsal's fault).
    Unplug {
        /// The node's number.
        index: u8,
    },
    /// Undoes `unplug`.
    Plug {
        /// The node's number.
        index: u8,
    },
    /// Pulls a pod's cable (a rehearsal's fault).
    UnplugPod {
        /// A process on its node, outside of pods.
        neighbour: u32,
        /// The pod's address.
        address: Ipv4Addr,
    },
    /// Undoes `unplug-pod`.
    PlugPod {
        /// A process on its node, outside of pods.
        neighbour: u32,
        /// The pod's address.
        address: Ipv4Addr,
    },
    /// Takes the cable away.
    Detach {
        /// The node's name.
        name: NodeName,
        /// The node's number.
        index: u8,
    },
}
