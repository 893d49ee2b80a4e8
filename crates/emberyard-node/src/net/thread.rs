//! Work inside another network namespace: a thread of its own enters it, does the work and ends, so that no other
//! work of this process ever runs in the wrong namespace.

use crate::error::NetError;
use crate::net::links::Links;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

/// The network namespace of a process, by its pid as seen here.
pub(crate) fn of_process(pid: u32) -> Result<OwnedFd, NetError> {
    let name = format!("of process {pid}");
    File::open(format!("/proc/{pid}/ns/net")).map(OwnedFd::from).map_err(|source| NetError::Namespace { name, source })
}

/// Runs `work` on a thread inside `namespace` (`None`: the one of this process), blocking until it is done.
pub(crate) fn within<T, F>(namespace: Option<OwnedFd>, work: F) -> Result<T, NetError>
where
    T: Send,
    F: AsyncFnOnce(Links) -> Result<T, NetError> + Send,
{
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("netns".into()).spawn_scoped(scope, move || {
            if let Some(namespace) = namespace {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
                    .map_err(|e| NetError::Namespace { name: "given".into(), source: e.into() })?;
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|_| NetError::Thread)?;
            runtime.block_on(async move { work(Links::open()?).await })
        });
        thread.map_err(|_| NetError::Thread)?.join().map_err(|_| NetError::Thread)?
    })
}
