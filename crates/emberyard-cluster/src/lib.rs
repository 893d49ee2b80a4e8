//! The API server as a pure state machine: store, journal records, watch history, admission, RBAC.
