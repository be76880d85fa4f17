//! Runs one case and judges it by the upstream's log, the client's bytes, and what the filters were told.

use crate::Stage;
use crate::cases::{Answer, Case, Client, End, PanicIn, Rewrite, Route, Watch};
use crate::filters::rewritten;
use bytes::Bytes;
use raptorgate_filters::exchange;
use raptorgate_tests::h1::{Body, H1, Request};
use raptorgate_tests::h2_client::H2;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::reply::{Ending, Reply};
use raptorgate_tests::upstream::record::sha256_hex;
use raptorgate_tests::upstream::script::big_body;
use serde_json::Value;

/// Runs a case; panics if anything about it is wrong.
pub async fn run(stage: &Stage, case: &Case) {
    let run = Run::new(stage, case);
    match case.end {
        End::Whole | End::Panic(PanicIn::End) => run.whole().await,
        End::UpstreamReset => run.upstream_reset().await,
        End::ClientLeavesAbort | End::ClientLeavesFinish => run.client_leaves().await,
        End::Panic(phase) => run.panic(phase).await,
    }
    run.assert_one_end().await;
}

struct Run<'a> {
    stage: &'a Stage,
    case: &'a Case,
    id: String,
    body: Bytes,
    sent: Bytes,
}

/// A connection of either protocol.
enum Connection {
    H1(H1),
    H2(H2),
}

impl Connection {
    async fn send(&mut self, request: &Request) -> Reply {
        match self {
            Self::H1(client) => client.send(request).await.unwrap_or_else(|e| panic!("no reply: {e:?}")),
            Self::H2(client) => client.send(request).await.unwrap_or_else(|e| panic!("no reply: {e:?}")),
        }
    }
}

impl<'a> Run<'a> {
    fn new(stage: &'a Stage, case: &'a Case) -> Self {
        let body = big_body(case.body as u64);
        let sent = rewritten(rewrite_name(case.rewrite), &body);
        Self { stage, case, id: format!("case-{}", case.number), body, sent }
    }

    async fn connect(&self) -> Connection {
        let tls = |protocol: &'static str| self.stage.authority.client(&[protocol]);
        match self.case.client {
            // A FIN alone says that no more is sent, not that nothing more is read.
            Client::H1Length | Client::H1Chunked | Client::H1Expect if self.case.end == End::ClientLeavesFinish => {
                Connection::H1(H1::connect_to_reset(self.stage.plain).await)
            }
            Client::H1Length | Client::H1Chunked | Client::H1Expect => {
                Connection::H1(H1::connect(self.stage.plain).await)
            }
            Client::H2Length | Client::H2Unsized => Connection::H2(H2::connect(self.stage.plain).await),
            Client::TlsH1 => Connection::H1(H1::connect_tls(self.stage.tls, "gateway.test", tls("http/1.1")).await),
            Client::TlsH2 => Connection::H2(H2::connect_tls(self.stage.tls, "gateway.test", tls("h2")).await),
        }
    }

    fn request(&self, reply: &str) -> Request {
        let disconnect = if self.case.end == End::ClientLeavesFinish { "finish" } else { "abort" };
        let mut target = format!("/{}-{disconnect}/x?reply={reply}", self.case.route.name());
        if self.case.route == Route::BusyThenH1 {
            target += &format!("&fail=1&id={}", self.id);
        }
        let mut request = Request::post(target, self.body.clone())
            .header("x-test-id", &self.id)
            .header("x-request-id", &self.id)
            .header("x-test-rewrite", rewrite_name(self.case.rewrite))
            .header("x-test-watch", watch_name(self.case.watch));
        request.headers.retain(|(name, _)| name != "content-type");
        if let End::Panic(phase) = self.case.end {
            request = request.header("x-test-panic", panic_name(phase));
        }
        if self.case.answer == Answer::Head {
            request.method = "HEAD";
        }
        match self.case.client {
            Client::H1Length | Client::H2Length | Client::TlsH1 | Client::TlsH2 => request,
            Client::H1Chunked | Client::H2Unsized => request.framed(|b| Body::Unsized(b, 9000)),
            Client::H1Expect => request.framed(Body::Expect),
        }
    }

    async fn whole(&self) {
        let mut connection = self.connect().await;
        let reply = connection.send(&self.request(answer_name(self.case.answer))).await;
        assert_eq!((reply.status, reply.ending), (self.status(), Ending::Whole), "{}", excerpt(&reply));
        self.assert_body(&reply);
        self.assert_received(self.status()).await;
        assert_goes_on(&mut connection).await;
    }

    fn status(&self) -> u16 {
        match self.case.answer {
            Answer::NoContent => 204,
            Answer::NotModified => 304,
            Answer::Json | Answer::Chunked | Answer::Sse | Answer::Head | Answer::Trailers | Answer::Big => 200,
        }
    }

    fn assert_body(&self, reply: &Reply) {
        match self.case.answer {
            Answer::Json | Answer::Chunked => {
                assert_eq!(reply.json()["sha256"], sha256_hex(&self.sent), "another body reached the upstream");
            }
            Answer::Sse => {
                let events = ["0", "1", "2", "3", "4"].map(|n| format!("{{\"event\":{n}}}"));
                assert_eq!(reply.events()[..5], events);
                assert_eq!(reply.events()[5], "[DONE]");
            }
            Answer::NoContent | Answer::NotModified | Answer::Head => {
                assert!(reply.body.is_empty(), "a body where none may be")
            }
            Answer::Trailers => {
                assert_eq!(reply.body, "message");
                if self.case.is_h2() && self.case.route == Route::H2 && self.case.watch != Watch::Gate {
                    assert_eq!(
                        reply.trailers.get("grpc-status").map(|v| v.as_bytes()),
                        Some(&b"0"[..]),
                        "the trailers are lost"
                    );
                }
            }
            Answer::Big => assert!(reply.body == big_body(10 << 20), "10 MiB came changed: {} bytes", reply.body.len()),
        }
    }

    /// What the upstream answers, attempt by attempt. A held reply that breaks off is asked for again, where that is safe.
    fn answered(&self, status: u64) -> Vec<u64> {
        let held_and_broken = self.case.end == End::UpstreamReset && self.case.watch == Watch::Gate;
        match self.case.route {
            Route::BusyThenH1 if held_and_broken => vec![503, status, status],
            Route::BusyThenH1 => vec![503, status],
            Route::H1 | Route::H2 | Route::DeadThenH1 | Route::DeadThenH2 => vec![status],
        }
    }

    /// The upstream got the rewritten body, whole, as often as it should.
    async fn assert_received(&self, status: u16) {
        let expected = self.answered(u64::from(status));
        let records = until("the upstream has served it", SOON, async || {
            Some(self.stage.upstream.records_of(&self.id)).filter(|r| r.len() >= expected.len())
        })
        .await;
        // Two connections write their lines when each is done, which says nothing of the order of their requests.
        let mut statuses: Vec<_> = records.iter().map(|r| r["status"].as_u64().expect("a status")).collect();
        let mut expected = expected;
        statuses.sort_unstable();
        expected.sort_unstable();
        assert_eq!(statuses, expected, "what the upstream answered");
        for record in &records {
            assert_eq!(
                (record["length"].as_u64(), record["sha256"].as_str()),
                (Some(self.sent.len() as u64), Some(&*sha256_hex(&self.sent))),
                "{record}"
            );
            assert_eq!(record["request_end"], "whole");
        }
    }

    async fn upstream_reset(&self) {
        let framing = match self.case.answer {
            Answer::Json | Answer::Big => "length",
            Answer::Sse => "sse",
            Answer::Chunked | Answer::Trailers | Answer::NoContent | Answer::NotModified | Answer::Head => "chunked",
        };
        let mut connection = self.connect().await;
        let reply = connection.send(&self.request(&format!("reset&framing={framing}"))).await;
        if self.case.watch == Watch::Gate {
            assert_eq!((reply.status, reply.error_code().as_str()), (502, "upstream_reset"), "{}", excerpt(&reply));
            assert_eq!(reply.ending, Ending::Whole);
        } else {
            assert_eq!(reply.status, 200, "the head was already sent");
            assert_looks_broken(&reply, "upstream_reset");
        }
        self.assert_received(200).await;
    }

    async fn client_leaves(&self) {
        let request = self.request(&format!(
            "{}&await={}",
            if self.case.answer == Answer::Sse { "sse" } else { "json" },
            self.id
        ));
        match self.connect().await {
            Connection::H1(mut client) => self.stay_until_upstream_waits(client.start(&request)).await,
            Connection::H2(mut client) => self.stay_until_upstream_waits(client.start(&request)).await,
        }
        let finish = self.case.end == End::ClientLeavesFinish;
        // Released often enough for every wait of the script; a cancelled upstream no longer listens.
        for _ in 0..if finish { 5 } else { 0 } {
            self.stage.upstream.release(&self.id).await;
        }
        let last = until("the upstream's part is over", SOON, async || {
            // The busy endpoint's answer is not the last one, and the gateway may close its connection without reading it. A
            // client that has left before the next attempt is the exception.
            let is_last = |r: &Value| r["status"] != 503 || (!finish && r["end"] != "whole");
            self.stage.upstream.records_of(&self.id).into_iter().find(is_last)
        })
        .await;
        assert_eq!(last["end"], if finish { "whole" } else { "peer_left" }, "{last}");
    }

    /// Sends the request and stays until the upstream waits; what is dropped then is the connection or the stream.
    async fn stay_until_upstream_waits<T>(&self, reply: impl Future<Output = T>) {
        let staying = async {
            let _reply = reply.await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = staying => {}
            () = self.stage.upstream.until_waiting(&self.id) => {}
        }
    }

    async fn panic(&self, phase: PanicIn) {
        let mut connection = self.connect().await;
        let reply = connection.send(&self.request(answer_name(self.case.answer))).await;
        let after_head = phase == PanicIn::Response && self.case.watch == Watch::Stream;
        if after_head && reply.status == 200 {
            assert_looks_broken(&reply, "internal_error");
        } else {
            assert_eq!(reply.status, 500, "{}", excerpt(&reply));
            if self.case.answer != Answer::Head {
                assert_eq!(reply.error_code(), "internal_error");
            }
        }
        let reached = matches!(phase, PanicIn::ResponseHead | PanicIn::Response);
        if !reached {
            assert!(
                self.stage.upstream.records_of(&self.id).is_empty(),
                "the upstream got a request whose filter panicked"
            );
        }
        // Nobody else is harmed.
        assert_goes_on(&mut self.connect().await).await;
    }

    /// The filters that saw the head are told its end, once.
    async fn assert_one_end(&self) {
        let ends = until("the filters are told the end", SOON, async || {
            Some(self.stage.probe.ends(&self.id)).filter(|e| !e.is_empty())
        })
        .await;
        let [end] = ends.as_slice() else { panic!("told {} times: {ends:?}", ends.len()) };
        let right = match self.case.end {
            End::Whole | End::Panic(PanicIn::End) => *end == exchange::End::Complete,
            End::UpstreamReset => matches!(end, exchange::End::Denied(_) | exchange::End::Cut(_)),
            End::ClientLeavesAbort => *end == exchange::End::ClientLeft,
            // The gateway may have written all before it hears that the client has left.
            End::ClientLeavesFinish => {
                self.stage.finishes.note(*end == exchange::End::ClientLeft);
                matches!(end, exchange::End::ClientLeft | exchange::End::Complete)
            }
            End::Panic(_) => matches!(end, exchange::End::Denied(_) | exchange::End::Cut(_)),
        };
        assert!(right, "told {end:?}");
    }
}

/// A reply that broke off must not look whole: cut, or an error event without terminator.
fn assert_looks_broken(reply: &Reply, code: &str) {
    if reply.ending == Ending::Cut {
        return;
    }
    assert!(reply.header("content-type").contains("event-stream"), "looks whole: {}", excerpt(reply));
    let events = reply.events();
    let last: Value = events.last().and_then(|e| serde_json::from_str(e).ok()).unwrap_or_default();
    assert!(last.to_string().contains(code) && !events.iter().any(|e| e == "[DONE]"), "looks whole: {events:?}");
}

/// The same connection serves another request.
async fn assert_goes_on(connection: &mut Connection) {
    let next = Request::get("/h1-abort/next?reply=json");
    let reply = connection.send(&next).await;
    assert_eq!((reply.status, reply.ending), (200, Ending::Whole), "the next request on the connection");
}

fn excerpt(reply: &Reply) -> String {
    let shown = &reply.body[..reply.body.len().min(300)];
    format!("{} {:?} {}", reply.status, reply.ending, String::from_utf8_lossy(shown))
}

fn rewrite_name(rewrite: Rewrite) -> &'static str {
    match rewrite {
        Rewrite::Same => "same",
        Rewrite::Longer => "longer",
        Rewrite::Shorter => "shorter",
    }
}

fn watch_name(watch: Watch) -> &'static str {
    match watch {
        Watch::Ignore => "ignore",
        Watch::Stream => "stream",
        Watch::Gate => "gate",
    }
}

fn answer_name(answer: Answer) -> &'static str {
    match answer {
        Answer::Json | Answer::Head => "json",
        Answer::Chunked => "chunked",
        Answer::Sse => "sse",
        Answer::NoContent => "204",
        Answer::NotModified => "304",
        Answer::Trailers => "trailers",
        Answer::Big => "big",
    }
}

fn panic_name(phase: PanicIn) -> &'static str {
    match phase {
        PanicIn::Request => "request",
        PanicIn::RequestBody => "request-body",
        PanicIn::Attempt => "attempt",
        PanicIn::ResponseHead => "response-head",
        PanicIn::Response => "response",
        PanicIn::End => "end",
    }
}
