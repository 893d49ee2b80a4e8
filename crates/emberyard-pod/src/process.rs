//! What a container runs: program, folder, user.

use crate::error::PodError;
use crate::expand::expand;
use crate::spec::{Container, Pod};
use std::collections::BTreeMap;

/// What an image says about running it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageDefaults {
    /// Entrypoint.
    pub entrypoint: Vec<String>,
    /// Command.
    pub cmd: Vec<String>,
    /// Working folder.
    pub workdir: String,
    /// User, as written: `uid`, `uid:gid` or names.
    pub user: String,
}

/// Program and arguments. `command` replaces the image's entrypoint and drops its command; `args` replaces the
/// image's command.
///
/// # Errors
/// [`PodError::NoCommand`] when neither says anything.
pub fn argv(
    container: &Container,
    image: &ImageDefaults,
    env: &BTreeMap<String, String>,
) -> Result<Vec<String>, PodError> {
    let expanded = |words: &[String]| words.iter().map(|w| expand(w, env)).collect::<Vec<_>>();
    let mut argv = if container.command.is_empty() { image.entrypoint.clone() } else { expanded(&container.command) };
    if !container.args.is_empty() {
        argv.extend(expanded(&container.args));
    } else if container.command.is_empty() {
        argv.extend(image.cmd.iter().cloned());
    }
    if argv.is_empty() { Err(PodError::NoCommand) } else { Ok(argv) }
}

/// The working folder.
pub fn workdir(container: &Container, image: &ImageDefaults) -> String {
    let set = [&container.working_dir, &image.workdir].into_iter().find(|d| !d.is_empty());
    set.cloned().unwrap_or_else(|| "/".to_owned())
}

/// Whether the container, or else its pod, asks for no filter of system calls. Without a word there is one, as where a kubelet runs
/// with `--seccomp-default`; profiles of a node's own (`Localhost`) are not there, and the filter takes their place.
pub fn is_unconfined(pod: &Pod, container: &Container) -> bool {
    let own = container.security_context.seccomp_profile.as_ref();
    let profile = own.or(pod.spec.security_context.seccomp_profile.as_ref());
    profile.is_some_and(|profile| profile.r#type == "Unconfined")
}

/// User id and group id: the container's, else the pod's, else the image's if it is numeric, else `fallback`.
pub fn user(pod: &Pod, container: &Container, image: &ImageDefaults, fallback: (u32, u32)) -> (u32, u32) {
    let mut parts = image.user.splitn(2, ':').map(|p| p.parse::<u32>().ok());
    let (image_uid, image_gid) = (parts.next().flatten(), parts.next().flatten());
    let (own, all) = (&container.security_context, &pod.spec.security_context);
    let uid = own.run_as_user.or(all.run_as_user).or(image_uid);
    let gid = own.run_as_group.or(all.run_as_group).or(image_gid);
    (uid.unwrap_or(fallback.0), gid.unwrap_or(if uid.is_some() { 0 } else { fallback.1 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_who_asks_for_it_has_no_filter() {
        let unconfined = |of_pod: Option<&str>, own: Option<&str>| {
            let context = |profile: Option<&str>| profile.map(|name| json!({"seccompProfile": {"type": name}}));
            let container = json!({"name": "one", "securityContext": context(own)});
            let pod = json!({"spec": {"securityContext": context(of_pod), "containers": [container]}});
            let pod = Pod::read(&pod).unwrap();
            is_unconfined(&pod, &pod.spec.containers[0])
        };
        assert!(!unconfined(None, None) && !unconfined(Some("RuntimeDefault"), None));
        assert!(unconfined(Some("Unconfined"), None) && unconfined(Some("RuntimeDefault"), Some("Unconfined")));
        assert!(!unconfined(Some("Unconfined"), Some("RuntimeDefault")) && !unconfined(None, Some("Localhost")));
    }
}
