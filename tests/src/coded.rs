//! Content codings as others write and read them: the libraries' own front ends, which the gateway does not use.

use std::io::{Read, Write};

/// The codings that the gateway reads.
pub const CODINGS: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

/// `plain` in a coding; a name that is not known is coded as gzip.
pub fn code(coding: &str, plain: &[u8]) -> Vec<u8> {
    let mut coder = Flushing::new(coding);
    let mut coded = coder.write(plain);
    coded.extend(coder.end());
    coded
}

/// What was coded; panics if it is not valid to its last byte.
pub fn decode(coding: &str, coded: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let read = match coding {
        "gzip" => flate2::read::MultiGzDecoder::new(coded).read_to_end(&mut plain),
        "br" => brotli::Decompressor::new(coded, 4096).read_to_end(&mut plain),
        "zstd" => zstd::stream::read::Decoder::new(coded).and_then(|mut d| d.read_to_end(&mut plain)),
        "" => return coded.to_vec(),
        other => panic!("nobody decodes {other:?} here"),
    };
    read.unwrap_or_else(|e| panic!("not {coding}: {e}"));
    plain
}

/// A coder that gives what it has after each flush.
pub enum Flushing {
    /// No coding.
    Plain,
    /// gzip.
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
    /// deflate in its zlib frame.
    Deflate(flate2::write::ZlibEncoder<Vec<u8>>),
    /// brotli.
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    /// zstd.
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Flushing {
    /// A coder of this name, none for the empty one, gzip if it is not known.
    pub fn new(coding: &str) -> Self {
        let level = flate2::Compression::best();
        match coding {
            "" => Self::Plain,
            "deflate" => Self::Deflate(flate2::write::ZlibEncoder::new(Vec::new(), level)),
            "br" => Self::Brotli(Box::new(brotli::CompressorWriter::new(Vec::new(), 4096, 9, 22))),
            "zstd" => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 9).expect("a zstd encoder")),
            _ => Self::Gzip(flate2::write::GzEncoder::new(Vec::new(), level)),
        }
    }

    /// Codes `plain`, which may be held back in part.
    fn write(&mut self, plain: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain => Ok(plain.to_vec()),
            Self::Gzip(w) => w.write_all(plain).map(|()| std::mem::take(w.get_mut())),
            Self::Deflate(w) => w.write_all(plain).map(|()| std::mem::take(w.get_mut())),
            Self::Brotli(w) => w.write_all(plain).map(|()| std::mem::take(w.get_mut())),
            Self::Zstd(w) => w.write_all(plain).map(|()| std::mem::take(w.get_mut())),
        }
        .expect("coding into memory")
    }

    /// Codes `plain` so that it can be read without what follows.
    pub fn flushed(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut coded = self.write(plain);
        let rest = match self {
            Self::Plain => Ok(Vec::new()),
            Self::Gzip(w) => w.flush().map(|()| std::mem::take(w.get_mut())),
            Self::Deflate(w) => w.flush().map(|()| std::mem::take(w.get_mut())),
            Self::Brotli(w) => w.flush().map(|()| std::mem::take(w.get_mut())),
            Self::Zstd(w) => w.flush().map(|()| std::mem::take(w.get_mut())),
        };
        coded.extend(rest.expect("coding into memory"));
        coded
    }

    /// The end.
    pub fn end(self) -> Vec<u8> {
        match self {
            Self::Plain => Vec::new(),
            Self::Gzip(w) => w.finish().expect("coding into memory"),
            Self::Deflate(w) => w.finish().expect("coding into memory"),
            Self::Brotli(w) => w.into_inner(),
            Self::Zstd(w) => w.finish().expect("coding into memory"),
        }
    }
}

/// A coded body that is read while it arrives.
pub struct Reading {
    coding: String,
    coded: Vec<u8>,
}

impl Reading {
    /// Starts at its first byte.
    pub fn new(coding: &str) -> Self {
        Self { coding: coding.to_owned(), coded: Vec::new() }
    }

    /// The next coded bytes.
    pub fn feed(&mut self, piece: &[u8]) {
        self.coded.extend_from_slice(piece);
    }

    fn read(&self) -> (Vec<u8>, bool) {
        let coded = self.coded.as_slice();
        let mut decoder: Box<dyn Read> = match self.coding.as_str() {
            "gzip" => Box::new(flate2::read::GzDecoder::new(coded)),
            "br" => Box::new(brotli::Decompressor::new(coded, 4096)),
            "zstd" => Box::new(zstd::stream::read::Decoder::new(coded).expect("a zstd decoder")),
            other => panic!("nobody decodes {other:?} here"),
        };
        let (mut plain, mut byte) = (Vec::new(), [0]);
        loop {
            match decoder.read(&mut byte) {
                Ok(0) => return (plain, true),
                Ok(_) => plain.push(byte[0]),
                Err(_) => return (plain, false), // more is to come
            }
        }
    }

    /// All that can be read so far.
    pub fn text(&self) -> String {
        String::from_utf8(self.read().0).expect("UTF-8")
    }

    /// True if the coded stream has come to its end.
    pub fn is_whole(&self) -> bool {
        self.read().1
    }
}
