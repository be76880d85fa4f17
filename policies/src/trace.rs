//! Trace context after <https://www.w3.org/TR/trace-context/>: the client's trace goes on, or a new one starts.
//!
//! # Invariants
//! * A header that is not valid starts a new trace, never half of one (`an_invalid_header_starts_a_new_trace`).
//! * What goes upstream is valid whatever came (`what_goes_upstream_is_valid_whatever_came`).

use uuid::Uuid;

/// The trace a request belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// 32 lower-case hexadecimal digits, not all zero.
    pub trace_id: String,
    /// The gateway's own span: parent of what the upstream does. 16 lower-case hexadecimal digits, not all zero.
    pub span_id: String,
    /// The span of the client, if its trace goes on.
    pub parent_id: Option<String>,
    /// Whether whoever started the trace records it.
    pub sampled: Sampled,
}

/// Whether whoever started the trace records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampled {
    /// Flag set.
    Yes,
    /// Flag not set.
    No,
}

impl TraceContext {
    /// Goes on with the trace of a `traceparent` header, else starts one. A new trace says that it is sampled: the
    /// gateway does not decide against recording for everybody behind it.
    pub fn continue_or_start(traceparent: Option<&str>) -> TraceContext {
        let span_id = new_span_id();
        match traceparent.and_then(parse) {
            Some(Parent { trace_id, parent_id, sampled }) => {
                let (trace_id, parent_id) = (trace_id.to_owned(), Some(parent_id.to_owned()));
                TraceContext { trace_id, span_id, parent_id, sampled }
            }
            None => {
                let trace_id = Uuid::new_v4().simple().to_string();
                TraceContext { trace_id, span_id, parent_id: None, sampled: Sampled::Yes }
            }
        }
    }

    /// The trace's id.
    pub fn trace_id(&self) -> &str {
        &self.trace_id
    }

    /// True if the client's trace goes on. Only then `tracestate` is passed on.
    pub fn continued(&self) -> bool {
        self.parent_id.is_some()
    }

    /// The header that goes upstream.
    pub fn traceparent(&self) -> String {
        let flags = match self.sampled {
            Sampled::Yes => "01",
            Sampled::No => "00",
        };
        format!("00-{}-{}-{flags}", self.trace_id, self.span_id)
    }
}

// 64 of the 128 bits of a UUIDv4; never zero, for its version stands among them.
fn new_span_id() -> String {
    let mut hex = Uuid::new_v4().simple().to_string();
    hex.truncate(16);
    hex
}

struct Parent<'a> {
    trace_id: &'a str,
    parent_id: &'a str,
    sampled: Sampled,
}

fn parse(header: &str) -> Option<Parent<'_>> {
    let mut parts = header.trim_matches([' ', '\t']).split('-');
    let version = hex(parts.next()?, 2)?;
    let trace_id = hex(parts.next()?, 32).filter(|id| !is_zero(id))?;
    let parent_id = hex(parts.next()?, 16).filter(|id| !is_zero(id))?;
    let flags = u8::from_str_radix(hex(parts.next()?, 2)?, 16).ok()?;
    // Later versions may add parts behind these four; version ff is not one.
    let whole = parts.next().is_none() || version != "00";
    let sampled = if flags & 1 == 1 { Sampled::Yes } else { Sampled::No };
    (whole && version != "ff").then_some(Parent { trace_id, parent_id, sampled })
}

fn hex(text: &str, digits: usize) -> Option<&str> {
    let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == digits && text.bytes().all(digit)).then_some(text)
}

fn is_zero(text: &str) -> bool {
    text.bytes().all(|b| b == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn a_valid_trace_goes_on_with_a_new_span() {
        for (flags, sampled) in [("01", "01"), ("00", "00"), ("03", "01"), ("fe", "00")] {
            let context = TraceContext::continue_or_start(Some(&format!("00-{TRACE}-{SPAN}-{flags}")));
            assert!(context.continued());
            assert_eq!((context.trace_id(), context.parent_id.as_deref()), (TRACE, Some(SPAN)));
            assert_eq!(context.traceparent(), format!("00-{TRACE}-{}-{sampled}", context.span_id));
            assert_ne!(context.span_id, SPAN);
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        for header in [format!("01-{TRACE}-{SPAN}-01"), format!("cc-{TRACE}-{SPAN}-01-what-the-future")] {
            assert_eq!(TraceContext::continue_or_start(Some(&header)).trace_id(), TRACE, "{header}");
        }
    }

    #[test]
    fn an_invalid_header_starts_a_new_trace() {
        let zeros = "0".repeat(32);
        for header in [
            String::new(),
            "-".into(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("0-{TRACE}-{SPAN}-01"),
        ] {
            let context = TraceContext::continue_or_start(Some(&header));
            assert!(!context.continued(), "{header}");
            assert_ne!(context.trace_id(), TRACE, "{header}");
        }
        assert!(!TraceContext::continue_or_start(None).continued());
    }

    proptest! {
        #[test]
        fn what_goes_upstream_is_valid_whatever_came(header in proptest::option::of("[0-9a-f-]{0,60}|.{0,60}")) {
            let context = TraceContext::continue_or_start(header.as_deref());
            let sent = context.traceparent();
            let parent = parse(&sent).expect("valid");
            prop_assert_eq!(parent.trace_id, context.trace_id());
        }
    }
}
