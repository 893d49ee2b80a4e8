//! The steps of a build, counted before it begins.

use crate::progress::{Progress, Stage};
use crate::recipe::Recipe;

/// Where a build stands.
#[derive(Debug)]
pub struct Stages {
    done: u32,
    of: u32,
}

impl Stages {
    /// The steps of these recipes.
    pub fn of(recipes: &[Recipe]) -> Self {
        Self { done: 0, of: recipes.iter().map(count).sum() }
    }

    /// The next step begins.
    pub fn next(&mut self, progress: &mut dyn Progress, title: &str) {
        self.done += 1;
        // A finishing program of an image below may come on top of what was counted.
        self.of = self.of.max(self.done);
        progress.stage(&Stage { step: self.done, of: self.of, title: title.to_owned() });
    }

    /// All steps of a recipe whose image is there.
    pub fn skip(&mut self, recipe: &Recipe) {
        self.done += count(recipe);
    }
}

fn count(recipe: &Recipe) -> u32 {
    let packages = |list: &Vec<String>| if list.is_empty() { 0 } else { 2 };
    let extras = u32::from(super::extras::needed(recipe));
    packages(&recipe.debian) + packages(&recipe.pypi) + extras + recipe.finish.len() as u32 + 1
}
