//! Plays scripts over HTTP/2 without TLS, frame by frame.

use crate::upstream::record::{Received, RequestEnd, Served, ServedEnd};
use crate::upstream::script::{Parameters, Step, answers_unread};
use crate::upstream::state::State;
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Ping, PingPong, Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use std::future::poll_fn;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

/// Serves a connection until the peer leaves.
pub async fn serve(stream: TcpStream, number: u64, state: Arc<State>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    let pings = Arc::new(Mutex::new(connection.ping_pong().expect("pings, asked for once")));
    while let Some(Ok((request, respond))) = connection.accept().await {
        let player = Player { respond, stream: None, served: Served::default(), pings: Arc::clone(&pings) };
        tokio::spawn(exchange(request, player, number, Arc::clone(&state)));
    }
}

async fn exchange(request: Request<RecvStream>, mut player: Player, number: u64, state: Arc<State>) {
    let (mut head, body) = request.into_parts();
    // recorded where HTTP/1.1 has it; that there is none shows
    let authority = head.uri.authority().map_or("no :authority", http::uri::Authority::as_str);
    let scheme = head.uri.scheme_str().unwrap_or("no :scheme");
    head.headers.insert("x-scheme", scheme.parse().expect("a scheme fits into a header"));
    head.headers.insert("host", authority.parse().expect("an authority fits into a header"));
    let mut received = Received {
        connection: number,
        method: head.method.to_string(),
        target: head.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        version: "HTTP/2",
        headers: head.headers,
        length: 0,
        sha256: String::new(),
        text: None,
        end: RequestEnd::Unread,
    };
    let parameters = Parameters::of(received.query(), &received.headers);
    let unread = answers_unread(&parameters);
    if !unread && read_body(body, &mut received, &state).await == RequestEnd::Cut {
        state.record(&received, &player.served);
        return;
    }
    let bodyless = received.method == "HEAD";
    for step in state.script(&parameters, &received) {
        if bodyless && matches!(step, Step::Data(..)) {
            continue;
        }
        if let Step::End | Step::Trailers(_) = step {
            let whole = Served { end: ServedEnd::Whole, ..player.served.clone() };
            if state.record_with(&received, &whole, || player.end(&step)).is_ok() {
                return;
            }
            break;
        }
        if player.step(step, &state).await.is_err() {
            break;
        }
    }
    // An unread body that is dropped here is refused by a reset, which the library sends after what is queued.
    state.record(&received, &player.served);
}

async fn read_body(mut body: RecvStream, received: &mut Received, state: &State) -> RequestEnd {
    let id = received.header("x-test-id").to_owned();
    let mut bytes = Vec::new();
    let end = loop {
        match body.data().await {
            Some(Ok(piece)) => {
                state.note_arrived(&id, piece.len());
                let _ = body.flow_control().release_capacity(piece.len());
                bytes.extend_from_slice(&piece);
            }
            Some(Err(_)) => break RequestEnd::Cut,
            None => break RequestEnd::Whole,
        }
    };
    received.set_body(&bytes, end);
    end
}

/// The script ended the stream, or the peer did.
struct Over;

struct Player {
    respond: SendResponse<Bytes>,
    stream: Option<SendStream<Bytes>>,
    served: Served,
    pings: Arc<Mutex<PingPong>>,
}

impl Player {
    async fn step(&mut self, step: Step, state: &State) -> Result<(), Over> {
        match step {
            Step::Interim(status) => {
                let head = Response::builder()
                    .status(status)
                    .header("link", "</style.css>")
                    .body(())
                    .expect("an interim head");
                self.respond.send_informational(head).map_err(|_| Over)
            }
            Step::Head { status, mut headers, framing } => {
                headers.push(("x-served-by", state.name.clone()));
                self.head(status, &headers, framing)
            }
            Step::Data(bytes, tokens) => self.data(bytes, tokens).await,
            Step::Pause(time) => self.wait(tokio::time::sleep(time)).await,
            Step::Await(name) => {
                state.note_waiting(&name);
                let signal = state.signal(&name);
                self.wait(async { signal.acquire().await.expect("a signal").forget() }).await
            }
            Step::Stall => self.wait(std::future::pending()).await,
            Step::Trailers(_) | Step::End => self.end(&step),
            // Bytes that are no frames and an end in the middle have one counterpart here: the stream breaks.
            Step::Reset | Step::Raw(_) | Step::Close => {
                self.served.end = ServedEnd::Broken;
                self.flush().await;
                self.respond.send_reset(Reason::INTERNAL_ERROR);
                Err(Over)
            }
        }
    }

    fn head(
        &mut self,
        status: u16,
        headers: &[(&'static str, String)],
        framing: crate::reply::Framing,
    ) -> Result<(), Over> {
        let mut head = Response::builder().status(status);
        for (name, value) in headers {
            head = head.header(*name, value);
        }
        if let crate::reply::Framing::Length(n) = framing {
            head = head.header("content-length", n);
        }
        self.stream = Some(self.respond.send_response(head.body(()).expect("a head"), false).map_err(|_| Over)?);
        self.served.status = status;
        Ok(())
    }

    fn body(&mut self) -> Result<&mut SendStream<Bytes>, Over> {
        self.stream.as_mut().ok_or(Over)
    }

    async fn data(&mut self, mut bytes: Bytes, tokens: u64) -> Result<(), Over> {
        let stream = self.body()?;
        while !bytes.is_empty() {
            stream.reserve_capacity(bytes.len());
            let Some(Ok(room)) = poll_fn(|cx| stream.poll_capacity(cx)).await else { return Err(Over) };
            let piece = bytes.split_to(room.min(bytes.len()));
            stream.send_data(piece, false).map_err(|_| Over)?;
        }
        self.served.pieces += 1;
        self.served.tokens += tokens;
        Ok(())
    }

    /// Ends the reply, with trailers or without.
    fn end(&mut self, step: &Step) -> Result<(), Over> {
        let Step::Trailers(trailers) = step else {
            return self.body()?.send_data(Bytes::new(), true).map_err(|_| Over);
        };
        let fields: HeaderMap =
            trailers.iter().map(|(k, v)| (http::HeaderName::from_static(k), v.parse().expect("a trailer"))).collect();
        self.body()?.send_trailers(fields).map_err(|_| Over)
    }

    /// Waits until the peer has what was sent. A reset drops what is still queued in its stream, and the head with it.
    async fn flush(&self) {
        let mut pings = self.pings.lock().await;
        // The first may overtake queued frames, the second cannot: the first was answered after they were written.
        for _ in 0..2 {
            let _ = pings.ping(Ping::opaque()).await;
        }
    }

    /// Waits for something, or for the peer to reset the stream.
    async fn wait(&mut self, event: impl Future<Output = ()>) -> Result<(), Over> {
        let (respond, stream) = (&mut self.respond, &mut self.stream);
        let left = poll_fn(|cx| match stream {
            Some(stream) => stream.poll_reset(cx),
            None => respond.poll_reset(cx),
        });
        tokio::select! {
            () = event => Ok(()),
            _ = left => Err(Over),
        }
    }
}
