//! Thin wrapper of kube: the only crate that names a Kubernetes client library.
