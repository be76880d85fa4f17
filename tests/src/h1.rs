//! An HTTP/1.1 client on a bare socket: sends a body in any framing and reports every detail of the reply.

use crate::reply::{Ending, Framing, Reply};
use crate::wire::{BodyState, Reader, WireError, framing};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A byte stream, plain or TLS.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// How a request's body is sent.
#[derive(Clone, Debug)]
pub enum Body {
    /// No body and no framing header.
    None,
    /// With its length.
    Length(Bytes),
    /// Without its length: chunks of so many bytes on h1, DATA frames without `content-length` on h2.
    Unsized(Bytes, usize),
    /// With its length, after the server's `100 Continue` (h1).
    Expect(Bytes),
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// Headers besides `Host` and framing.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Body,
}

impl Request {
    /// A GET without body.
    pub fn get(target: impl Into<String>) -> Self {
        Self { method: "GET", target: target.into(), headers: Vec::new(), body: Body::None }
    }

    /// A POST of JSON with its length.
    pub fn post(target: impl Into<String>, body: impl Into<Bytes>) -> Self {
        let request =
            Self { method: "POST", target: target.into(), headers: Vec::new(), body: Body::Length(body.into()) };
        request.header("content-type", "application/json")
    }

    /// Another method.
    pub fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    /// One more header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Bytes of its body.
    pub fn body_len(&self) -> usize {
        match &self.body {
            Body::None => 0,
            Body::Length(b) | Body::Unsized(b, _) | Body::Expect(b) => b.len(),
        }
    }

    /// The same body in another framing.
    pub fn framed(mut self, wrap: impl FnOnce(Bytes) -> Body) -> Self {
        let bytes = match self.body {
            Body::None => Bytes::new(),
            Body::Length(b) | Body::Unsized(b, _) | Body::Expect(b) => b,
        };
        self.body = wrap(bytes);
        self
    }

    fn head(&self, host: &str) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match &self.body {
            Body::None => {}
            Body::Length(b) => head.push_str(&format!("Content-Length: {}\r\n", b.len())),
            Body::Expect(b) => head.push_str(&format!("Content-Length: {}\r\nExpect: 100-continue\r\n", b.len())),
            Body::Unsized(..) => head.push_str("Transfer-Encoding: chunked\r\n"),
        }
        head + "\r\n"
    }

    fn framed_body(&self) -> Bytes {
        match &self.body {
            Body::None => Bytes::new(),
            Body::Length(b) | Body::Expect(b) => b.clone(),
            Body::Unsized(b, piece) => chunked(b, *piece),
        }
    }
}

fn chunked(body: &Bytes, piece: usize) -> Bytes {
    let mut out = BytesMut::with_capacity(body.len() + 64);
    for chunk in body.chunks(piece) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out.freeze()
}

/// A connection.
pub struct H1 {
    reader: Reader<ReadHalf<Box<dyn Io>>>,
    writer: WriteHalf<Box<dyn Io>>,
    /// Value of `Host`.
    pub host: String,
}

impl H1 {
    /// Connects without TLS.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).await.unwrap_or_else(|e| panic!("cannot connect to {address}: {e}"))
    }

    /// The same for a server that may be gone.
    pub async fn try_connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self::over(Box::new(stream), address.to_string()))
    }

    /// Connects, and resets the connection when it is dropped. A FIN alone would leave open whether the client still reads.
    pub async fn connect_to_reset(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap_or_else(|e| panic!("cannot connect to {address}: {e}"));
        stream.set_zero_linger().expect("linger");
        Self::over(Box::new(stream), address.to_string())
    }

    /// Connects with TLS; the certificate must be valid for `name`.
    pub async fn connect_tls(address: SocketAddr, name: &str, config: Arc<rustls::ClientConfig>) -> Self {
        Self::over(connect_tls_stream(address, name, config).await, name.to_owned())
    }

    fn over(stream: Box<dyn Io>, host: String) -> Self {
        let (reader, writer) = split(stream);
        Self { reader: Reader::new(reader), writer, host }
    }

    /// Sends a request and reads its reply whole.
    pub async fn send(&mut self, request: &Request) -> Result<Reply, WireError> {
        Ok(self.start(request).await?.finish().await)
    }

    /// Sends a request and reads the head of its reply. A reply that comes before the body is sent ends the sending.
    pub async fn start(&mut self, request: &Request) -> Result<Incoming<'_>, WireError> {
        // A peer that refused early may have closed its side: what counts is whether a reply can still be read.
        let _ = self.write(request.head(&self.host).as_bytes()).await;
        let mut interim = Vec::new();
        if matches!(request.body, Body::Expect(_)) {
            let incoming = self.read_head(request.method).await?;
            if incoming.reply.status != 100 {
                return Ok(incoming.into_reply_of(self));
            }
            interim.push(100);
        }
        let body = request.framed_body();
        let incoming = {
            let write = async {
                let _ = self.writer.write_all(&body).await;
                let _ = self.writer.flush().await;
                std::future::pending::<()>().await
            };
            tokio::select! {
                head = read_final_head(&mut self.reader, request.method, &mut interim) => head?,
                () = write => unreachable!("pending"),
            }
        };
        Ok(incoming.into_reply_of(self))
    }

    /// Writes bytes as they are.
    pub async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.writer.write_all(bytes).await?;
        self.writer.flush().await
    }

    /// Sends the head of a request whose body the test then writes itself.
    pub async fn write_head(&mut self, request: &Request) {
        self.write(request.head(&self.host).as_bytes()).await.expect("the gateway took the request's head");
    }

    /// Sends a whole request, and leaves its reply unread.
    pub async fn begin(&mut self, request: &Request) {
        self.write_head(request).await;
        self.write(&request.framed_body()).await.expect("the gateway took the request's body");
    }

    /// Reads the next head, interim or final.
    async fn read_head(&mut self, method: &str) -> Result<Started, WireError> {
        read_any_head(&mut self.reader, method).await
    }

    /// Reads the reply to a request that was written piece by piece.
    pub async fn reply(&mut self, method: &str) -> Result<Incoming<'_>, WireError> {
        let mut interim = Vec::new();
        let started = read_final_head(&mut self.reader, method, &mut interim).await?;
        Ok(started.into_reply_of(self))
    }

    /// True if the peer has closed the connection, or does so at once.
    pub async fn is_closed_by_peer(&mut self) -> bool {
        assert!(self.reader.buffered().is_empty(), "stray bytes after a reply: {:?}", self.reader.buffered());
        !matches!(self.reader.fill().await, Ok(true))
    }
}

/// Connects with TLS.
pub async fn connect_tls_stream(address: SocketAddr, name: &str, config: Arc<rustls::ClientConfig>) -> Box<dyn Io> {
    let stream = TcpStream::connect(address).await.unwrap_or_else(|e| panic!("cannot connect to {address}: {e}"));
    stream.set_nodelay(true).expect("nodelay");
    let name = rustls::pki_types::ServerName::try_from(name.to_owned()).expect("a server name");
    Box::new(TlsConnector::from(config).connect(name, stream).await.expect("a TLS handshake"))
}

struct Started {
    reply: Reply,
    state: BodyState,
}

impl Started {
    fn into_reply_of(self, client: &mut H1) -> Incoming<'_> {
        Incoming { client, reply: self.reply, state: self.state, body: BytesMut::new() }
    }
}

async fn read_final_head<R: AsyncRead + Unpin>(
    reader: &mut Reader<R>,
    method: &str,
    interim: &mut Vec<u16>,
) -> Result<Started, WireError> {
    loop {
        let mut started = read_any_head(reader, method).await?;
        if (100..200).contains(&started.reply.status) && started.reply.status != 101 {
            interim.push(started.reply.status);
            continue;
        }
        started.reply.interim.clone_from(interim);
        return Ok(started);
    }
}

async fn read_any_head<R: AsyncRead + Unpin>(reader: &mut Reader<R>, method: &str) -> Result<Started, WireError> {
    let head = reader.head().await?;
    if head.start[0] != "HTTP/1.1" {
        return Err(WireError::Malformed(format!("version {:?}", head.start[0])));
    }
    let status = head.start[1].parse().map_err(|_| WireError::Malformed(format!("status {:?}", head.start[1])))?;
    let told = framing(&head.headers, Framing::Close)?;
    let bodyless = method == "HEAD" || matches!(status, 100..=199 | 204 | 304);
    let framing = if bodyless { Framing::None } else { told };
    let reply = Reply {
        status,
        interim: Vec::new(),
        headers: head.headers,
        body: Bytes::new(),
        trailers: HeaderMap::new(),
        framing,
        ending: Ending::Whole,
    };
    Ok(Started { reply, state: BodyState::new(framing) })
}

/// A reply whose head was read.
pub struct Incoming<'a> {
    client: &'a mut H1,
    /// Its head.
    pub reply: Reply,
    state: BodyState,
    body: BytesMut,
}

impl Incoming<'_> {
    /// The next piece of the body, `None` at its end, whole or cut.
    pub async fn next(&mut self) -> Option<Bytes> {
        match self.client.reader.piece(&mut self.state).await {
            Ok(Some(piece)) => {
                self.body.extend_from_slice(&piece);
                Some(piece)
            }
            Ok(None) => None,
            Err(WireError::Malformed(why)) => panic!("a reply that is not HTTP/1.1: {why}"),
            Err(WireError::Closed | WireError::Cut) => {
                self.reply.ending = Ending::Cut;
                None
            }
        }
    }

    /// Reads on until the body so far contains `text`; false if it ends before.
    pub async fn read_until(&mut self, text: &str) -> bool {
        while !self.body.windows(text.len()).any(|w| w == text.as_bytes()) {
            if self.next().await.is_none() {
                return false;
            }
        }
        true
    }

    /// Reads the body to its end.
    pub async fn finish(mut self) -> Reply {
        while self.next().await.is_some() {}
        self.reply.body = self.body.freeze();
        self.reply.trailers = self.state.trailers;
        self.reply
    }
}
