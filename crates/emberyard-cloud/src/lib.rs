//! Where nodes come from: the Provider seam and its providers.
