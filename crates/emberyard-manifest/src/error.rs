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
pub const CODES: &[Code] = &[NAME, FORM, FOLDER, AMOUNT, SPARK_DEFAULT];

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
