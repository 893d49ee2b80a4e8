//! Recipes, registries, layers: complete images from packages of Debian, PyPI, Maven and npm.
//!
//! Nothing of the machine is needed but a kernel with namespaces: package indexes are read directly, programs run
//! inside the image in the making. The store is an OCI layout whose layers lie unpacked, ready to be overlay's lowers.

pub mod alias;
pub mod build;
pub mod error;
pub mod image;
pub mod progress;
pub mod recipe;
pub mod recipes;
pub mod reference;
pub mod store;

pub use build::{BuildOptions, build};
pub use error::{CODES, ImageError, ResolveError};
pub use image::{AliasSaid, ImageConfig, ImageId, ImageSummary, ImageUser, Resolved};
pub use progress::{Progress, Silent, Stage};
pub use recipe::Recipe;
pub use store::Store;
