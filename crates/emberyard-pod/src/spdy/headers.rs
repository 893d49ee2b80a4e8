//! Header blocks and their compression, which has one state for all of a connection.

use super::dictionary::dictionary;
use super::error::SpdyError;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// Unpacked, a block may not be longer: port-forward's are below 100 bytes.
const MOST: usize = 16 << 10;
/// Unpacked at a time.
const STEP: usize = 1 << 10;

/// Names and values of a frame, in order. Names are lower case on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The value of a name, whatever its case; of several, all with a zero byte between.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn parse(mut block: &[u8]) -> Result<Self, SpdyError> {
        let count = number(&mut block)?;
        let mut pairs = Vec::new();
        // As many as the block has bytes for: the count itself is not believed.
        for _ in 0..count {
            pairs.push((text(&mut block)?, text(&mut block)?));
        }
        if block.is_empty() { Ok(Self(pairs)) } else { Err(SpdyError::Malformed("bytes after the last header")) }
    }

    fn write(&self) -> Vec<u8> {
        let mut block = Vec::new();
        let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        block.extend_from_slice(&length(self.0.len()));
        for text in self.0.iter().flat_map(|(name, value)| [name, value]) {
            block.extend_from_slice(&length(text.len()));
            block.extend_from_slice(text.as_bytes());
        }
        block
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into().to_ascii_lowercase(), value.into())).collect())
    }
}

fn number(block: &mut &[u8]) -> Result<u32, SpdyError> {
    let (number, rest) = block.split_first_chunk::<4>().ok_or(SpdyError::Malformed("headers end early"))?;
    *block = rest;
    Ok(u32::from_be_bytes(*number))
}

fn text(block: &mut &[u8]) -> Result<String, SpdyError> {
    let length = number(block)? as usize;
    let (text, rest) = block.split_at_checked(length).ok_or(SpdyError::Malformed("headers end early"))?;
    *block = rest;
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// Unpacks one block after the other.
pub(super) struct Inflater(Decompress);

impl Inflater {
    pub(super) fn new() -> Self {
        Self(Decompress::new(true))
    }

    pub(super) fn block(&mut self, packed: &[u8]) -> Result<Headers, SpdyError> {
        let (mut packed, mut block) = (packed, Vec::new());
        loop {
            let begun = (self.0.total_in(), self.0.total_out());
            let mut piece = [0; STEP];
            let result = self.0.decompress(packed, &mut piece, FlushDecompress::Sync);
            let read = usize::try_from(self.0.total_in() - begun.0).unwrap_or(usize::MAX);
            let written = usize::try_from(self.0.total_out() - begun.1).unwrap_or(usize::MAX);
            packed = packed.get(read..).unwrap_or_default();
            block.extend_from_slice(piece.get(..written).unwrap_or_default());
            if block.len() > MOST {
                return Err(SpdyError::HeadersTooLong(MOST));
            }
            match result {
                // It asks once, at the very first block.
                Err(error) if error.needs_dictionary().is_some() => {
                    self.0.set_dictionary(&dictionary()).map_err(|e| SpdyError::Compression(e.to_string()))?;
                }
                Err(error) => return Err(SpdyError::Compression(error.to_string())),
                // Nothing more comes of what is there. Whether that was all, the block itself says.
                Ok(_) if written < STEP && (packed.is_empty() || read == 0) => return Headers::parse(&block),
                Ok(_) => {}
            }
        }
    }
}

/// Packs one block after the other.
pub(super) struct Deflater(Compress);

impl Deflater {
    pub(super) fn new() -> Self {
        let mut compress = Compress::new(Compression::fast(), true);
        // It is refused in the middle of a stream only.
        let _begun = compress.set_dictionary(&dictionary());
        Self(compress)
    }

    pub(super) fn block(&mut self, headers: &Headers) -> Result<Vec<u8>, SpdyError> {
        let block = headers.write();
        let (mut rest, mut packed) = (block.as_slice(), Vec::new());
        loop {
            let begun = (self.0.total_in(), self.0.total_out());
            let mut piece = [0; STEP];
            let result = self.0.compress(rest, &mut piece, FlushCompress::Sync);
            result.map_err(|error| SpdyError::Compression(error.to_string()))?;
            let read = usize::try_from(self.0.total_in() - begun.0).unwrap_or(usize::MAX);
            let written = usize::try_from(self.0.total_out() - begun.1).unwrap_or(usize::MAX);
            rest = rest.get(read..).unwrap_or_default();
            packed.extend_from_slice(piece.get(..written).unwrap_or_default());
            if rest.is_empty() && written < STEP {
                return Ok(packed);
            }
        }
    }
}
