//! The dimensions and which of their combinations are tried.

use std::fmt;

/// How the client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// HTTP/1.1 with `Content-Length`.
    H1Length,
    /// HTTP/1.1, chunked.
    H1Chunked,
    /// HTTP/1.1, waiting for `100 Continue`.
    H1Expect,
    /// HTTP/2 with `content-length`.
    H2Length,
    /// HTTP/2 without.
    H2Unsized,
    /// HTTP/1.1 over TLS.
    TlsH1,
    /// HTTP/2 over TLS.
    TlsH2,
}

/// What the upstream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// HTTP/1.1.
    H1,
    /// HTTP/2.
    H2,
    /// An endpoint that refuses connections first, then HTTP/1.1.
    DeadThenH1,
    /// An endpoint that refuses connections first, then HTTP/2.
    DeadThenH2,
    /// HTTP/1.1 that answers 503 first and may be asked again.
    BusyThenH1,
}

impl Route {
    /// All of them.
    pub fn all() -> [Self; 5] {
        [Self::H1, Self::H2, Self::DeadThenH1, Self::DeadThenH2, Self::BusyThenH1]
    }

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::H1 => "h1",
            Self::H2 => "h2",
            Self::DeadThenH1 => "dead-h1",
            Self::DeadThenH2 => "dead-h2",
            Self::BusyThenH1 => "busy-h1",
        }
    }

    /// The protocol in the configuration.
    pub fn protocol(self) -> &'static str {
        match self {
            Self::H1 | Self::DeadThenH1 | Self::BusyThenH1 => "http1",
            Self::H2 | Self::DeadThenH2 => "http2",
        }
    }

    /// True if nothing listens at the first endpoint.
    pub fn dead_first(self) -> bool {
        matches!(self, Self::DeadThenH1 | Self::DeadThenH2)
    }

    /// True if a request may be sent twice.
    pub fn idempotent(self) -> bool {
        self == Self::BusyThenH1
    }
}

/// What the test's filter makes of the request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// The same.
    Same,
    /// 5,000 bytes more.
    Longer,
    /// Half of it.
    Shorter,
}

/// What the upstream replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// JSON with its length.
    Json,
    /// JSON in chunks.
    Chunked,
    /// Server-sent events.
    Sse,
    /// 204.
    NoContent,
    /// 304.
    NotModified,
    /// To a HEAD request.
    Head,
    /// With trailers.
    Trailers,
    /// 10 MiB.
    Big,
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Whole.
    Whole,
    /// The upstream breaks off after three chunks.
    UpstreamReset,
    /// The client leaves, and the upstream is cancelled.
    ClientLeavesAbort,
    /// The client leaves, and the upstream is read to its end.
    ClientLeavesFinish,
    /// A filter panics.
    Panic(PanicIn),
}

/// Where a filter panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanicIn {
    /// In the head of the request.
    Request,
    /// In its body.
    RequestBody,
    /// In the attempt.
    Attempt,
    /// In the head of the reply.
    ResponseHead,
    /// In its body, in the mode of the case.
    Response,
    /// At the end.
    End,
}

/// How the test's filter looks at the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Not at all.
    Ignore,
    /// While it passes.
    Stream,
    /// Whole.
    Gate,
}

/// One combination.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Number, in its headers and names.
    pub number: usize,
    /// Client.
    pub client: Client,
    /// Upstream.
    pub route: Route,
    /// Bytes of the request's body.
    pub body: usize,
    /// Rewrite.
    pub rewrite: Rewrite,
    /// Reply.
    pub answer: Answer,
    /// End.
    pub end: End,
    /// Watch.
    pub watch: Watch,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "#{} {:?} -> {:?}, {} B {:?}, {:?} {:?}, {:?}",
            self.number, self.client, self.route, self.body, self.rewrite, self.answer, self.watch, self.end
        )
    }
}

const CLIENTS: [Client; 7] = [
    Client::H1Length,
    Client::H1Chunked,
    Client::H1Expect,
    Client::H2Length,
    Client::H2Unsized,
    Client::TlsH1,
    Client::TlsH2,
];
const BODIES: [usize; 7] = [0, 10, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 300 << 10, 5 << 20];
const REWRITES: [Rewrite; 3] = [Rewrite::Same, Rewrite::Longer, Rewrite::Shorter];
const ANSWERS: [Answer; 8] = [
    Answer::Json,
    Answer::Chunked,
    Answer::Sse,
    Answer::NoContent,
    Answer::NotModified,
    Answer::Head,
    Answer::Trailers,
    Answer::Big,
];
const WATCHES: [Watch; 3] = [Watch::Ignore, Watch::Stream, Watch::Gate];
const PANICS: [PanicIn; 6] =
    [PanicIn::Request, PanicIn::RequestBody, PanicIn::Attempt, PanicIn::ResponseHead, PanicIn::Response, PanicIn::End];

/// Takes the next of a list, again and again: what is not crossed in full is at least spread evenly.
struct Turns(usize);

impl Turns {
    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        self.0 += 1;
        list[self.0 % list.len()]
    }
}

/// Every way in crossed in full, every way out crossed in full, the other side of each taking turns.
pub fn all() -> Vec<Case> {
    let mut cases = ways_in();
    cases.extend(ways_out());
    cases.retain(Case::makes_sense);
    for (number, case) in cases.iter_mut().enumerate() {
        case.number = number;
    }
    cases
}

fn ways_in() -> Vec<Case> {
    let (mut answers, mut watches) = (Turns(0), Turns(0));
    let mut cases = Vec::new();
    for client in CLIENTS {
        for route in Route::all() {
            for body in BODIES {
                for rewrite in REWRITES {
                    let (answer, watch) = (answers.of(&ANSWERS), watches.of(&WATCHES));
                    cases.push(Case { number: 0, client, route, body, rewrite, answer, end: End::Whole, watch });
                }
            }
        }
    }
    cases
}

fn ways_out() -> Vec<Case> {
    let (mut bodies, mut rewrites, mut panics) = (Turns(0), Turns(1), Turns(0));
    let mut cases = Vec::new();
    for client in CLIENTS {
        for route in Route::all() {
            for answer in ANSWERS {
                for watch in WATCHES {
                    for end in [
                        End::Whole,
                        End::UpstreamReset,
                        End::ClientLeavesAbort,
                        End::ClientLeavesFinish,
                        End::Panic(panics.of(&PANICS)),
                    ] {
                        let (body, rewrite) = (bodies.of(&BODIES[..3]), rewrites.of(&REWRITES));
                        cases.push(Case { number: 0, client, route, body, rewrite, answer, end, watch });
                    }
                }
            }
        }
    }
    cases
}

impl Case {
    /// False for combinations that cannot happen.
    fn makes_sense(&self) -> bool {
        let bodyless = matches!(self.answer, Answer::NoContent | Answer::NotModified | Answer::Head);
        match self.end {
            End::Whole => true,
            // Nothing to break in a reply without body, and nothing to leave while it comes.
            End::UpstreamReset | End::ClientLeavesAbort | End::ClientLeavesFinish => !bodyless,
            End::Panic(PanicIn::Response) => !bodyless && self.watch != Watch::Ignore,
            End::Panic(_) => true,
        }
    }

    /// True if the client speaks HTTP/2.
    pub fn is_h2(&self) -> bool {
        matches!(self.client, Client::H2Length | Client::H2Unsized | Client::TlsH2)
    }
}
