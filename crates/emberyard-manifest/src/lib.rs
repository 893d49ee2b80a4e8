//! Validated specs to Kubernetes objects and Spark and Jupyter configuration.
