//! Recipes, registries, layers: complete images from packages of Debian, PyPI, Maven and npm.
//!
//! Nothing of the machine is needed but a kernel with namespaces: package indexes are read directly, programs run
//! inside the image in the making. The store is an OCI layout whose layers lie unpacked, ready to be overlay's lowers.

pub mod alias;
pub mod build;
mod debian;
mod digest;
pub mod error;
pub mod image;
mod inside;
mod layer;
mod lock_form;
mod net;
mod oci;
pub mod progress;
mod python;
pub mod recipe;
pub mod recipes;
pub mod reference;
mod registries;
pub mod store;
mod tree;
mod unlayer;

pub use build::{BuildOptions, Lock, ask, build, is_current, lock};
pub use error::{CODES, ImageError, ResolveError};
pub use image::{AliasSaid, ImageConfig, ImageId, ImageSummary, ImageUser, Resolved};
pub use progress::{Progress, Silent, Stage};
pub use python::settings::Indexes;
pub use python::wheel::fetch_wheel;
pub use recipe::Recipe;
pub use store::Store;
