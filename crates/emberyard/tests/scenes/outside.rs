//! What a notebook fetches from outside the yard: packages, and objects of an S3 server on the user's machine.

use crate::yard::{Yard, http, needed};
use std::net::TcpListener;

/// Port of the S3 server (moto) that `cargo xtask check` runs on the machine's loopback.
pub fn s3_port() -> u16 {
    needed("EMBERYARD_TEST_S3").parse().unwrap()
}

/// A package is installed in the kernel and used by it; a file is read from the S3 server that `up --allow-host` named.
pub fn packages_and_objects(yard: &Yard) {
    // One for each yard: the server lets strangers write to a bucket only when it is new.
    let bucket = format!("bucket-{}-{}", std::process::id(), yard.owner.unwrap_or(0));
    for (path, body) in [(format!("/{bucket}"), ""), (format!("/{bucket}/numbers.csv"), "n\n1\n2\n39\n")] {
        let reply = http::call(s3_port(), "PUT", &path, body).unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    }
    let code = format!(
        "%pip install --quiet humanize\n\
         import humanize, io, pandas\n\
         from pyarrow.fs import S3FileSystem\n\
         s3 = S3FileSystem(endpoint_override='machine.emberyard.internal:{}', scheme='http', region='us-east-1',\n\
         \x20                 access_key='any', secret_key='any')\n\
         body = s3.open_input_stream('{bucket}/numbers.csv').read()\n\
         print('sum', humanize.apnumber(8), pandas.read_csv(io.BytesIO(body))['n'].sum())\n",
        s3_port()
    );
    let printed = yard.run(&code);
    assert!(printed.contains("sum eight 42"), "{printed}");
    not_allowed(yard);
}

/// A port of the machine's loopback that `up` was not told of.
fn not_allowed(yard: &Yard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let code = format!(
        "import socket\nfor host in ('machine.emberyard.internal', '127.0.0.1'):\n    try:\n        \
         s = socket.create_connection((host, {port}), timeout=20)\n        \
         print(host, 'answered' if s.recv(1) else 'refused')\n    except OSError as error:\n        \
         print(host, 'refused', error)\n"
    );
    let printed = yard.run(&code);
    assert!(printed.lines().filter(|line| line.contains(" refused")).count() == 2, "{printed}");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "a connection reached the machine's loopback");
}
