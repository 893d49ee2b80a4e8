//! The channels of exec and attach over a WebSocket: each binary message begins with the channel's number.
//!
//! Rule source: `k8s.io/streaming` sub-protocols `v4.channel.k8s.io` and `v5.channel.k8s.io`.

use serde_json::{Value, json};

/// Sub-protocols we speak, the best first.
pub(super) const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

pub(super) const STDIN: u8 = 0;
pub(super) const STDOUT: u8 = 1;
pub(super) const STDERR: u8 = 2;
pub(super) const STATUS: u8 = 3;
const RESIZE: u8 = 4;
/// Version 5: the byte after it names a channel that is closed.
const CLOSE: u8 = 255;

/// What a client says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// More input.
    Input(Vec<u8>),
    /// No more input.
    EndOfInput,
    /// The terminal has a new size: rows, columns.
    Resize(u16, u16),
    /// Nothing of ours.
    Nothing,
}

/// Picks the sub-protocol from a client's list.
pub(super) fn choose(offered: &[&str]) -> Option<&'static str> {
    PROTOCOLS.into_iter().find(|p| offered.contains(p))
}

/// Reads a message.
pub(super) fn read(message: &[u8]) -> Said {
    match message.split_first() {
        Some((&STDIN, rest)) => Said::Input(rest.to_vec()),
        Some((&CLOSE, [STDIN])) => Said::EndOfInput,
        Some((&RESIZE, rest)) => {
            let size: Value = serde_json::from_slice(rest).unwrap_or_default();
            let side = |name: &str| size[name].as_u64().and_then(|n| u16::try_from(n).ok());
            match (side("Height"), side("Width")) {
                (Some(rows), Some(columns)) => Said::Resize(rows, columns),
                _ => Said::Nothing,
            }
        }
        _ => Said::Nothing,
    }
}

/// Writes a message.
pub(super) fn write(channel: u8, bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(bytes.len() + 1);
    message.push(channel);
    message.extend_from_slice(bytes);
    message
}

/// The last word: how the command ended.
pub(super) fn status(result: &Result<i32, String>) -> Value {
    match result {
        Ok(0) => json!({"metadata": {}, "status": "Success"}),
        Ok(code) => json!({
            "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: exit status {code}"),
            "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
        }),
        Err(message) => json!({"metadata": {}, "status": "Failure", "reason": "InternalError",
            "message": message, "code": 500}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_chooses() {
        assert_eq!(choose(&["v4.channel.k8s.io", "v5.channel.k8s.io"]), Some("v5.channel.k8s.io"));
        assert_eq!(choose(&["v4.channel.k8s.io"]), Some("v4.channel.k8s.io"));
        assert_eq!(choose(&["SPDY/3.1"]), None);
        for (message, said) in [
            (&b"\0abc"[..], Said::Input(b"abc".to_vec())),
            (&[255, 0][..], Said::EndOfInput),
            (&b"\x04{\"Width\":80,\"Height\":24}"[..], Said::Resize(24, 80)),
            (&b"\x04{}"[..], Said::Nothing),
            (&b""[..], Said::Nothing),
        ] {
            assert_eq!(read(message), said);
        }
    }
}
