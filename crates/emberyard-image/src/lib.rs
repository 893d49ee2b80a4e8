//! Recipes, registries, layers: complete images from packages.
