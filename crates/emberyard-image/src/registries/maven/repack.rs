//! A jar made of one folder of another: what is wanted of a jar whose classes must stay off the class path.

use crate::error::ImageError;
use std::fs::File;
use std::io::Cursor;
use std::path::Path;

/// The members of `jar` below `folder` (`webapps/`) as a jar of their own, in the same order, with the same times and
/// the same compressed bytes.
pub fn repack(jar: &Path, folder: &str) -> Result<Vec<u8>, ImageError> {
    let bad = |why: String| ImageError::Unpack { what: jar.display().to_string(), why };
    let zip_bad = |error: zip::result::ZipError| bad(error.to_string());
    let file = File::open(jar).map_err(ImageError::io("read", jar))?;
    let mut from = zip::ZipArchive::new(file).map_err(zip_bad)?;
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut members = 0;
    for number in 0..from.len() {
        let member = from.by_index_raw(number).map_err(zip_bad)?;
        let name = member.name().map_err(zip_bad)?.into_owned();
        if name.starts_with(folder) {
            members += usize::from(!name.ends_with('/'));
            to.raw_copy_file(member).map_err(zip_bad)?;
        }
    }
    if members == 0 {
        return Err(bad(format!("it has nothing below {folder}")));
    }
    Ok(to.finish().map_err(zip_bad)?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn only_the_folder_is_in_the_new_jar_and_it_is_always_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jar");
        let mut jar = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        for (name, text) in [("A.class", "class"), ("webapps/index.html", "page"), ("webapps.txt", "no")] {
            jar.start_file(name, options).unwrap();
            jar.write_all(text.as_bytes()).unwrap();
        }
        jar.finish().unwrap();
        let made = repack(&path, "webapps/").unwrap();
        assert_eq!(made, repack(&path, "webapps/").unwrap());
        let mut made = zip::ZipArchive::new(Cursor::new(made)).unwrap();
        assert_eq!(made.len(), 1);
        let mut text = String::new();
        made.by_name("webapps/index.html").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "page");
        assert!(repack(&path, "no/").unwrap_err().to_string().contains("nothing below no/"));
    }
}
