//! Both framings as their clients see them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::spdy::{Decoder, Encoder, Frame, Headers, Status, StreamId};

fn id(number: u32) -> StreamId {
    StreamId::new(number).unwrap()
}

fn port(number: &str) -> Port {
    Port::parse(number).unwrap()
}

/// A client that makes streams.
#[derive(Default)]
struct Client {
    session: Streams,
    encoder: Encoder,
    decoder: Decoder,
}

impl Client {
    fn say(&mut self, frame: &Frame) -> Vec<Event> {
        let mut bytes = Vec::new();
        self.encoder.write(frame, &mut bytes).unwrap();
        self.session.receive(bytes.into()).unwrap()
    }

    fn open(&mut self, stream: u32, headers: &[(&str, &str)]) -> Vec<Event> {
        let headers: Headers = headers.iter().copied().collect();
        self.say(&Frame::SynStream { stream: id(stream), headers, fin: false })
    }

    fn data(&mut self, stream: u32, bytes: &'static str, fin: bool) -> Vec<Event> {
        self.say(&Frame::Data { stream: id(stream), bytes: bytes.into(), fin })
    }

    fn read(&mut self) -> Vec<Frame> {
        let mut all = Vec::new();
        while self.session.has_output() {
            self.decoder.push(&self.session.transmit().unwrap().bytes);
            all.extend(std::iter::from_fn(|| self.decoder.frame().unwrap()));
        }
        all
    }
}

fn of<'a>(port: &'a str, kind: &'a str, request: &'a str) -> [(&'a str, &'a str); 3] {
    [("port", port), ("streamType", kind), ("requestID", request)]
}

fn reply(stream: u32) -> Frame {
    Frame::SynReply { stream: id(stream), headers: Headers::default(), fin: false }
}

fn bytes(stream: u32, bytes: &'static str, fin: bool) -> Frame {
    Frame::Data { stream: id(stream), bytes: bytes.into(), fin }
}

#[test]
fn two_streams_are_a_connection() {
    let mut client = Client::default();
    assert_eq!(client.open(1, &of("8080", "error", "0")), []);
    assert_eq!(client.data(1, "", true), [], "kubectl says nothing on it");
    let forward = ForwardId(3);
    assert_eq!(client.open(3, &of("8080", "data", "0")), [Event::Dial { forward, port: port("8080") }]);
    assert_eq!(client.read(), [reply(1), reply(3)]);
    assert_eq!(client.data(3, "question", false), [Event::Data { forward, bytes: "question".into() }]);
    assert_eq!(client.data(3, "", true), [Event::Ended { forward }]);
    client.session.send(forward, "answer".into());
    client.session.finish(forward);
    client.session.close(forward, End::Done).unwrap();
    assert_eq!(client.read(), [bytes(1, "", true), bytes(3, "answer", true)]);
    client.say(&Frame::GoAway { last: 0, status: 0 });
    assert!(client.session.is_over());
}

#[test]
fn what_went_wrong_is_told_on_the_other_stream() {
    let mut client = Client::default();
    let streams = |client: &mut Client, first: u32| {
        client.open(first, &of("81", "error", &first.to_string()));
        client.data(first, "", true);
        client.open(first + 2, &of("81", "data", &first.to_string()));
        client.read();
        ForwardId(first + 2)
    };
    let forward = streams(&mut client, 1);
    client.session.close(forward, End::Failed("connection refused".into())).unwrap();
    assert_eq!(client.read(), [bytes(1, "connection refused", true), bytes(3, "", true)]);
    assert_eq!(client.data(3, "nobody hears it", false), []);

    // A pod that breaks off is not told in words.
    let forward = streams(&mut client, 5);
    client.session.close(forward, End::Cut).unwrap();
    let reset = Frame::Reset { stream: id(7), status: Status::InternalError };
    assert_eq!(client.read(), [reset, bytes(5, "", true)]);

    // kubectl gives a connection up with a reset, and waits for the end of the other stream.
    let forward = streams(&mut client, 9);
    let cancel = Frame::Reset { stream: id(11), status: Status::Cancel };
    assert_eq!(client.say(&cancel), [Event::Abandoned { forward }]);
    client.session.close(forward, End::Done).unwrap();
    assert_eq!(client.read(), [bytes(9, "", true)]);
}

#[test]
fn what_comes_before_the_pair_is_whole_is_kept() {
    let mut client = Client::default();
    assert_eq!(client.open(1, &of("80", "data", "a")), []);
    assert_eq!(client.data(1, "early", true), []);
    let forward = ForwardId(1);
    assert_eq!(
        client.open(3, &of("80", "error", "a")),
        [
            Event::Dial { forward, port: port("80") },
            Event::Data { forward, bytes: "early".into() },
            Event::Ended { forward }
        ]
    );
    // Without a request's number: the data stream is the one after.
    client.open(5, &[("port", "80"), ("streamtype", "error")]);
    let dial = Event::Dial { forward: ForwardId(7), port: port("80") };
    assert_eq!(client.open(7, &[("port", "80"), ("streamtype", "data")]), [dial]);
}

#[test]
fn streams_that_mean_nothing_are_reset() {
    let mut client = Client::default();
    client.open(1, &of("80", "data", "twice"));
    client.read();
    for (stream, headers) in [
        (3, of("80", "data", "twice")),
        (5, of("0", "data", "b")),
        (7, of("http", "data", "b")),
        (9, of("80", "other", "b")),
        (11, of("", "error", "b")),
    ] {
        assert_eq!(client.open(stream, &headers), []);
        assert_eq!(client.read(), [Frame::Reset { stream: id(stream), status: Status::Cancel }], "{headers:?}");
    }
    client.data(1, "for nobody", false);
    (0..31).for_each(|_| client.session.tick().unwrap());
    assert_eq!(client.read(), [Frame::Reset { stream: id(1), status: Status::Cancel }], "its other never came");
    assert_eq!(client.open(13, &of("80", "error", "twice")), []);
}

/// All messages that are to be sent.
fn messages(session: &mut Channels) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while session.has_output() {
        all.push(session.transmit().unwrap().bytes.to_vec());
    }
    all
}

#[test]
fn channels_come_in_pairs() {
    let ports = [port("80"), port("8020")];
    let (mut session, begin) = Channels::new(&ports);
    let [first, second] = [ForwardId(0), ForwardId(1)];
    assert_eq!(
        begin,
        [Event::Dial { forward: first, port: ports[0] }, Event::Dial { forward: second, port: ports[1] }]
    );
    let mut said = messages(&mut session);
    said.sort();
    assert_eq!(said, [vec![0, 80, 0], vec![1, 80, 0], vec![2, 0x54, 0x1f], vec![3, 0x54, 0x1f]]);

    let data = Event::Data { forward: second, bytes: "hello".into() };
    assert_eq!(session.receive(b"\x02hello"[..].into()), Ok(vec![data]));
    for nothing in [&b"\x00"[..], b"\x01x", b"\x09x", b"\xffx"] {
        assert_eq!(session.receive(nothing.into()), Ok(vec![]));
    }
    assert_eq!(session.receive(Bytes::new()), Err(SessionError::NoChannel));

    session.send(first, vec![b'a'; 40_000].into());
    session.send(second, "b".into());
    session.close(second, End::Failed("why".into())).unwrap();
    let lengths: Vec<_> = messages(&mut session).iter().map(|message| (message[0], message.len())).collect();
    assert_eq!(lengths, [(2, 2), (0, 32769), (3, 4), (0, 7233)]);
    assert!(!session.is_over());
    assert_eq!(session.receive(b"\x02late"[..].into()), Ok(vec![]));
    session.close(first, End::Done).unwrap();
    assert!(session.is_over());
}

#[test]
fn channels_wait_for_the_pod() {
    let (mut session, _) = Channels::new(&[port("80")]);
    let message = Bytes::from([vec![0], vec![1; 600_000]].concat());
    session.receive(message.clone()).unwrap();
    assert!(session.may_receive());
    session.receive(message).unwrap();
    assert!(!session.may_receive());
    session.consumed(ForwardId(0), 600_000).unwrap();
    assert!(session.may_receive());
}

#[test]
fn ports_are_read_as_kubelets_read_them() {
    for (query, expected) in [
        (&["80"][..], Ok(vec![80])),
        (&["80,81", "82"], Ok(vec![80, 81, 82])),
        (&[], Err("query parameter \"port\" is required")),
        (&["http"], Err("unable to parse \"http\" as a port")),
        (&["65536"], Err("unable to parse \"65536\" as a port")),
        (&["80,0"], Err("port \"0\" must be > 0")),
    ] {
        let read = ports(query.iter().copied()).map(|ports| ports.into_iter().map(Port::get).collect());
        assert_eq!(read.map_err(|error| error.to_string()), expected.map_err(str::to_owned), "{query:?}");
    }
    assert_eq!(ports(["80"; 128]), Err(PortError::TooMany(128)));
}
