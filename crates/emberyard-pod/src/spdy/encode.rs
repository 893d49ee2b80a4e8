//! Frames to bytes.

use super::error::SpdyError;
use super::frame::{CONTROL, FIN, Frame, LENGTH_MOST, StreamId, VERSION, kind};
use super::headers::{Deflater, Headers};

/// Writes frames, one after the other.
pub struct Encoder(Deflater);

impl Default for Encoder {
    fn default() -> Self {
        Self(Deflater::new())
    }
}

impl Encoder {
    /// Appends a frame to `out`. Data longer than 2^24 - 1 bytes is refused.
    pub fn write(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Result<(), SpdyError> {
        match frame {
            Frame::SynStream { stream, headers, fin } => {
                let mut body = stream.get().to_be_bytes().to_vec();
                body.extend_from_slice(&[0; 6]);
                body.extend(self.0.block(headers)?);
                control(kind::SYN_STREAM, *fin, &body, out)
            }
            Frame::SynReply { stream, headers, fin } => self.headers(kind::SYN_REPLY, *stream, headers, *fin, out),
            Frame::Headers { stream, headers, fin } => self.headers(kind::HEADERS, *stream, headers, *fin, out),
            Frame::Reset { stream, status } => pair(kind::RST_STREAM, stream.get(), status.code(), out),
            Frame::Settings(entries) => {
                let mut body = u32::try_from(entries.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
                for (name, value) in entries {
                    body.extend_from_slice(&name.to_be_bytes());
                    body.extend_from_slice(&value.to_be_bytes());
                }
                control(kind::SETTINGS, false, &body, out)
            }
            Frame::Ping(number) => control(kind::PING, false, &number.to_be_bytes(), out),
            Frame::GoAway { last, status } => pair(kind::GOAWAY, *last, *status, out),
            Frame::WindowUpdate { stream, delta } => {
                pair(kind::WINDOW_UPDATE, stream.map_or(0, StreamId::get), *delta, out)
            }
            Frame::Data { stream, bytes, fin } => {
                head(stream.get(), *fin, bytes.len(), out)?;
                out.extend_from_slice(bytes);
                Ok(())
            }
            Frame::Unknown(kind) => control(*kind, false, &[], out),
        }
    }

    fn headers(
        &mut self,
        kind: u16,
        stream: StreamId,
        headers: &Headers,
        fin: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), SpdyError> {
        let mut body = stream.get().to_be_bytes().to_vec();
        body.extend(self.0.block(headers)?);
        control(kind, fin, &body, out)
    }
}

fn pair(kind: u16, a: u32, b: u32, out: &mut Vec<u8>) -> Result<(), SpdyError> {
    let [a, b] = [a, b].map(u32::to_be_bytes);
    control(kind, false, &[a, b].concat(), out)
}

fn control(kind: u16, fin: bool, body: &[u8], out: &mut Vec<u8>) -> Result<(), SpdyError> {
    head(CONTROL | u32::from(VERSION) << 16 | u32::from(kind), fin, body.len(), out)?;
    out.extend_from_slice(body);
    Ok(())
}

fn head(first: u32, fin: bool, length: usize, out: &mut Vec<u8>) -> Result<(), SpdyError> {
    let length = u32::try_from(length).ok().filter(|length| *length <= LENGTH_MOST);
    let length = length.ok_or(SpdyError::Malformed("a frame is longer than its length can say"))?;
    let flags = if fin { u32::from(FIN) << 24 } else { 0 };
    out.extend_from_slice(&first.to_be_bytes());
    out.extend_from_slice(&(flags | length).to_be_bytes());
    Ok(())
}
