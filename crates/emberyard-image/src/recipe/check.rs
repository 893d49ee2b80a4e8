//! What a recipe must not say.

use super::Recipe;
use crate::error::ImageError;
use crate::registries::maven::coordinates::Coordinates;

/// Accounts that every image has.
const RESERVED: [&str; 4] = ["root", "nobody", "nogroup", "tty"];

impl Recipe {
    /// The jars named: those that come into the image, then those that others are made of.
    pub(crate) fn jars(&self) -> Result<Vec<Coordinates>, String> {
        self.maven.iter().chain(self.repack.iter().map(|repack| &repack.jar)).map(|text| text.parse()).collect()
    }

    pub(super) fn check(&self, origin: &str) -> Result<(), ImageError> {
        let wrong = |why: String| Err(ImageError::Recipe { recipe: origin.to_owned(), why });
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
        if self.name.is_empty()
            || !self.name.chars().all(good)
            || !self.name.starts_with(|c: char| c.is_ascii_alphanumeric())
        {
            return wrong(format!("name \"{}\": use lower-case letters, digits and . _ - /", self.name));
        }
        if self.from.is_none() && self.debian.is_empty() {
            return wrong("it needs `from` (an image to stand on) or `debian` (packages to begin with)".to_owned());
        }
        if self.from.as_deref() == Some(self.name.as_str()) {
            return wrong(format!("it stands on itself (from = \"{}\")", self.name));
        }
        for file in &self.files {
            if file.text.is_some() == file.source.is_some() {
                return wrong(format!("file {}: give either `text` or `source`", file.path));
            }
        }
        let places = self.files.iter().map(|file| file.path.as_str()).chain(self.links.keys().map(String::as_str));
        let places = places.chain(self.repack.iter().map(|repack| repack.path.as_str()));
        for path in places.chain(self.maven_into.as_deref()) {
            if !path.starts_with('/') || path.split('/').any(|part| part == ".." || part == ".") {
                return wrong(format!("\"{path}\" is not an absolute path without . and .."));
            }
        }
        if let Some(finish) = self.finish.iter().find(|finish| finish.run.is_empty()) {
            return wrong(format!("finish \"{}\": `run` names no program", finish.title));
        }
        if let Err(why) = self.jars() {
            return wrong(why);
        }
        if let Some(repack) = self.repack.iter().find(|repack| !repack.folder.ends_with('/')) {
            return wrong(format!("repack \"{}\": `folder` ends with a slash", repack.folder));
        }
        let plain = |name: &String| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c))
        };
        if let Some(user) = self.user.as_ref().filter(|user| !plain(user) || RESERVED.contains(&user.as_str())) {
            return wrong(format!(
                "user \"{user}\": use a name of lower-case letters, digits and _ - that is not taken"
            ));
        }
        for package in &self.npm {
            if !package.get(1..).is_some_and(|rest| rest.contains('@')) {
                return wrong(format!("npm \"{package}\": write name@version"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_users_recipe() {
        let recipe = Recipe::parse("name = 'mine'\nfrom = 'pyspark-notebook'\npypi = ['polars']\n", "t").unwrap();
        assert_eq!(recipe.from.as_deref(), Some("pyspark-notebook"));
        assert_eq!(recipe.pypi, ["polars"]);
    }

    #[test]
    fn an_old_recipe_looks_as_before_the_newer_keys() {
        let recipe = Recipe::parse("name = 'mine'\nfrom = 'x'\n", "t").unwrap();
        let keys = serde_json::to_value(&recipe).unwrap();
        for key in ["maven_shown", "repack", "user"] {
            assert!(keys.get(key).is_none(), "{key}");
        }
    }

    #[test]
    fn jars_in_the_image_come_before_those_repacked() {
        let text = "name = 'a'\nfrom = 'b'\nmaven = ['x:y:1']\nrepack = [{jar='x:z:1', folder='w/', path='/a.jar'}]";
        let jars = Recipe::parse(text, "t").unwrap().jars().unwrap();
        assert_eq!(jars.iter().map(ToString::to_string).collect::<Vec<_>>(), ["x:y:1", "x:z:1"]);
    }

    #[test]
    fn says_where_a_recipe_is_wrong() {
        for (text, part) in [
            ("name = 'a'", "needs `from`"),
            ("name = 'A'\nfrom = 'b'", "lower-case"),
            ("name = 'a'\nfrom = 'b'\nfiels = []", "unknown field `fiels`"),
            ("name = 'a'\nfrom = 'a'", "stands on itself"),
            ("name = 'a'\nfrom = 'b'\nmaven = ['x:y']", "group:artifact:version"),
            ("name = 'a'\nfrom = 'b'\nmaven = ['x:../y:1']", "letters, digits"),
            ("name = 'a'\nfrom = 'b'\nrepack = [{jar='x:y', folder='w/', path='/a.jar'}]", "group:artifact:version"),
            ("name = 'a'\nfrom = 'b'\nrepack = [{jar='x:y:1', folder='w', path='/a.jar'}]", "ends with a slash"),
            ("name = 'a'\nfrom = 'b'\nrepack = [{jar='x:y:1', folder='w/', path='a.jar'}]", "absolute path"),
            ("name = 'a'\nfrom = 'b'\nuser = 'root'", "not taken"),
            ("name = 'a'\nfrom = 'b'\nuser = 'x:0'", "lower-case"),
            ("name = 'a'\nfrom = 'b'\nnpm = ['@x/y']", "name@version"),
            ("name = 'a'\nfrom = 'b'\nfiles = [{path='/a/../b', text=''}]", "absolute path"),
            ("name = 'a'\nfrom = 'b'\nfiles = [{path='/a'}]", "either `text` or `source`"),
            ("name = 'a'\nfrom = 'b'\nfinish = [{title='t', run=[]}]", "names no program"),
        ] {
            let error = Recipe::parse(text, "mine.toml").unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("mine.toml"), "{error}");
        }
    }
}
