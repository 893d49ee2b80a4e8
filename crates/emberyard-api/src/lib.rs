//! Serves the embedded API over TLS; owns the journal's files, certificates and tokens.
