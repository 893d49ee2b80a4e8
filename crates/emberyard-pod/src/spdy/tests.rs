//! The codec against bytes of another implementation, bad input, and itself; the connection against a client.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use bytes::Bytes;
use proptest::prelude::*;

fn id(number: u32) -> StreamId {
    StreamId::new(number).unwrap()
}

fn headers(kind: &str) -> Headers {
    [("port", "8080"), ("requestid", "0"), ("streamtype", kind)].into_iter().collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn frames(decoder: &mut Decoder, bytes: &[u8]) -> Result<Vec<Frame>, SpdyError> {
    decoder.push(bytes);
    std::iter::from_fn(|| decoder.frame().transpose()).collect()
}

fn written(frames: &[Frame]) -> Vec<u8> {
    let (mut encoder, mut out) = (Encoder::default(), Vec::new());
    for frame in frames {
        encoder.write(frame, &mut out).unwrap();
    }
    out
}

/// Two streams of a request, packed by zlib itself with the protocol's dictionary.
const STREAMS: [&str; 2] = [
    "800300010000003d0000000100000000000078f9e3c6a7c202253a48f95b044eea16061606409ab308125f99a074cc68004e\
     892545a989b9d0c2863515141500000000ffff",
    "800300010000001600000003000000000000225333a8a44a04000000ffff",
];

#[test]
fn reads_what_zlib_packed() {
    let mut decoder = Decoder::default();
    for (bytes, (stream, kind)) in STREAMS.iter().zip([(1, "error"), (3, "data")]) {
        let expected = Frame::SynStream { stream: id(stream), headers: headers(kind), fin: false };
        assert_eq!(frames(&mut decoder, &unhex(bytes)).unwrap(), [expected]);
    }
    assert_eq!(headers("data").get("streamType"), Some("data"), "names have no case");
}

#[test]
fn bad_frames_are_told() {
    let syn = written(&[Frame::SynStream { stream: id(1), headers: headers("data"), fin: false }]);
    let mut cut = syn.clone();
    cut.truncate(syn.len() - 6);
    cut[7] -= 6;
    for (bytes, expected) in [
        (&b"\x80\x02\0\x06\0\0\0\x04\0\0\0\x01"[..], SpdyError::Version(2)),
        (b"\x80\x03\0\x01\0\xff\xff\xff", SpdyError::ControlTooLong { length: 0xff_ffff, most: 16 << 10 }),
        (b"\0\0\0\0\0\0\0\0", SpdyError::StreamNumber(0)),
        (b"\x80\x03\0\x03\0\0\0\x04\0\0\0\x01", SpdyError::Malformed("a control frame ends early")),
        (b"\x80\x03\0\x04\0\0\0\x04\xff\xff\xff\xff", SpdyError::Malformed("SETTINGS")),
        (b"\x80\x03\0\x01\0\0\0\x05\0\0\0\x01\0", SpdyError::Malformed("SYN_STREAM")),
        (&cut, SpdyError::Malformed("headers end early")),
    ] {
        assert_eq!(frames(&mut Decoder::default(), bytes), Err(expected));
    }
    let rubbish = b"\x80\x03\0\x02\0\0\0\x08\0\0\0\x01\x01\x02\x03\x04";
    assert!(matches!(frames(&mut Decoder::default(), rubbish), Err(SpdyError::Compression(_))));
}

#[test]
fn headers_that_grow_are_refused() {
    let bomb: Headers = [("a", "0".repeat(200_000))].into_iter().collect();
    let bytes = written(&[Frame::SynStream { stream: id(1), headers: bomb, fin: false }]);
    assert!(bytes.len() < 2000, "{}", bytes.len());
    assert_eq!(frames(&mut Decoder::default(), &bytes), Err(SpdyError::HeadersTooLong(16 << 10)));
}

fn open(connection: &mut Connection, encoder: &mut Encoder, stream: u32) {
    let mut bytes = Vec::new();
    encoder.write(&Frame::SynStream { stream: id(stream), headers: headers("data"), fin: false }, &mut bytes).unwrap();
    let events = connection.receive(&bytes).unwrap();
    assert_eq!(events, [Event::Opened { stream: id(stream), headers: headers("data") }]);
    connection.accept(id(stream)).unwrap();
}

/// What a client reads, all that can be sent.
fn read(connection: &mut Connection, decoder: &mut Decoder) -> Vec<Frame> {
    let mut all = Vec::new();
    while connection.has_output() {
        all.extend(frames(decoder, &connection.transmit(64 << 10).unwrap().bytes).unwrap());
    }
    all
}

fn length(frames: &[Frame], stream: u32) -> usize {
    let of = |frame: &Frame| match frame {
        Frame::Data { stream: of, bytes, .. } if *of == id(stream) => bytes.len(),
        _ => 0,
    };
    frames.iter().map(of).sum()
}

#[test]
fn windows_hold_for_who_counts_them() {
    let mut encoder = Encoder::default();
    let mut say = |frame: &Frame| {
        let mut bytes = Vec::new();
        encoder.write(frame, &mut bytes).unwrap();
        bytes
    };
    let (mut connection, mut decoder) = (Connection::default(), Decoder::default());
    let new = |stream| Frame::SynStream { stream: id(stream), headers: headers("data"), fin: false };
    connection.receive(&say(&new(1))).unwrap();
    connection.receive(&say(&new(3))).unwrap();
    connection.send(id(1), vec![1; 200_000].into());
    assert_eq!(length(&read(&mut connection, &mut decoder), 1), 200_000, "kubectl never counts");

    // 136 kB more than the window allows have gone out: whoever counts gets that much later.
    let more = |stream: Option<u32>, delta| Frame::WindowUpdate { stream: stream.map(id), delta };
    connection.receive(&say(&more(None, 1 << 20))).unwrap();
    connection.send(id(1), vec![1; 100_000].into());
    connection.send(id(3), vec![3; 100_000].into());
    let got = read(&mut connection, &mut decoder);
    assert_eq!((length(&got, 1), length(&got, 3)), (0, 64 << 10));
    connection.receive(&say(&more(Some(1), 200_000))).unwrap();
    connection.receive(&say(&more(Some(3), 10))).unwrap();
    let got = read(&mut connection, &mut decoder);
    assert_eq!((length(&got, 1), length(&got, 3)), (64 << 10, 10));
    connection.receive(&say(&Frame::Settings(vec![(7, 128 << 10)]))).unwrap();
    let got = read(&mut connection, &mut decoder);
    assert_eq!((length(&got, 1), length(&got, 3)), (100_000 - (64 << 10), 100_000 - (64 << 10) - 10));

    connection.receive(&say(&more(Some(3), 0x7fff_ffff))).unwrap();
    let reset = Frame::Reset { stream: id(3), status: Status::FlowControlError };
    assert_eq!(read(&mut connection, &mut decoder), [reset]);
    let last = connection.receive(&say(&more(None, 0x7fff_ffff)));
    assert_eq!(last, Err(SpdyError::WindowOverflow));
}

#[test]
fn who_sends_too_much_is_left_to_wait() {
    let (mut connection, mut decoder, mut encoder) = (Connection::default(), Decoder::default(), Encoder::default());
    open(&mut connection, &mut encoder, 1);
    let data = written(&[Frame::Data { stream: id(1), bytes: vec![0; 1 << 20].into(), fin: false }]);
    let mut received = 0;
    for piece in data.chunks(32 << 10) {
        assert!(connection.may_receive());
        let events = connection.receive(piece).unwrap();
        received += events
            .iter()
            .map(|event| if let Event::Data { bytes, .. } = event { bytes.len() } else { 0 })
            .sum::<usize>();
    }
    assert_eq!(received, 1 << 20);
    assert!(!connection.may_receive(), "a megabyte waits for the pod");
    connection.consumed(id(1), received).unwrap();
    assert!(connection.may_receive());
    let updates = read(&mut connection, &mut decoder);
    let whole = |stream| Frame::WindowUpdate { stream, delta: 1 << 20 };
    assert!(updates.contains(&whole(None)) && updates.contains(&whole(Some(id(1)))), "{updates:?}");

    let ping = written(&[Frame::Ping(7)]);
    let taken = (0..100_000).take_while(|_| connection.may_receive() && connection.receive(&ping).is_ok()).count();
    assert!(taken < 10_000, "answers that nobody fetches are not made without end: {taken}");
    assert_eq!(read(&mut connection, &mut decoder).len(), taken);
    assert!(connection.receive(&written(&[Frame::Ping(8)])).unwrap().is_empty() && !connection.has_output());
}

#[test]
fn streams_take_turns_and_end_each_way() {
    let (mut connection, mut decoder, mut encoder) = (Connection::default(), Decoder::default(), Encoder::default());
    open(&mut connection, &mut encoder, 1);
    open(&mut connection, &mut encoder, 3);
    connection.send(id(1), vec![1; 40_000].into());
    connection.send(id(3), vec![3; 5].into());
    connection.finish(id(3));
    let order: Vec<_> = read(&mut connection, &mut decoder)
        .into_iter()
        .filter_map(|frame| {
            if let Frame::Data { stream, bytes, fin } = frame { Some((stream.get(), bytes.len(), fin)) } else { None }
        })
        .collect();
    assert_eq!(order, [(1, 16384, false), (3, 5, true), (1, 16384, false), (1, 7232, false)]);

    // Our side of 3 is over, the client's is not.
    let said = written(&[
        Frame::Data { stream: id(3), bytes: Bytes::from_static(b"more"), fin: true },
        Frame::Data { stream: id(3), bytes: Bytes::from_static(b"too late"), fin: false },
        Frame::Reset { stream: id(1), status: Status::Cancel },
        Frame::GoAway { last: 0, status: 0 },
    ]);
    let events = connection.receive(&said).unwrap();
    assert_eq!(
        events,
        [
            Event::Data { stream: id(3), bytes: Bytes::from_static(b"more") },
            Event::Ended { stream: id(3) },
            Event::Reset { stream: id(1) },
            Event::GoneAway
        ]
    );
    assert!(connection.is_over());
}

#[test]
fn streams_have_a_limit_and_an_order() {
    let (mut connection, mut decoder, mut encoder) = (Connection::default(), Decoder::default(), Encoder::default());
    (0..1024).for_each(|number| open(&mut connection, &mut encoder, 2 * number + 1));
    let mut bytes = Vec::new();
    let mut new = |stream, bytes: &mut Vec<u8>| {
        encoder
            .write(&Frame::SynStream { stream: id(stream), headers: Headers::default(), fin: false }, bytes)
            .unwrap();
    };
    new(2049, &mut bytes);
    assert_eq!(connection.receive(&bytes), Ok(vec![]));
    let refused = Frame::Reset { stream: id(2049), status: Status::RefusedStream };
    assert!(read(&mut connection, &mut decoder).contains(&refused));
    for wrong in [2049, 2050] {
        let (mut connection, mut encoder, mut bytes) = (Connection::default(), Encoder::default(), Vec::new());
        open(&mut connection, &mut encoder, 2049);
        let frame = Frame::SynStream { stream: id(wrong), headers: Headers::default(), fin: false };
        encoder.write(&frame, &mut bytes).unwrap();
        assert_eq!(connection.receive(&bytes), Err(SpdyError::StreamNumber(wrong)));
    }
}

fn any_headers() -> impl Strategy<Value = Headers> {
    prop::collection::vec(("[a-z-]{0,12}", "\\PC{0,40}"), 0..5).prop_map(|pairs| pairs.into_iter().collect())
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let stream = || (1..=StreamId::MAX).prop_map(id);
    prop_oneof![
        (stream(), any_headers(), any::<bool>()).prop_map(|(stream, headers, fin)| Frame::SynStream {
            stream,
            headers,
            fin
        }),
        (stream(), any_headers(), any::<bool>()).prop_map(|(stream, headers, fin)| Frame::SynReply {
            stream,
            headers,
            fin
        }),
        (stream(), any_headers(), any::<bool>()).prop_map(|(stream, headers, fin)| Frame::Headers {
            stream,
            headers,
            fin
        }),
        (stream(), any::<u32>()).prop_map(|(stream, code)| Frame::Reset { stream, status: Status::of(code) }),
        prop::collection::vec((0..1_u32 << 24, any::<u32>()), 0..4).prop_map(Frame::Settings),
        any::<u32>().prop_map(Frame::Ping),
        (0..=StreamId::MAX, any::<u32>()).prop_map(|(last, status)| Frame::GoAway { last, status }),
        (0..=StreamId::MAX, 0..=StreamId::MAX)
            .prop_map(|(stream, delta)| Frame::WindowUpdate { stream: StreamId::new(stream), delta }),
        (stream(), prop::collection::vec(any::<u8>(), 0..300), any::<bool>())
            .prop_map(|(stream, bytes, fin)| Frame::Data { stream, bytes: bytes.into(), fin }),
        (100..=u16::MAX).prop_map(Frame::Unknown),
    ]
}

/// Pieces of one data frame as one again: each is followed by its rest until the frame's whole length was seen.
fn whole(frames: Vec<Frame>, sent: &[Frame]) -> Vec<Frame> {
    let (mut frames, mut all) = (frames.into_iter(), Vec::new());
    for sent in sent {
        let mut next = frames.next().expect("a frame");
        while let (Frame::Data { bytes, fin, .. }, Frame::Data { bytes: wanted, .. }) = (&mut next, sent) {
            if bytes.len() >= wanted.len() {
                break;
            }
            let Some(Frame::Data { bytes: rest, fin: last, .. }) = frames.next() else { panic!("a piece is missing") };
            *bytes = [bytes.as_ref(), rest.as_ref()].concat().into();
            *fin = last;
        }
        all.push(next);
    }
    assert_eq!(frames.next(), None);
    all
}

proptest! {
    #[test]
    fn frames_come_back_however_they_are_cut(sent in prop::collection::vec(any_frame(), 1..20), step in 1..200_usize) {
        let (mut decoder, mut got) = (Decoder::default(), Vec::new());
        for piece in written(&sent).chunks(step) {
            got.extend(frames(&mut decoder, piece).unwrap());
        }
        prop_assert_eq!(whole(got, &sent), sent);
    }

    #[test]
    fn no_input_breaks_a_connection(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..80),
                any_frame().prop_map(|frame| written(&[frame])),
                (any_frame(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(frame, at, byte)| {
                    let mut bytes = written(&[frame]);
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                    bytes
                }),
            ],
            0..20,
        ),
    ) {
        let mut connection = Connection::default();
        for piece in pieces {
            let Ok(events) = connection.receive(&piece) else { return Ok(()) };
            for event in events {
                match event {
                    Event::Opened { stream, .. } => {
                        connection.accept(stream).unwrap();
                        connection.send(stream, vec![7; 100_000].into());
                    }
                    Event::Data { stream, bytes } => connection.consumed(stream, bytes.len()).unwrap(),
                    Event::Ended { stream } => connection.finish(stream),
                    Event::Reset { .. } | Event::GoneAway => {}
                }
            }
            let mut turns = 0;
            while connection.has_output() {
                prop_assert!(!connection.transmit(16 << 10).unwrap().bytes.is_empty());
                turns += 1;
                prop_assert!(turns < 1000);
            }
        }
    }
}
