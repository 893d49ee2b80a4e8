//! Volumes of the local provisioner that were given back: the folder goes first, then the PersistentVolume that speaks
//! of it. All nodes share the disk; whoever is first does it.

use super::Node;
use emberyard_client::{WatchEvent, path};
use futures::StreamExt;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const VOLUMES: &str = "/api/v1/persistentvolumes";
const PROVISIONER: &str = "emberyard.dev/local";
/// The provisioner's word that a volume's folder may be removed: its path.
const RECLAIM: &str = "emberyard.dev/reclaim";
/// Folders under this name are on their way out, whoever began it.
const GOING: &str = ".going-";
/// What could not be removed is tried again after this.
const AGAIN: Duration = Duration::from_secs(30);

/// Runs for ever.
pub(super) async fn keep(node: Arc<Node>) {
    let folder = node.holder.yard.join("volumes");
    // What an agent that was killed had begun.
    let begun = folder.clone();
    let _ = tokio::task::spawn_blocking(move || finish(&begun)).await;
    let mut events = node.client.watch(VOLUMES, &[]);
    let mut left: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut again = tokio::time::interval(AGAIN);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(WatchEvent::Added(object) | WatchEvent::Modified(object)) => left.extend(given_back(&object, &folder)),
                Some(WatchEvent::Restarted(objects)) => {
                    left = objects.iter().filter_map(|object| given_back(object, &folder)).collect();
                }
                Some(WatchEvent::Deleted(_) | WatchEvent::Bookmark(_)) => continue,
                None => return,
            },
            _ = again.tick() => {}
        }
        for (name, place) in std::mem::take(&mut left) {
            if let Err(error) = clear(&node, &name, place.clone()).await {
                tracing::warn!(volume = %name, %error, "a volume that was given back is left behind");
                left.insert(name, place);
            }
        }
    }
}

/// Name and folder of a volume whose data may go. The mark counts only where it names the very folder that the
/// provisioner made for this volume.
fn given_back(volume: &Value, folder: &Path) -> Option<(String, PathBuf)> {
    let name = volume["metadata"]["name"].as_str()?;
    let annotations = &volume["metadata"]["annotations"];
    let plain = name.starts_with("pvc-") && !name.contains('/');
    let ours = annotations["pv.kubernetes.io/provisioned-by"] == PROVISIONER
        && volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
        && volume["status"]["phase"] == "Released";
    let place = folder.join(name);
    let marked = annotations[RECLAIM].as_str().map(Path::new) == Some(&place)
        && volume["spec"]["hostPath"]["path"].as_str().map(Path::new) == Some(&place);
    (plain && ours && marked).then(|| (name.to_owned(), place))
}

async fn clear(node: &Node, name: &str, place: PathBuf) -> Result<(), String> {
    let removed = tokio::task::spawn_blocking(move || remove(&place)).await;
    removed.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    node.client.delete(&path("", "v1", "", "persistentvolumes", name)).await.map_err(|error| error.to_string())?;
    tracing::info!(volume = name, "a volume that was given back is gone");
    Ok(())
}

/// Takes the folder out of its place in one step, so that of several agents one removes it. A link in its place goes,
/// what it leads to stays.
fn remove(place: &Path) -> io::Result<()> {
    let (Some(folder), Some(name)) = (place.parent(), place.file_name()) else { return Ok(()) };
    let mut going = OsString::from(GOING);
    going.push(name);
    let going = folder.join(going);
    match fs::rename(place, &going) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => emberyard_sandbox::remove_tree(&going).map_err(io::Error::other),
    }
}

/// Removes what an agent had taken out of its place and did not live to remove.
fn finish(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(GOING)
            && let Err(error) = emberyard_sandbox::remove_tree(&entry.path())
        {
            tracing::warn!(%error, "a volume that was given back is left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn volume() -> Value {
        json!({
            "metadata": {"name": "pvc-1", "annotations": {
                "pv.kubernetes.io/provisioned-by": PROVISIONER, RECLAIM: "/yard/volumes/pvc-1"}},
            "spec": {"persistentVolumeReclaimPolicy": "Delete", "hostPath": {"path": "/yard/volumes/pvc-1"}},
            "status": {"phase": "Released"},
        })
    }

    #[test]
    fn only_what_the_provisioner_made_and_gave_up_goes() {
        let folder = Path::new("/yard/volumes");
        let place = PathBuf::from("/yard/volumes/pvc-1");
        assert_eq!(given_back(&volume(), folder), Some(("pvc-1".to_owned(), place)));
        let table: [(&str, Value); 8] = [
            ("/metadata/name", json!("pvc-2")),
            ("/metadata/name", json!("data")),
            ("/metadata/annotations/emberyard.dev~1reclaim", json!("/yard/volumes/pvc-1/../pvc-2")),
            ("/metadata/annotations/emberyard.dev~1reclaim", Value::Null),
            ("/metadata/annotations/pv.kubernetes.io~1provisioned-by", json!("other")),
            ("/spec/persistentVolumeReclaimPolicy", json!("Retain")),
            ("/spec/hostPath/path", json!("/home")),
            ("/status/phase", json!("Bound")),
        ];
        for (field, value) in table {
            let mut volume = volume();
            *volume.pointer_mut(field).unwrap() = value;
            assert_eq!(given_back(&volume, folder), None, "{field}");
        }
        let mut climbing = volume();
        for field in ["/metadata/name", "/metadata/annotations/emberyard.dev~1reclaim", "/spec/hostPath/path"] {
            *climbing.pointer_mut(field).unwrap() =
                json!(if field == "/metadata/name" { "pvc-/../.." } else { "/yard/volumes/pvc-/../.." });
        }
        assert_eq!(given_back(&climbing, folder), None);
    }

    #[test]
    fn links_are_not_followed_and_sealed_folders_go() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("kept"), "x").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("pvc-1");
        fs::create_dir_all(place.join("a/sealed")).unwrap();
        fs::write(place.join("a/sealed/file"), "x").unwrap();
        symlink(outside.path(), place.join("a/out")).unwrap();
        fs::set_permissions(place.join("a/sealed"), fs::Permissions::from_mode(0o000)).unwrap();
        remove(&place).unwrap();
        remove(&place).expect("twice is fine");
        symlink(outside.path(), &place).unwrap();
        remove(&place).unwrap();
        fs::create_dir_all(folder.path().join(".going-pvc-3/b")).unwrap();
        finish(folder.path());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(outside.path().join("kept").exists());
    }
}
