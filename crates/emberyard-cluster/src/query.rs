//! Query parameters.

use crate::failure::{Failure, Outcome};

/// The parameters of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a>(pub(crate) &'a [(String, String)]);

impl<'a> Query<'a> {
    /// A parameter; absent and empty are the same.
    pub(crate) fn get(self, key: &str) -> Option<&'a str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A switch: `1`, `true` and their like.
    pub(crate) fn is_on(self, key: &str) -> bool {
        self.get(key).is_some_and(|value| matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"))
    }

    /// A whole number.
    pub(crate) fn number(self, key: &str) -> Outcome<Option<i64>> {
        self.get(key)
            .map(|text| text.parse().map_err(|_| Failure::bad_request(format!("{key} \"{text}\" is not a number"))))
            .transpose()
    }

    /// Whether `dryRun=All` is asked.
    pub(crate) fn dry_run(self) -> Outcome<bool> {
        match self.get("dryRun") {
            None => Ok(false),
            Some("All") => Ok(true),
            Some(other) => {
                Err(Failure::bad_request(format!("dryRun: unsupported value \"{other}\": supported is \"All\"")))
            }
        }
    }
}
