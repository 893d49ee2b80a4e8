//! Holders, supervisors, namespaces, cgroups. Single-threaded processes, no async runtime, the only unsafe.
