//! Recipes: what an image is made of, as TOML.

mod check;

use crate::error::ImageError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What an image is made of. One recipe makes one layer on top of the image it starts `from`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Name of the image in the store.
    pub name: String,
    /// What it is for, in a line.
    pub title: String,
    /// The image it stands on; without one it begins with Debian packages.
    pub from: Option<String>,
    /// Debian packages; what they depend on comes along.
    pub debian: Vec<String>,
    /// Debian packages to leave out though others depend on them.
    pub without: Vec<String>,
    /// Python packages as pip writes them (`polars`, `pyspark==4.3.0`), into the image's one environment.
    pub pypi: Vec<String>,
    /// Jars as `group:artifact:version[:classifier]`, each alone, into `maven_into`.
    pub maven: Vec<String>,
    /// Folder for `maven`; by default `/opt/spark/jars`.
    pub maven_into: Option<String>,
    // A recipe without one of the next keys must look as it did before they came, or its image would be built again.
    /// Artifacts of `maven` whose versions `image list` shows; by default all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maven_shown: Option<Vec<String>>,
    /// Jars made of a folder of another jar.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repack: Vec<Repack>,
    /// Name of the image's user (uid 1000) if not that of the image below; its home becomes `/home/NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Packages of npm as `name@version`, each alone, unpacked below `/opt/npm/node_modules`.
    pub npm: Vec<String>,
    /// Symbolic links: path in the image -> target.
    pub links: BTreeMap<String, String>,
    /// Files put into the image.
    pub files: Vec<RecipeFile>,
    /// Programs that complete the image, run inside it at its final paths.
    pub finish: Vec<Finish>,
    /// Environment of its containers, on top of the one below.
    pub env: BTreeMap<String, String>,
    /// Program and fixed arguments, if not those of the image below.
    pub entrypoint: Option<Vec<String>>,
    /// Default arguments, if not those of the image below.
    pub cmd: Option<Vec<String>>,
    /// Working directory, if not that of the image below.
    pub workdir: Option<String>,
}

/// A file put into an image: its text, or where it is read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeFile {
    /// Absolute path in the image.
    pub path: String,
    /// The content itself.
    #[serde(default)]
    pub text: Option<String>,
    /// A file beside the recipe that holds the content.
    #[serde(default)]
    pub source: Option<String>,
    /// May it be executed.
    #[serde(default)]
    pub executable: bool,
}

/// A jar made of one folder of another, which itself does not come into the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repack {
    /// The other, as `group:artifact:version[:classifier]`.
    pub jar: String,
    /// The folder in it, with a slash at the end.
    pub folder: String,
    /// Absolute path of the new jar in the image.
    pub path: String,
}

/// A program that completes an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finish {
    /// What it does, for the progress line.
    pub title: String,
    /// Program and arguments.
    pub run: Vec<String>,
    /// Run again for images on top whose layer changes something below this folder.
    #[serde(default)]
    pub again_when_changed: Option<String>,
}

impl Recipe {
    /// Reads a recipe's text; `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ImageError> {
        let recipe: Self = toml::from_str(text)
            .map_err(|error| ImageError::Recipe { recipe: origin.to_owned(), why: error.to_string() })?;
        recipe.check(origin)?;
        Ok(recipe)
    }

    /// Reads a recipe file and the files it takes content from, which are named relative to it.
    pub fn load(path: &Path) -> Result<Self, ImageError> {
        let text = std::fs::read_to_string(path).map_err(ImageError::io("read", path))?;
        let mut recipe = Self::parse(&text, &path.display().to_string())?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for file in &mut recipe.files {
            if let Some(source) = file.source.take() {
                let source = folder.join(source);
                file.text = Some(std::fs::read_to_string(&source).map_err(ImageError::io("read", &source))?);
            }
        }
        Ok(recipe)
    }
}
