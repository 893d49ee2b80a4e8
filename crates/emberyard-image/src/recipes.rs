//! The recipes that come with the program.

use crate::recipe::Recipe;

/// The built-in recipes, each after the one it stands on: `debian-base`, `spark-py`, `pyspark-notebook`.
pub fn builtin() -> Vec<Recipe> {
    todo!()
}

/// The built-in recipe of this name.
pub fn find(name: &str) -> Option<Recipe> {
    builtin().into_iter().find(|recipe| recipe.name == name)
}
