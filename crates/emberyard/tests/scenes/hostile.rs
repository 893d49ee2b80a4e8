//! A notebook that tries every known way out of its pod.

use crate::owners;
use crate::yard::{Yard, text};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

const SECRET: &str = "what-no-pod-may-know";
const NEIGHBOUR: &str = "98765431";
const ABSTRACT: &str = "emberyard-test-of-abstract-sockets";

#[test]
fn a_hostile_notebook_gets_nowhere() {
    // What the machine has and pods must not reach: a page on its loopback, an abstract socket, a file.
    let page = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = page.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in page.incoming() {
            let mut connection = connection.unwrap();
            drop(connection.read(&mut [0; 1024]));
            let answer = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{SECRET}", SECRET.len());
            drop(connection.write_all(answer.as_bytes()));
        }
    });
    let _abstract_socket = UnixListener::bind_addr(&SocketAddr::from_abstract_name(ABSTRACT).unwrap()).unwrap();

    for owner in owners() {
        let yard = Yard::up_as(owner, &["--nodes", "1..1"]);
        let secret = yard.dir().parent().unwrap().join("secret");
        std::fs::write(&secret, SECRET).unwrap();
        yard.give(&secret);
        yard.kubectl_ok(&[
            "run",
            "neighbour",
            "--image=spark-py",
            "--restart=Never",
            "--env",
            &format!("SECRET={SECRET}"),
            "--",
            "sleep",
            NEIGHBOUR,
        ]);
        yard.kubectl_ok(&["wait", "pod/neighbour", "--for=condition=Ready", "--timeout=60s"]);
        let script = include_str!("../notebooks/hostile.py")
            .replace("@FILE@", &secret.display().to_string())
            .replace("@SECRET@", SECRET)
            .replace("@KEEPER@", &yard.keeper())
            .replace("@PORT@", &port.to_string())
            .replace("@ABSTRACT@", ABSTRACT)
            .replace("@NEIGHBOUR@", NEIGHBOUR);
        let printed = yard.run(&script);
        println!("{owner:?}:\n{printed}");
        let got: Vec<&str> = printed.lines().filter(|line| line.starts_with("GOT ")).collect();
        assert!(got.is_empty(), "{owner:?}: {got:#?}");
        let tried = printed.lines().filter(|line| line.starts_with("refused ")).count();
        assert!(tried > 50 && printed.contains(&format!("tried {tried}")), "{printed}");
        let status = yard.emberyard(&["status"]);
        assert!(status.status.success() && text(&status).contains("my-pyspark-notebook"), "{}", text(&status));
        let phase = yard.kubectl_ok(&["get", "pod", "neighbour", "-o", "jsonpath={.status.phase}"]);
        assert_eq!(phase, "Running");
        std::fs::remove_file(&secret).unwrap();
        yard.down();
    }
}
