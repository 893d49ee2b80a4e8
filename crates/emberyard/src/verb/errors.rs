//! `error-pages`: the page of every error code, made from the codes themselves (`docs/errors/`).

use crate::error::Failure;
use emberyard_model::Code;
use std::fmt::Write as _;
use std::path::Path;

/// Every code of the program.
fn codes() -> Vec<Code> {
    let mut codes = [
        crate::error::CODES,
        emberyard_api::CODES,
        emberyard_client::CODES,
        emberyard_cloud::CODES,
        emberyard_cluster::CODES,
        emberyard_front::CODES,
        emberyard_image::CODES,
        emberyard_manifest::CODES,
        emberyard_node::CODES,
        emberyard_operator::CODES,
        emberyard_pod::CODES,
        emberyard_sandbox::CODES,
    ]
    .concat();
    codes.sort();
    codes
}

/// One page for all codes, by area; a heading each, so that a link leads to one.
fn page() -> String {
    let mut page = String::from(
        "# Errors\n\nEvery error that Emberyard shows carries one of these codes. Made from the code by `emberyard error-pages`.\n",
    );
    for Code { id, what, why, cure } in codes() {
        let _ = write!(page, "\n## {id}\n\n{what}\n\n**Why.** {why}\n\n**What to do.** {cure}\n"); // a String takes all
    }
    page
}

/// Writes the page.
pub fn run(file: &Path) -> Result<(), Failure> {
    std::fs::write(file, page()).map_err(|source| Failure::Folder { path: file.to_path_buf(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_their_page_is_up_to_date() {
        let ids: Vec<&str> = codes().iter().map(|code| code.id).collect();
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "a code is used twice: {ids:?}");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
        assert_eq!(
            std::fs::read_to_string(file).unwrap_or_default(),
            page(),
            "remake it: cargo run -p emberyard -- error-pages docs/errors.md"
        );
    }
}
