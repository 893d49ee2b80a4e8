//! What Kubernetes objects are: the table of kinds, schemas, patches, selectors, wire forms. Pure functions on values.
