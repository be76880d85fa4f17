//! OpenAI-shaped chat completions with a text the test chooses, and exact token counts.
//!
//! A token is a word with the space before it: the client pays for `prompt` words of all messages and `completion` words
//! of the reply.

use crate::reply::Framing;
use crate::upstream::record::Received;
use crate::upstream::script::{Parameters, Step, head, whole};
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

/// Steps for a request to `/chat/completions`.
///
/// Parameters: `text` (else an echo of the last message), `usage=none` or `usage=continuous` (in each event of a stream), `await` (each word waits for a release), `word_ms` (each waits so long), `first` (the head waits for a release),
/// `break_after` (the connection breaks after so many words), `cut` (bytes per write, to cut events anywhere).
pub fn script(parameters: &Parameters, received: &Received) -> Vec<Step> {
    let Some(body) = received.text.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok()) else {
        return whole(
            400,
            "application/json",
            r#"{"error":{"message":"not JSON","type":"invalid_request_error","code":"bad"}}"#,
        );
    };
    let answer = Answer::to(&body, parameters);
    let mut steps = if body["stream"] == true {
        answer.streamed(parameters, body["stream_options"]["include_usage"] == true)
    } else {
        answer.whole()
    };
    if parameters.has("first") {
        steps.insert(0, Step::Await(parameters.text("first").to_owned()));
    }
    steps
}

struct Answer {
    model: String,
    words: Vec<String>,
    prompt_tokens: u64,
    tells_usage: bool,
    tells_always: bool,
}

impl Answer {
    fn to(body: &Value, parameters: &Parameters) -> Self {
        let messages = body["messages"].as_array().cloned().unwrap_or_default();
        let said: Vec<&str> = messages.iter().filter_map(|m| m["content"].as_str()).collect();
        let text = match parameters.text("text") {
            "" => format!("You said: {}", said.last().copied().unwrap_or_default()),
            text => text.to_owned(),
        };
        Self {
            model: body["model"].as_str().unwrap_or("gpt-4o-mini").to_owned(),
            words: text.split_inclusive(' ').map(str::to_owned).collect(),
            prompt_tokens: said.iter().map(|t| t.split_whitespace().count() as u64).sum(),
            tells_usage: parameters.text("usage") != "none",
            tells_always: parameters.text("usage") == "continuous",
        }
    }

    fn usage(&self, words: usize) -> Value {
        let completion = words as u64;
        json!({"prompt_tokens": self.prompt_tokens, "completion_tokens": completion, "total_tokens": self.prompt_tokens + completion})
    }

    fn whole(&self) -> Vec<Step> {
        let mut reply = json!({
            "id": "chatcmpl-test", "object": "chat.completion", "created": 1_700_000_000, "model": self.model,
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": self.words.concat()}}],
        });
        if self.tells_usage {
            reply["usage"] = self.usage(self.words.len());
        }
        let mut steps = whole(200, "application/json", reply.to_string());
        if let Some(Step::Data(_, tokens)) = steps.iter_mut().find(|s| matches!(s, Step::Data(..))) {
            *tokens = self.prompt_tokens + self.words.len() as u64;
        }
        steps
    }

    fn streamed(&self, parameters: &Parameters, include_usage: bool) -> Vec<Step> {
        let mut steps = vec![head(200, vec![("content-type", "text/event-stream".into())], Framing::Chunked)];
        self.push(
            &mut steps,
            parameters,
            Piece { delta: json!({"role": "assistant", "content": ""}), finish: Value::Null, words: 0 },
            self.prompt_tokens,
        );
        for (n, word) in self.words.iter().enumerate() {
            if parameters.has("break_after") && n as u64 == parameters.number("break_after", 0) {
                steps.push(Step::Reset);
                return steps;
            }
            if parameters.has("word_ms") {
                steps.push(Step::Pause(Duration::from_millis(parameters.number("word_ms", 0))));
            }
            if parameters.has("await") {
                steps.push(Step::Await(parameters.text("await").to_owned()));
            }
            self.push(
                &mut steps,
                parameters,
                Piece { delta: json!({"content": word}), finish: Value::Null, words: n + 1 },
                1,
            );
        }
        self.push(
            &mut steps,
            parameters,
            Piece { delta: json!({}), finish: json!("stop"), words: self.words.len() },
            0,
        );
        if include_usage && self.tells_usage {
            let mut event = self.event(json!([]));
            event["usage"] = self.usage(self.words.len());
            push_bytes(&mut steps, parameters, &format!("data: {event}\n\n"), 0);
        }
        push_bytes(&mut steps, parameters, "data: [DONE]\n\n", 0);
        steps.push(Step::End);
        steps
    }

    fn event(&self, choices: Value) -> Value {
        json!({"id": "chatcmpl-test", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": self.model, "choices": choices})
    }

    fn push(&self, steps: &mut Vec<Step>, parameters: &Parameters, piece: Piece, tokens: u64) {
        let mut event = self.event(json!([{"index": 0, "delta": piece.delta, "finish_reason": piece.finish}]));
        if self.tells_always {
            event["usage"] = self.usage(piece.words);
        }
        push_bytes(steps, parameters, &format!("data: {event}\n\n"), tokens);
    }
}

/// What one event says, and how many words have been said with it.
struct Piece {
    delta: Value,
    finish: Value,
    words: usize,
}

/// One write, or many of `cut` bytes; the tokens count once the last is out.
fn push_bytes(steps: &mut Vec<Step>, parameters: &Parameters, text: &str, tokens: u64) {
    let size = parameters.number("cut", text.len() as u64).max(1) as usize;
    let mut pieces: Vec<_> = text.as_bytes().chunks(size).map(|p| Step::Data(Bytes::copy_from_slice(p), 0)).collect();
    if let Some(Step::Data(_, last)) = pieces.last_mut() {
        *last = tokens;
    }
    steps.append(&mut pieces);
}
