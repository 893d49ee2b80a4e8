//! Bytes to frames.

use super::error::SpdyError;
use super::frame::{CONTROL, FIN, Frame, LENGTH_MOST, Status, StreamId, VERSION, kind};
use super::headers::Inflater;
use bytes::{Buf, Bytes, BytesMut};

/// A control frame may not be longer: only headers have no length of their own, and port-forward's are short.
const CONTROL_MOST: usize = 16 << 10;
const HEAD: usize = 8;

/// Reads frames out of bytes that come in pieces of any size. It keeps less than one control frame: long data frames
/// leave it in pieces.
pub struct Decoder {
    buffer: BytesMut,
    /// The data frame that is being read, and how much of it is still to come.
    data: Option<(StreamId, usize, bool)>,
    inflater: Inflater,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { buffer: BytesMut::new(), data: None, inflater: Inflater::new() }
    }
}

impl Decoder {
    /// Takes bytes. Ask for [`Decoder::frame`] until there is none, before the next.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame, if there is enough of it.
    pub fn frame(&mut self) -> Result<Option<Frame>, SpdyError> {
        if let Some((stream, left, fin)) = self.data {
            return Ok(self.piece(stream, left, fin));
        }
        let Some(mut head) = self.buffer.get(..HEAD) else { return Ok(None) };
        let (first, second) = (number(&mut head)?, number(&mut head)?);
        let (fin, length) = ((second >> 24) as u8 & FIN != 0, (second & LENGTH_MOST) as usize);
        if first & CONTROL == 0 {
            let stream = StreamId::new(first).ok_or(SpdyError::StreamNumber(first))?;
            self.buffer.advance(HEAD);
            if length == 0 {
                return Ok(Some(Frame::Data { stream, bytes: Bytes::new(), fin }));
            }
            return Ok(self.piece(stream, length, fin));
        }
        let (version, kind) = ((first & !CONTROL) >> 16, first & 0xffff);
        if version != u32::from(VERSION) {
            return Err(SpdyError::Version(version as u16));
        }
        if length > CONTROL_MOST {
            return Err(SpdyError::ControlTooLong { length, most: CONTROL_MOST });
        }
        if self.buffer.len() < HEAD + length {
            return Ok(None);
        }
        self.buffer.advance(HEAD);
        let body = self.buffer.split_to(length);
        self.control(kind as u16, fin, &body).map(Some)
    }

    fn piece(&mut self, stream: StreamId, left: usize, fin: bool) -> Option<Frame> {
        let bytes = self.buffer.split_to(left.min(self.buffer.len())).freeze();
        let left = left - bytes.len();
        self.data = (left > 0).then_some((stream, left, fin));
        (!bytes.is_empty()).then_some(Frame::Data { stream, bytes, fin: fin && left == 0 })
    }

    fn control(&mut self, kind: u16, fin: bool, mut body: &[u8]) -> Result<Frame, SpdyError> {
        let body = &mut body;
        Ok(match kind {
            kind::SYN_STREAM => {
                let stream = stream(body)?;
                // The stream it belongs to, priority and slot mean nothing here.
                *body = body.get(6..).ok_or(SpdyError::Malformed("SYN_STREAM"))?;
                Frame::SynStream { stream, headers: self.inflater.block(body)?, fin }
            }
            kind::SYN_REPLY => Frame::SynReply { stream: stream(body)?, headers: self.inflater.block(body)?, fin },
            kind::HEADERS => Frame::Headers { stream: stream(body)?, headers: self.inflater.block(body)?, fin },
            kind::RST_STREAM => Frame::Reset { stream: stream(body)?, status: Status::of(number(body)?) },
            kind::PING => Frame::Ping(number(body)?),
            kind::GOAWAY => Frame::GoAway { last: number(body)? & StreamId::MAX, status: number(body)? },
            kind::WINDOW_UPDATE => {
                Frame::WindowUpdate { stream: StreamId::new(number(body)?), delta: number(body)? & StreamId::MAX }
            }
            kind::SETTINGS => {
                let count = number(body)? as usize;
                if Some(body.len()) != count.checked_mul(8) {
                    return Err(SpdyError::Malformed("SETTINGS"));
                }
                let mut entries = Vec::with_capacity(count);
                while !body.is_empty() {
                    // The first byte is flags.
                    entries.push((number(body)? & 0x00ff_ffff, number(body)?));
                }
                Frame::Settings(entries)
            }
            other => Frame::Unknown(other),
        })
    }
}

fn number(body: &mut &[u8]) -> Result<u32, SpdyError> {
    let (number, rest) = body.split_first_chunk::<4>().ok_or(SpdyError::Malformed("a control frame ends early"))?;
    *body = rest;
    Ok(u32::from_be_bytes(*number))
}

fn stream(body: &mut &[u8]) -> Result<StreamId, SpdyError> {
    let number = number(body)?;
    StreamId::new(number).ok_or(SpdyError::StreamNumber(number))
}
