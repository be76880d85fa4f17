//! The upstream: answers chat completions of 1 KiB and streams of [`EVENTS`] events on kept connections, in its own thread.

use crate::Failure;
use crate::wire::{Message, Reader};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::MissedTickBehavior;

/// Length of the reply's body, and of a request's that says nothing else.
pub const BODY_BYTES: usize = 1024;
/// Events of a stream: words, the usage, `[DONE]`.
pub const EVENTS: usize = 200;
/// Time between two events of a paced stream.
pub const PACE: Duration = Duration::from_millis(2);
/// Where a stream is written as fast as it is taken.
pub const BURST_PATH: &str = "/v1/streams/burst";
/// Where there is [`PACE`] between its events.
pub const PACED_PATH: &str = "/v1/streams/paced";
/// The address in bodies that `mask_pii` replaces.
pub const EMAIL: &str = "asha@example.com";

const STREAM_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

/// What is sent over and over.
struct Replies {
    whole: Vec<u8>,
    /// Each with its chunk around it.
    events: Vec<Vec<u8>>,
}

/// Starts the upstream; it ends with the process.
///
/// # Errors
/// No port is free.
pub fn start() -> Result<SocketAddr, Failure> {
    let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || runtime.block_on(serve(socket)));
    Ok(address)
}

async fn serve(socket: std::net::TcpListener) -> Result<(), std::io::Error> {
    let socket = TcpListener::from_std(socket)?;
    let chunk = |e: &String| [format!("{:x}\r\n", e.len()).as_bytes(), e.as_bytes(), b"\r\n"].concat();
    let body = reply_body();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    let replies = Arc::new(Replies { whole: (head + &body).into(), events: events().iter().map(chunk).collect() });
    loop {
        let (stream, _) = socket.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(answer(stream, replies.clone()));
    }
}

async fn answer(mut stream: TcpStream, replies: Arc<Replies>) -> Result<(), std::io::Error> {
    let mut reader = Reader::default();
    while let Some(message) = reader.next(&mut stream).await? {
        if !is_sound(&message) {
            stream.write_all(BAD_REQUEST).await?;
            continue;
        }
        let path = message.second_word();
        if path == BURST_PATH.as_bytes() {
            stream_events(&mut stream, &replies.events, None).await?;
        } else if path == PACED_PATH.as_bytes() {
            stream_events(&mut stream, &replies.events, Some(PACE)).await?;
        } else {
            stream.write_all(&replies.whole).await?;
        }
    }
    Ok(())
}

/// Whether a request came through whole: a GET, or a body that begins and ends as a JSON object does.
fn is_sound(message: &Message<'_>) -> bool {
    message.head.starts_with(b"GET ") || (message.body.starts_with(b"{") && message.body.ends_with(b"}"))
}

/// One write for each event, as a backend does that has one token after the other.
async fn stream_events(stream: &mut TcpStream, events: &[Vec<u8>], pace: Option<Duration>) -> std::io::Result<()> {
    let mut ticks = pace.map(tokio::time::interval);
    if let Some(ticks) = &mut ticks {
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    stream.write_all(STREAM_HEAD).await?;
    for event in events {
        match &mut ticks {
            Some(ticks) => drop(ticks.tick().await),
            None => tokio::task::yield_now().await,
        }
        stream.write_all(event).await?;
    }
    stream.write_all(b"0\r\n\r\n").await
}

/// The body of a reply that is no stream.
pub fn reply_body() -> String {
    padded(BODY_BYTES, |text| {
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_750_000_000, "model": "gpt-4o-mini",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 210, "completion_tokens": 140, "total_tokens": 350}
        })
    })
}

/// The events of a stream, each with the blank line behind it. The e-mail address is divided over three of them.
pub fn events() -> Vec<String> {
    let chunk = |choices: Value, usage: Value| {
        let event = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_750_000_000, "model": "gpt-4o-mini",
            "choices": choices, "usage": usage
        });
        format!("data: {event}\n\n")
    };
    let words = ["The", " refund", " was", " booked", " and", " goes", " to", " asha", "@example", ".com", " within"];
    let filler = [" five", " days", " of", " the", " date", " of", " the", " letter", ".", " A", " clerk", " looks"];
    let texts = words.iter().chain(filler.iter().cycle()).take(EVENTS - 3);
    let word = |text| chunk(json!([{"index": 0, "delta": {"content": text}, "finish_reason": null}]), Value::Null);
    let mut events: Vec<String> = texts.map(word).collect();
    events.push(chunk(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]), Value::Null));
    events.push(chunk(json!([]), json!({"prompt_tokens": 210, "completion_tokens": 197, "total_tokens": 407})));
    events.push("data: [DONE]\n\n".into());
    events
}

/// A JSON body of this length: prose with one e-mail address, so that masking has something to replace.
pub fn padded(length: usize, with_text: impl Fn(&str) -> Value) -> String {
    let prose = format!("The refund for your order was booked on Monday and goes to {EMAIL} within five days. ");
    let spare = length.saturating_sub(with_text("").to_string().len());
    let filler = "A clerk will look at the remaining items of the list. ";
    let text: String = prose.chars().chain(filler.chars().cycle()).take(spare).collect();
    with_text(&text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_the_length_and_streams_the_events_that_the_table_tells() {
        assert_eq!(reply_body().len(), BODY_BYTES);
        assert_eq!(events().len(), EVENTS);
        assert!(events().iter().all(|e| e.ends_with("\n\n") && e.matches("\n\n").count() == 1));
    }
}
