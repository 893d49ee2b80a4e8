//! Whether a container that ended is started again: the one rule that plan and status share.

use crate::observed::Exit;
use crate::spec::RestartPolicy;

/// Whether a container that ended is started again.
pub(crate) fn restarts(policy: RestartPolicy, exit: &Exit) -> bool {
    match policy {
        RestartPolicy::Always => true,
        RestartPolicy::OnFailure => exit.code != 0,
        RestartPolicy::Never => false,
    }
}
