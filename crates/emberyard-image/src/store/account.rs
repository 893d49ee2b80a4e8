//! What an image's own accounts call the user whose number its config has.

use crate::image::ImageUser;
use std::path::PathBuf;

/// `user` with name and home as the topmost `/etc/passwd` of the layers has them; as it is where none knows the number.
pub(super) fn known(user: ImageUser, lowers: &[PathBuf]) -> ImageUser {
    let passwd = lowers.iter().map(|layer| layer.join("etc/passwd")).find(|path| path.is_file());
    let text = passwd.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    by_passwd(user, &text)
}

fn by_passwd(user: ImageUser, text: &str) -> ImageUser {
    let uid = user.uid.to_string();
    let line = text.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|line| line.get(2) == Some(&&*uid));
    match line.as_deref() {
        Some([name, _, _, _, _, home, ..]) if home.starts_with('/') => {
            ImageUser { name: (*name).to_owned(), home: (*home).to_owned(), ..user }
        }
        _ => user,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::debian::system;

    #[test]
    fn the_images_passwd_names_the_user() {
        let text = "root:x:0:0:root:/root:/bin/bash\nhdfs:x:1000:1000::/home/hdfs:/bin/bash\n";
        assert_eq!(by_passwd(system::user(), text), system::named("hdfs"));
        assert_eq!(by_passwd(system::user(), "root:x:0:0:root:/root:/bin/bash\nbroken:1000\n"), system::user());
        assert_eq!(by_passwd(system::user(), "odd:x:1000:1000:::/bin/sh\n"), system::user());
    }

    #[test]
    fn the_topmost_layer_that_has_one_counts() {
        let dir = tempfile::tempdir().unwrap();
        let layers = ["top", "middle", "base"].map(|name| dir.path().join(name));
        for (layer, name) in [(&layers[1], "hdfs"), (&layers[2], "emberyard")] {
            std::fs::create_dir_all(layer.join("etc")).unwrap();
            std::fs::write(layer.join("etc/passwd"), format!("{name}:x:1000:1000::/home/{name}:/bin/sh\n")).unwrap();
        }
        assert_eq!(known(system::user(), &layers).name, "hdfs");
        assert_eq!(known(system::user(), &[]), system::user());
    }
}
