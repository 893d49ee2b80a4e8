//! Decisions: which nodes to buy, which to remove, and why.
