//! An agent backend as careless as real ones: it repeats what it was told and gives away customers' data.
//!
//! Speaks OpenAI's chat completions, streamed and not. Streams are cut at odd bytes, so that numbers and names are split over
//! events and over chunks of the connection.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use futures::StreamExt;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::Duration;

/// What the agent gives away. None of it belongs to anybody; the Aadhaar number's check digit is right.
pub(super) const EMAIL: &str = "priya.sharma@example.in";
/// See [`EMAIL`].
pub(super) const PHONE: &str = "+91 98765 43210";
/// See [`EMAIL`].
pub(super) const AADHAAR: &str = "2341 2341 2346";
/// See [`EMAIL`].
pub(super) const PAN: &str = "ABCPS1234K";

/// The name it goes by.
const MODEL: &str = "demo-agent";
/// Characters of text in one event.
const EVENT_CHARS: usize = 5;
/// Bytes in one chunk of the connection.
const CHUNK_BYTES: usize = 37;
/// Between chunks, so that one sees it stream.
const CHUNK_PAUSE: Duration = Duration::from_millis(5);

/// The backend.
pub(super) fn router() -> Router {
    Router::new().route("/v1/chat/completions", post(chat))
}

async fn chat(Json(request): Json<Value>) -> Response {
    let said = last_message(&request);
    let answer = format!(
        "You said: {said}\nThe customer is Priya Sharma, e-mail {EMAIL}, phone {PHONE}, Aadhaar {AADHAAR}, PAN {PAN}."
    );
    let usage = usage(said, &answer);
    if request.get("stream") == Some(&Value::Bool(true)) {
        let wants_usage = request.pointer("/stream_options/include_usage") == Some(&Value::Bool(true));
        return streamed(events(&answer, wants_usage.then_some(&usage)));
    }
    Json(json!({
        "id": "chatcmpl-demo", "object": "chat.completion", "created": 1_750_000_000, "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}],
        "usage": usage,
    }))
    .into_response()
}

fn last_message(request: &Value) -> &str {
    let messages = request.get("messages").and_then(Value::as_array);
    messages.and_then(|m| m.last()?.get("content")?.as_str()).unwrap_or("nothing")
}

/// Four characters are a token; enough for a demo.
fn usage(said: &str, answer: &str) -> Value {
    let (input, output) = (said.len().div_ceil(4), answer.len().div_ceil(4));
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

fn events(answer: &str, usage: Option<&Value>) -> String {
    let event = |choices: Value, usage: Option<&Value>| {
        let mut chunk = json!({
            "id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": 1_750_000_000, "model": MODEL,
            "choices": choices,
        });
        if let (Some(usage), Some(members)) = (usage, chunk.as_object_mut()) {
            members.insert("usage".into(), usage.clone());
        }
        format!("data: {chunk}\n\n")
    };
    let characters: Vec<char> = answer.chars().collect();
    let mut text =
        event(json!([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}]), None);
    for piece in characters.chunks(EVENT_CHARS) {
        let piece: String = piece.iter().collect();
        text += &event(json!([{"index": 0, "delta": {"content": piece}, "finish_reason": null}]), None);
    }
    text += &event(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]), None);
    if usage.is_some() {
        text += &event(json!([]), usage);
    }
    text + "data: [DONE]\n\n"
}

fn streamed(text: String) -> Response {
    let chunks: Vec<Bytes> = text.into_bytes().chunks(CHUNK_BYTES).map(Bytes::copy_from_slice).collect();
    let paced = futures::stream::iter(chunks).then(|chunk| async {
        tokio::time::sleep(CHUNK_PAUSE).await;
        Ok::<_, Infallible>(chunk)
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(paced)).into_response()
}
