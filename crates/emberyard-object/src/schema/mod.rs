//! Structure of objects: reading them as the server would, and checking them.

mod checks;
mod decode;
mod definitions;
mod node;
mod quantity;
mod read;
mod rules;
mod validate;
mod zero;

pub use checks::Checks;
pub use decode::{DecodeError, Decoded, FieldValidation, decode, decode_as};
pub use definitions::{Definition, definition};
pub use node::{ListType, Object, PatchRule, Schema, Shape, StringFormat};
pub use quantity::canonical as canonical_quantity;
pub use read::read_custom;
pub use rules::Rules;
pub use validate::{Cause, validate};
pub(crate) use zero::is_zero;

#[cfg(test)]
mod tests;
