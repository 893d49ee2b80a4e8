//! A yard on a machine that its user reached by SSH: how its pages are opened where the user sits.

use std::net::IpAddr;

/// The command, typed where the user sits, that brings `port` of this machine's loopback there; none where nobody came by SSH.
/// `connection` is what sshd(8) leaves in `SSH_CONNECTION`: the client's address and port, then the server's.
pub fn tunnel(connection: &str, user: &str, port: u16) -> Option<String> {
    let mut words = connection.split_whitespace().skip(2);
    let server: IpAddr = words.next()?.parse().ok()?;
    let other_port = match words.next()?.parse::<u16>().ok()? {
        22 => String::new(),
        other => format!("-p {other} "),
    };
    Some(format!("ssh -N -L {port}:127.0.0.1:{port} {other_port}{user}@{server}"))
}

#[cfg(test)]
mod tests {
    use super::tunnel;

    #[test]
    fn the_way_back_is_the_way_that_was_come() {
        let there = |connection| tunnel(connection, "ann", 8800);
        assert_eq!(there("192.0.2.7 50122 198.51.100.9 22").unwrap(), "ssh -N -L 8800:127.0.0.1:8800 ann@198.51.100.9");
        let other = there("2001:db8::7 50122 2001:db8::9 2222").unwrap();
        assert_eq!(other, "ssh -N -L 8800:127.0.0.1:8800 -p 2222 ann@2001:db8::9");
        for odd in ["", "192.0.2.7 50122", "192.0.2.7 50122 $(x) 22", "192.0.2.7 50122 198.51.100.9 x"] {
            assert_eq!(there(odd), None, "{odd}");
        }
    }
}
