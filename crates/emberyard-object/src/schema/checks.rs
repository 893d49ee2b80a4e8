//! Constraints of a schema beyond the type.

use super::Schema;
use regex::Regex;
use serde_json::Value;

/// Constraints; absent ones don't hold back anything.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    /// Allowed values; empty = all.
    pub allowed: Vec<Value>,
    /// Least number, and whether it is itself excluded.
    pub minimum: Option<(f64, bool)>,
    /// Largest number, and whether it is itself excluded.
    pub maximum: Option<(f64, bool)>,
    /// The number is a multiple of this.
    pub multiple_of: Option<f64>,
    /// Least number of characters.
    pub min_length: Option<usize>,
    /// Largest number of characters.
    pub max_length: Option<usize>,
    /// What the text must contain.
    pub pattern: Option<Regex>,
    /// Least number of items.
    pub min_items: Option<usize>,
    /// Largest number of items.
    pub max_items: Option<usize>,
    /// Least number of members.
    pub min_properties: Option<usize>,
    /// Largest number of members.
    pub max_properties: Option<usize>,
    /// All must hold.
    pub all_of: Vec<Schema>,
    /// At least one must hold, unless empty.
    pub any_of: Vec<Schema>,
    /// Exactly one must hold, unless empty.
    pub one_of: Vec<Schema>,
    /// Must not hold.
    pub not: Option<Box<Schema>>,
}
