//! `man`: the manual pages, made from what can be typed.

use crate::error::Failure;
use crate::output;
use clap::Command;
use std::path::Path;

/// Runs the verb.
pub fn run(program: Command, folder: Option<&Path>) -> Result<(), Failure> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(program).render(&mut page)?;
        return Ok(output::raw(&String::from_utf8_lossy(&page))?);
    };
    let wrong = |source| Failure::Folder { path: folder.to_path_buf(), source };
    std::fs::create_dir_all(folder).map_err(wrong)?;
    clap_mangen::generate_to(program, folder).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;
    use clap::CommandFactory;

    #[test]
    fn every_verb_that_help_shows_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        super::run(Cli::command(), Some(&folder.path().join("man1"))).unwrap();
        let pages: Vec<String> = std::fs::read_dir(folder.path().join("man1"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        for verb in Cli::command().get_subcommands().filter(|verb| !verb.is_hide_set()) {
            assert!(pages.contains(&format!("emberyard-{}.1", verb.get_name())), "{verb} {pages:?}");
        }
        let up = std::fs::read_to_string(folder.path().join("man1/emberyard-up.1")).unwrap();
        assert!(up.contains("EMBERYARD_IMAGES") && up.contains("Examples"), "{up}");
    }
}
