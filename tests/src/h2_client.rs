//! An HTTP/2 client, over TLS or with prior knowledge, frame by frame.

use crate::h1::{Body, Io, Request, connect_tls_stream};
use crate::reply::{Ending, Framing, Reply};
use bytes::{Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::HeaderMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;

/// Bytes of one DATA frame.
const FRAME_BYTES: usize = 16 << 10;

/// A connection.
pub struct H2 {
    send: SendRequest<Bytes>,
    scheme: &'static str,
    authority: String,
}

impl H2 {
    /// Connects without TLS, with prior knowledge.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap_or_else(|e| panic!("cannot connect to {address}: {e}"));
        stream.set_nodelay(true).expect("nodelay");
        Self::over(Box::new(stream), "http", address.to_string()).await
    }

    /// Connects with TLS; `config` must offer `h2`.
    pub async fn connect_tls(address: SocketAddr, name: &str, config: Arc<rustls::ClientConfig>) -> Self {
        Self::over(connect_tls_stream(address, name, config).await, "https", name.to_owned()).await
    }

    async fn over(stream: Box<dyn Io>, scheme: &'static str, authority: String) -> Self {
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(1 << 20).initial_connection_window_size(4 << 20);
        let (send, connection) = builder.handshake(stream).await.expect("an HTTP/2 handshake");
        tokio::spawn(connection);
        Self { send, scheme, authority }
    }

    /// Sends a request and reads its reply whole. An error is a stream that ended before a head.
    pub async fn send(&mut self, request: &Request) -> Result<Reply, h2::Error> {
        Ok(self.start(request).await?.finish().await)
    }

    /// Sends a request and reads the head of its reply.
    pub async fn start(&mut self, request: &Request) -> Result<H2Incoming, h2::Error> {
        let bodyless = matches!(request.body, Body::None);
        let (response, stream) = self.open(request, bodyless).await?;
        let body = match &request.body {
            Body::None => Bytes::new(),
            Body::Length(b) | Body::Unsized(b, _) | Body::Expect(b) => b.clone(),
        };
        // On a task of its own: a reply may come before the body is sent, or while it is.
        let sending = (!bodyless).then(|| tokio::spawn(send_body(stream, body)));
        let response = response.await?;
        let (head, body) = response.into_parts();
        let reply = Reply {
            status: head.status.as_u16(),
            interim: Vec::new(),
            headers: head.headers,
            body: Bytes::new(),
            trailers: HeaderMap::new(),
            framing: Framing::Frames,
            ending: Ending::Whole,
        };
        Ok(H2Incoming { reply, stream: body, body: BytesMut::new(), sending })
    }

    /// Opens a stream whose body the test sends itself.
    pub async fn open(
        &mut self,
        request: &Request,
        end: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        let uri = format!("{}://{}{}", self.scheme, self.authority, request.target);
        let mut head = http::Request::builder().method(request.method).uri(uri).version(http::Version::HTTP_2);
        for (name, value) in &request.headers {
            head = head.header(name, value);
        }
        if let Body::Length(b) = &request.body {
            head = head.header("content-length", b.len());
        }
        let head = head.body(()).expect("a request head");
        self.send = self.send.clone().ready().await?;
        self.send.send_request(head, end)
    }
}

async fn send_body(mut stream: SendStream<Bytes>, body: Bytes) {
    let mut rest = body;
    while !rest.is_empty() {
        stream.reserve_capacity(rest.len().min(FRAME_BYTES));
        let Some(Ok(room)) = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await else { return };
        let piece = rest.split_to(room.min(rest.len()));
        if stream.send_data(piece, false).is_err() {
            return;
        }
    }
    let _ = stream.send_data(Bytes::new(), true);
}

/// A reply whose head was read.
pub struct H2Incoming {
    /// Its head.
    pub reply: Reply,
    stream: RecvStream,
    body: BytesMut,
    sending: Option<tokio::task::JoinHandle<()>>,
}

impl H2Incoming {
    /// The next piece of the body, `None` at its end, whole or cut.
    pub async fn next(&mut self) -> Option<Bytes> {
        match self.stream.data().await? {
            Ok(piece) => {
                self.stream.flow_control().release_capacity(piece.len()).expect("flow control");
                self.body.extend_from_slice(&piece);
                Some(piece)
            }
            Err(_) => {
                self.reply.ending = Ending::Cut;
                None
            }
        }
    }

    /// Reads the body to its end.
    pub async fn finish(mut self) -> Reply {
        while self.next().await.is_some() {}
        if self.reply.ending == Ending::Whole {
            match self.stream.trailers().await {
                Ok(trailers) => self.reply.trailers = trailers.unwrap_or_default(),
                Err(_) => self.reply.ending = Ending::Cut,
            }
        }
        self.reply.body = std::mem::take(&mut self.body).freeze();
        self.reply.clone()
    }
}

impl Drop for H2Incoming {
    fn drop(&mut self) {
        // Dropping the sending half, too, is what tells the peer that the stream is over.
        if let Some(sending) = self.sending.take() {
            sending.abort();
        }
    }
}
