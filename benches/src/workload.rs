//! What is asked of every proxy, and what must come back.

use crate::Failure;
use crate::contender::API_KEY;
use crate::upstream::{BODY_BYTES, BURST_PATH, EMAIL, EVENTS, PACED_PATH, events, padded, reply_body};
use bytes::Bytes;
use serde_json::{Value, json};

/// How a proxy accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// HTTP/1.1 in clear text.
    Http1,
    /// HTTP/1.1 in TLS 1.3.
    Tls,
    /// HTTP/2 in clear text, with prior knowledge.
    Http2,
}

/// How requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// On so many kept connections, one after the other on each.
    Kept(usize),
    /// So many at once, each on a new connection with a full handshake.
    Handshakes(usize),
    /// On so many connections, so many streams at once on each.
    Streams(usize, usize),
}

/// One line of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// No body, reply of 1 KiB.
    Get,
    /// Body of 1 KiB, reply of 1 KiB.
    PostSmall,
    /// Body of 32 KiB, reply of 1 KiB.
    PostLarge,
    /// A stream of events, as fast as it is taken.
    EventsBurst,
    /// A stream of events with a pause before each.
    EventsPaced,
    /// A GET on each new TLS connection.
    Handshakes,
    /// As [`Workload::PostSmall`], over HTTP/2.
    Http2,
}

/// Length of the larger request body.
const LARGE_BODY_BYTES: usize = 32 * 1024;

impl Workload {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 7] = [
        Self::Get,
        Self::PostSmall,
        Self::PostLarge,
        Self::EventsBurst,
        Self::EventsPaced,
        Self::Handshakes,
        Self::Http2,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::PostSmall => "POST 1 KiB",
            Self::PostLarge => "POST 32 KiB",
            Self::EventsBurst => "SSE, 200 events at once",
            Self::EventsPaced => "SSE, 200 events, one in 2 ms",
            Self::Handshakes => "new TLS connections",
            Self::Http2 => "HTTP/2, POST 1 KiB",
        }
    }

    /// How a proxy has to accept for it.
    pub fn front(self) -> Front {
        match self {
            Self::Handshakes => Front::Tls,
            Self::Http2 => Front::Http2,
            Self::Get | Self::PostSmall | Self::PostLarge | Self::EventsBurst | Self::EventsPaced => Front::Http1,
        }
    }

    /// How its requests are sent.
    pub fn load(self) -> Load {
        match self {
            Self::Get | Self::PostSmall | Self::PostLarge | Self::EventsBurst => Load::Kept(32),
            // each is idle most of the time
            Self::EventsPaced => Load::Kept(64),
            Self::Handshakes => Load::Handshakes(32),
            Self::Http2 => Load::Streams(2, 50),
        }
    }

    /// The reply is a stream of events.
    pub fn is_stream(self) -> bool {
        matches!(self, Self::EventsBurst | Self::EventsPaced)
    }

    /// Path of its requests.
    pub fn path(self) -> &'static str {
        match self {
            Self::Get | Self::Handshakes => "/v1/models/gpt-4o-mini",
            Self::PostSmall | Self::PostLarge | Self::Http2 => "/v1/chat/completions",
            Self::EventsBurst => BURST_PATH,
            Self::EventsPaced => PACED_PATH,
        }
    }

    /// Body of its requests; none for GET.
    pub fn body(self) -> Option<String> {
        let chat = |length, streamed: bool| {
            padded(length, |text| {
                let mut chat = json!({"model": "gpt-4o-mini", "temperature": 0.2, "messages": [
                    {"role": "system", "content": "You answer questions about orders."},
                    {"role": "user", "content": text}]});
                if let (true, Some(members)) = (streamed, chat.as_object_mut()) {
                    members.insert("stream".into(), true.into());
                    members.insert("stream_options".into(), json!({"include_usage": true}));
                }
                chat
            })
        };
        match self {
            Self::Get | Self::Handshakes => None,
            Self::PostSmall | Self::Http2 => Some(chat(BODY_BYTES, false)),
            Self::PostLarge => Some(chat(LARGE_BODY_BYTES, false)),
            Self::EventsBurst | Self::EventsPaced => Some(chat(BODY_BYTES, true)),
        }
    }

    /// The whole HTTP/1.1 request.
    pub fn request(self) -> Bytes {
        let fields = format!(
            "Host: bench.test\r\nAuthorization: Bearer {API_KEY}\r\nUser-Agent: bench\r\nAccept: application/json\r\n"
        );
        let path = self.path();
        match self.body() {
            None => format!("GET {path} HTTP/1.1\r\n{fields}\r\n").into(),
            Some(body) => format!(
                "POST {path} HTTP/1.1\r\n{fields}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into(),
        }
    }

    /// The body that the upstream sends.
    pub fn reply(self) -> String {
        if self.is_stream() { events().concat() } else { reply_body() }
    }

    /// What every reply of a masking proxy must be, byte for byte, taken from its first one, which is read here.
    ///
    /// # Errors
    /// It is not the upstream's reply with its e-mail address replaced, or not every event is in it.
    pub fn masked_reply(self, first: &[u8]) -> Result<Bytes, Failure> {
        let first_text = std::str::from_utf8(first)?;
        let (told, sent) = (self.texts(first_text)?, self.texts(&self.reply())?);
        if told != sent.replace(EMAIL, "[EMAIL]") || told == sent {
            return Err(format!("{}: not the masked reply: {first_text}", self.name()).into());
        }
        let count = event_count(first);
        // a word that is held back until its end is seen may become one event more
        if self.is_stream() && !(EVENTS..=EVENTS + 1).contains(&count) {
            return Err(format!("{}: {count} events and not {EVENTS}", self.name()).into());
        }
        Ok(Bytes::copy_from_slice(first))
    }

    /// What the model says in a reply.
    fn texts(self, body: &str) -> Result<String, Failure> {
        if !self.is_stream() {
            let reply: Value = serde_json::from_str(body)?;
            return Ok(text_at(&reply, "/choices/0/message/content").to_owned());
        }
        let events = body.lines().filter_map(|l| l.strip_prefix("data: ")).filter(|d| *d != "[DONE]");
        let events: Vec<Value> = events.map(serde_json::from_str).collect::<Result<_, _>>()?;
        Ok(events.iter().map(|e| text_at(e, "/choices/0/delta/content")).collect())
    }
}

fn text_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Events with data in an event stream: blocks that end with a blank line, comments alone not counted.
pub fn event_count(body: &[u8]) -> usize {
    let (mut count, mut has_data) = (0, false);
    for line in body.split_inclusive(|b| *b == b'\n') {
        let is_whole = line.ends_with(b"\n");
        match line.trim_ascii_end() {
            b"" if is_whole => count += usize::from(std::mem::take(&mut has_data)),
            text => has_data |= text.starts_with(b"data:"),
        }
    }
    count
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn events_are_counted_comments_and_unfinished_ones_are_not() {
        assert_eq!(event_count(b"data: a\n\ndata: b\ndata: c\r\n\r\n: cost\n\nevent: x\ndata: d\n\ndata: e\n"), 3);
        assert_eq!(event_count(Workload::EventsPaced.reply().as_bytes()), EVENTS);
    }

    #[test]
    fn requests_have_the_length_that_the_table_tells() {
        for (workload, length) in [(Workload::PostSmall, 1024), (Workload::PostLarge, 32 * 1024)] {
            assert_eq!(workload.body().unwrap().len(), length);
        }
        assert!(Workload::Get.body().is_none());
    }

    #[test]
    fn a_masked_reply_has_every_event_and_no_address() {
        let stream = Workload::EventsBurst;
        let masked = stream.reply().replace("\"@example\"", "\"\"").replace("\".com\"", "\"\"");
        let masked = masked.replace(" asha", " [EMAIL]");
        assert_eq!(stream.masked_reply(masked.as_bytes()).unwrap(), masked.as_bytes());
        assert!(stream.masked_reply(stream.reply().as_bytes()).is_err(), "nothing was masked");
        let one_less = masked.replacen("data: ", ": ", 1);
        assert!(stream.masked_reply(one_less.as_bytes()).is_err(), "an event is missing");
        let whole = Workload::Get;
        assert!(whole.masked_reply(whole.reply().replace(EMAIL, "[EMAIL]").as_bytes()).is_ok());
    }
}
