//! Denials as HTTP: the only place that knows status codes, error bodies and error headers.
//!
//! # Invariants
//! * Every code is documented with its status in docs/errors.md, and nothing else is (`the_documentation_is_complete`).
//! * A body has the shape that the route's clients read, and names code and request
//!   (`every_denial_has_every_shape`).
//! * A stream's error stays one event (`a_stream_error_is_one_event`).

use crate::codings;
use crate::filter::Reply;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use raptorgate_config::model::ApiFormat;
use raptorgate_policies::denial::{KeyRefusal, LimitName};
use raptorgate_policies::{Denial, TimeoutPhase, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Bodies in flight end within seconds; a client that comes back at once would find the same.
const OVERLOADED_RETRY_AFTER: Duration = Duration::from_secs(1);

/// The whole answer to a refused request.
pub fn render(denial: &Denial, format: ApiFormat, request_id: &str) -> Reply {
    let status = status(denial);
    let (media_type, body) = match format {
        ApiFormat::OpenAi | ApiFormat::OpenAiResponses => {
            let mut body = problem(denial, status, request_id);
            merge(&mut body, openai(denial, status));
            // The code stands inside of `error` here.
            body.as_object_mut().map(|members| members.remove("code"));
            ("application/json", body)
        }
        ApiFormat::Anthropic => ("application/json", anthropic(denial, status, request_id)),
        ApiFormat::Gemini | ApiFormat::Json => ("application/problem+json", problem(denial, status, request_id)),
    };
    let headers = headers(denial, media_type, request_id);
    Reply { status, headers, body: Bytes::from(body.to_string()) }
}

/// The event that ends a stream whose head has been sent.
pub fn stream_error(denial: &Denial, format: ApiFormat, request_id: &str) -> Bytes {
    let status = status(denial);
    let event = match format {
        ApiFormat::OpenAi | ApiFormat::OpenAiResponses => {
            let mut body = openai(denial, status);
            merge(&mut body, json!({ "request_id": request_id }));
            format!("data: {body}\n\n")
        }
        ApiFormat::Anthropic => format!("event: error\ndata: {}\n\n", anthropic(denial, status, request_id)),
        ApiFormat::Gemini | ApiFormat::Json => {
            format!("event: error\ndata: {}\n\n", problem(denial, status, request_id))
        }
    };
    Bytes::from(event)
}

/// The status of a refusal.
pub fn status(denial: &Denial) -> StatusCode {
    match denial {
        Denial::RouteNotFound => StatusCode::NOT_FOUND,
        Denial::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Denial::BadRequest(_)
        | Denial::InvalidIdentifier(_)
        | Denial::InvalidContentCoding
        | Denial::BodyNotJson
        | Denial::BodyDuplicateKey
        | Denial::BodyTooDeep
        | Denial::BodyNotUtf8
        | Denial::Key(KeyRefusal::Missing) => StatusCode::BAD_REQUEST,
        Denial::Key(KeyRefusal::Mismatch) => StatusCode::UNPROCESSABLE_ENTITY,
        Denial::Key(KeyRefusal::InProgress | KeyRefusal::NotStored | KeyRefusal::Unknown | KeyRefusal::Locked) => {
            StatusCode::CONFLICT
        }
        Denial::MissingApiKey
        | Denial::InvalidApiKey
        | Denial::MissingClientCertificate
        | Denial::InvalidClientCertificate => StatusCode::UNAUTHORIZED,
        Denial::EndUserNotAllowed | Denial::PromptBlocked | Denial::OffPurpose { .. } | Denial::PiiBlocked => {
            StatusCode::FORBIDDEN
        }
        Denial::BodyTooLarge { .. } | Denial::BodyRatioTooHigh { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Denial::BodyTimeout | Denial::HeaderTimeout => StatusCode::REQUEST_TIMEOUT,
        Denial::TargetTooLong => StatusCode::URI_TOO_LONG,
        Denial::HeaderTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Denial::ExpectationFailed => StatusCode::EXPECTATION_FAILED,
        Denial::UnsupportedContentType | Denial::UnsupportedContentCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Denial::RateLimited { .. } | Denial::TooManyAtOnce { .. } => StatusCode::TOO_MANY_REQUESTS,
        // not 429: clients would send it again, and it can never pass
        Denial::ExceedsRateLimit { .. } => StatusCode::BAD_REQUEST,
        // not 429: clients would send it again at once
        Denial::BudgetExceeded { .. } => StatusCode::PAYMENT_REQUIRED,
        Denial::Overloaded
        | Denial::TooManyConnections
        | Denial::UpstreamOverloaded
        | Denial::UpstreamUnresolved
        | Denial::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        Denial::UpstreamConnectFailed
        | Denial::UpstreamTlsFailed
        | Denial::UpstreamReset
        | Denial::UpstreamInvalidReply
        | Denial::ReplyTooLarge
        | Denial::ReplyRatioTooHigh
        | Denial::ReplyPiiBlocked
        | Denial::ReplyPromptLeak => StatusCode::BAD_GATEWAY,
        Denial::UpstreamTimeout(_) => StatusCode::GATEWAY_TIMEOUT,
        Denial::FaultInjected { status } => StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        Denial::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// One sentence for the caller: what is wrong and what to do. No names of hosts or keys, no text of the request.
fn message(denial: &Denial) -> String {
    message_with_values(denial).unwrap_or_else(|| fixed_message(denial).to_owned())
}

fn message_with_values(denial: &Denial) -> Option<String> {
    Some(match denial {
        Denial::BadRequest(rule) => format!("The request was not accepted: {rule}."),
        Denial::InvalidIdentifier(what) => {
            format!("The {what} must be one text of 1 to 256 characters without control characters.")
        }
        Denial::MethodNotAllowed { allowed } => {
            format!("This path does not take this method; use {}.", allowed.join(", "))
        }
        Denial::BodyTooLarge { bytes_max } => format!("The body is too large; send at most {bytes_max} bytes."),
        Denial::BodyRatioTooHigh { ratio_max } => {
            format!(
                "The compressed body is more than {ratio_max} times smaller than its content; send it uncompressed."
            )
        }
        Denial::OffPurpose { allowed } => {
            format!("This route is for {allowed}, and the request asks for something else; send it elsewhere.")
        }
        Denial::RateLimited { retry_after, limit } => rate_message(*retry_after, limit.as_ref()),
        Denial::ExceedsRateLimit { limit } => {
            format!("The request needs more than the limit `{limit}` ever lets through; ask for less.")
        }
        Denial::TooManyAtOnce { limit } => {
            format!("As many requests run as the limit `{limit}` allows; try again when one has ended.")
        }
        Denial::BudgetExceeded { budget, limit, available, needed, resets_at } => {
            let anew = resets_at.map_or_else(String::new, |at| format!("; it begins anew at {}", utc(at)));
            format!("The budget `{budget}` has {available} left of {limit}, and this request may cost {needed}{anew}.")
        }
        // all others say the same each time
        _ => return None,
    })
}

fn fixed_message(denial: &Denial) -> &'static str {
    match denial {
        Denial::TargetTooLong => "The request's target is too long; send less in path and query.",
        Denial::HeaderTooLarge => "The request's head is too large or has too many fields; send less.",
        Denial::HeaderTimeout => "The request's head did not arrive in time; send it faster.",
        Denial::ExpectationFailed => "`Expect` asks for something that is not known here; only `100-continue` is.",
        Denial::TooManyConnections => "There are too many connections; use fewer, or try again shortly.",
        Denial::RouteNotFound => "Nothing is served at this path; check the URL.",
        Denial::MissingApiKey => "An API key is needed; send it as `Authorization: Bearer` or `x-api-key`.",
        Denial::InvalidApiKey => "The API key is not valid; check that it is complete and still in use.",
        Denial::MissingClientCertificate => "A client certificate is needed; connect with one.",
        Denial::InvalidClientCertificate => "The client certificate stands for nobody here; connect with another one.",
        Denial::EndUserNotAllowed => "This caller may not name an end user; leave it out, or use another key.",
        Denial::BodyTimeout => "The request body did not arrive in time; send it faster or make it smaller.",
        Denial::UnsupportedContentType => "The content type cannot be read here; send application/json.",
        Denial::UnsupportedContentCoding => "The content coding cannot be read here; send the body uncompressed.",
        Denial::InvalidContentCoding => {
            "The body is not what its content coding says; code it once, and send all of it."
        }
        Denial::BodyNotJson => "The request body is not valid JSON; correct it and send it again.",
        Denial::BodyDuplicateKey => "A JSON object of the request body has the same member twice; remove one.",
        Denial::BodyTooDeep => "The JSON of the request body is nested too deep or has too many values; simplify it.",
        Denial::BodyNotUtf8 => "The request body is not valid UTF-8; correct its encoding.",
        Denial::PromptBlocked => "The request contains text that looks like prompt injection; remove it.",
        Denial::PiiBlocked => "The request contains personal data that may not be sent; remove it.",
        Denial::ReplyPiiBlocked => "The reply was withheld because it contains personal data; ask for something else.",
        Denial::ReplyPromptLeak => {
            "The reply was withheld because it repeats the model's instructions; ask for something else."
        }
        Denial::Key(refusal) => key_message(*refusal),
        Denial::StoreUnavailable => "The gateway cannot check budgets and limits now; try again shortly.",
        Denial::Overloaded => "The gateway has no room for this request now; try again shortly.",
        Denial::UpstreamOverloaded => {
            "The service behind the gateway has no room for this request now; try again shortly."
        }
        Denial::UpstreamUnresolved => "The service behind the gateway cannot be found now; try again later.",
        Denial::UpstreamConnectFailed => "The service behind the gateway could not be reached; try again later.",
        Denial::UpstreamTlsFailed => "The service behind the gateway could not be trusted; report it to its operator.",
        Denial::UpstreamReset => "The service behind the gateway broke off before its reply was whole; try again.",
        Denial::UpstreamInvalidReply => "The service behind the gateway sent a reply that cannot be read; try again.",
        Denial::ReplyTooLarge => "The reply is larger than may be inspected; ask for a shorter one.",
        Denial::ReplyRatioTooHigh => "The reply is compressed further than may be inspected; ask for something else.",
        Denial::UpstreamTimeout(phase) => timeout_message(*phase),
        Denial::FaultInjected { .. } => "This error was made on purpose, to test clients; treat it as a real one.",
        Denial::Internal => "The gateway failed; try again, and report the request id if it stays so.",
        Denial::BadRequest(_)
        | Denial::InvalidIdentifier(_)
        | Denial::MethodNotAllowed { .. }
        | Denial::BodyTooLarge { .. }
        | Denial::BodyRatioTooHigh { .. }
        | Denial::OffPurpose { .. }
        | Denial::RateLimited { .. }
        | Denial::ExceedsRateLimit { .. }
        | Denial::TooManyAtOnce { .. }
        | Denial::BudgetExceeded { .. } => "The request was refused.",
    }
}

fn rate_message(retry_after: Duration, limit: Option<&LimitName>) -> String {
    let which = limit.map(|limit| format!(" for the limit `{limit}`")).unwrap_or_default();
    format!("Too many requests{which}; try again in {} s.", whole_seconds(retry_after))
}

/// RFC 3339 in UTC, to the second.
fn utc(at: Timestamp) -> String {
    let seconds = i64::try_from(at.micros() / 1_000_000).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map(|at| at.to_string()).unwrap_or_default()
}

fn key_message(refusal: KeyRefusal) -> &'static str {
    match refusal {
        KeyRefusal::Missing => "This request needs the header `Idempotency-Key`; send a new key for each request.",
        KeyRefusal::InProgress => "A request with this idempotency key still runs; send it again shortly.",
        KeyRefusal::Mismatch => "This idempotency key belongs to a different request; send a new key.",
        KeyRefusal::NotStored => {
            "The request with this idempotency key was run, and its reply was not kept; look at its effects before you send a new key."
        }
        KeyRefusal::Unknown => {
            "Whether the request with this idempotency key was run is not known; look at its effects before you send it again."
        }
        KeyRefusal::Locked => "Another request of the same execution still runs; send this one again shortly.",
    }
}

fn timeout_message(phase: TimeoutPhase) -> &'static str {
    match phase {
        TimeoutPhase::Connect => "The service behind the gateway did not accept a connection in time; try again later.",
        TimeoutPhase::FirstByte => "The service behind the gateway did not begin to answer in time; try again later.",
        TimeoutPhase::Idle => "The service behind the gateway stopped in the middle of its reply; try again.",
        TimeoutPhase::Total => "The request took longer than it may; ask for less, or try again later.",
    }
}

/// RFC 9457 problem details.
fn problem(denial: &Denial, status: StatusCode, request_id: &str) -> Value {
    json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": message(denial),
        "code": denial.code(),
        "request_id": request_id,
    })
}

fn openai(denial: &Denial, status: StatusCode) -> Value {
    let kind = match status.as_u16() {
        401 => "authentication_error",
        402 => "insufficient_quota",
        403 => "permission_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    };
    json!({ "error": { "message": message(denial), "type": kind, "code": denial.code(), "param": null } })
}

/// Types after <https://docs.anthropic.com/en/api/errors>.
fn anthropic(denial: &Denial, status: StatusCode, request_id: &str) -> Value {
    let kind = match status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        _ => "api_error",
    };
    let error = json!({ "type": kind, "message": message(denial), "code": denial.code() });
    json!({ "type": "error", "error": error, "request_id": request_id })
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

fn headers(denial: &Denial, media_type: &'static str, request_id: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(wait) = retry_after(denial) {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    if let Denial::MethodNotAllowed { allowed } = denial
        && let Ok(methods) = HeaderValue::from_str(&allowed.join(", "))
    {
        headers.insert(ALLOW, methods);
    }
    if matches!(denial, Denial::UnsupportedContentCoding) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(codings::READ)); // RFC 9110 §15.5.16
    }
    if matches!(denial, Denial::MissingApiKey | Denial::InvalidApiKey) {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    headers
}

fn retry_after(denial: &Denial) -> Option<Duration> {
    if let Denial::RateLimited { retry_after, .. } = denial {
        return Some(*retry_after);
    }
    let full = matches!(
        denial,
        Denial::Overloaded
            | Denial::TooManyConnections
            | Denial::UpstreamOverloaded
            | Denial::TooManyAtOnce { .. }
            | Denial::Key(KeyRefusal::InProgress | KeyRefusal::Locked)
            | Denial::StoreUnavailable
    );
    full.then_some(OVERLOADED_RETRY_AFTER)
}

/// Rounded up, at least 1: a client that waits this long is not refused for the same reason again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATS: [ApiFormat; 5] =
        [ApiFormat::OpenAi, ApiFormat::OpenAiResponses, ApiFormat::Anthropic, ApiFormat::Gemini, ApiFormat::Json];

    fn body(denial: &Denial, format: ApiFormat) -> Value {
        serde_json::from_slice(&render(denial, format, "req-1").body).unwrap()
    }

    #[test]
    fn the_documentation_is_complete() {
        let document = include_str!("../../docs/errors.md");
        let table = document.lines().skip_while(|line| !line.starts_with("| code |"));
        let rows = table.filter(|line| line.starts_with("| `")).map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 5, "{line}");
            assert!(matches!(cells[2], "no" | "yes" | "after `Retry-After`"), "{line}");
            (cells[0].trim_matches('`').to_owned(), cells[1].to_owned(), cells[2] == "after `Retry-After`")
        });
        let coded = Denial::all().into_iter().map(|denial| {
            let documented = match denial {
                Denial::FaultInjected { .. } => "as configured".to_owned(),
                _ => status(&denial).as_u16().to_string(),
            };
            (denial.code().to_owned(), documented, retry_after(&denial).is_some())
        });
        let (rows, coded): (Vec<_>, Vec<_>) = (rows.collect(), coded.collect());
        assert_eq!(rows, coded, "docs/errors.md and the code differ in codes, order, statuses or retry headers");
    }

    #[test]
    fn every_denial_has_every_shape() {
        for denial in Denial::all() {
            for format in FORMATS {
                let reply = render(&denial, format, "req-1");
                let body = body(&denial, format);
                let (message, code) = match format {
                    ApiFormat::OpenAi | ApiFormat::OpenAiResponses => {
                        assert_eq!(body["error"]["param"], Value::Null);
                        assert_eq!(body["status"], reply.status.as_u16());
                        assert_eq!(body["detail"], body["error"]["message"]);
                        (&body["error"]["message"], &body["error"]["code"])
                    }
                    ApiFormat::Anthropic => {
                        assert_eq!(body["type"], "error");
                        assert!(body["error"]["type"].is_string());
                        (&body["error"]["message"], &body["error"]["code"])
                    }
                    ApiFormat::Gemini | ApiFormat::Json => {
                        assert_eq!(reply.headers[CONTENT_TYPE], "application/problem+json");
                        assert_eq!(body["status"], reply.status.as_u16());
                        (&body["detail"], &body["code"])
                    }
                };
                let message = message.as_str().unwrap();
                assert!(message.ends_with('.') && !message.contains('\n'), "{message}");
                assert_eq!(code, denial.code());
                assert_eq!(body["request_id"], "req-1");
                assert_eq!(reply.headers[REQUEST_ID], "req-1");
                assert!(reply.status.is_client_error() || reply.status.is_server_error());
            }
        }
    }

    #[test]
    fn clients_tell_errors_apart_by_their_own_types() {
        for (denial, openai, anthropic) in [
            (Denial::InvalidApiKey, "authentication_error", "authentication_error"),
            (Denial::PiiBlocked, "permission_error", "permission_error"),
            (Denial::RouteNotFound, "invalid_request_error", "not_found_error"),
            (Denial::BodyTooLarge { bytes_max: 1 }, "invalid_request_error", "request_too_large"),
            (Denial::RateLimited { retry_after: Duration::ZERO, limit: None }, "rate_limit_error", "rate_limit_error"),
            (Denial::Overloaded, "api_error", "overloaded_error"),
            (Denial::UpstreamTimeout(TimeoutPhase::Idle), "api_error", "timeout_error"),
            (Denial::Internal, "api_error", "api_error"),
        ] {
            assert_eq!(body(&denial, ApiFormat::OpenAi)["error"]["type"], openai);
            assert_eq!(body(&denial, ApiFormat::Anthropic)["error"]["type"], anthropic);
        }
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_rounded_up() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (59_999, "60")] {
            let denial = Denial::RateLimited { retry_after: Duration::from_millis(millis), limit: None };
            assert_eq!(render(&denial, ApiFormat::Json, "r").headers[RETRY_AFTER], seconds);
        }
        assert!(render(&Denial::Overloaded, ApiFormat::Json, "r").headers.contains_key(RETRY_AFTER));
        assert!(!render(&Denial::Internal, ApiFormat::Json, "r").headers.contains_key(RETRY_AFTER));
    }

    #[test]
    fn refusals_name_what_would_be_accepted() {
        let allowed = vec!["GET".to_owned(), "POST".to_owned()];
        let reply = render(&Denial::MethodNotAllowed { allowed }, ApiFormat::Json, "r");
        assert_eq!(reply.headers[ALLOW], "GET, POST");
        let coded = render(&Denial::UnsupportedContentCoding, ApiFormat::Json, "r");
        assert_eq!(coded.headers[ACCEPT_ENCODING], "gzip, deflate, br, zstd");
        for denial in [Denial::MissingApiKey, Denial::InvalidApiKey] {
            assert_eq!(render(&denial, ApiFormat::OpenAi, "r").headers[WWW_AUTHENTICATE], "Bearer");
        }
    }

    #[test]
    fn an_injected_fault_has_its_own_status() {
        assert_eq!(status(&Denial::FaultInjected { status: 429 }).as_u16(), 429);
        assert_eq!(status(&Denial::FaultInjected { status: 599 }).as_u16(), 599);
        assert_eq!(body(&Denial::FaultInjected { status: 599 }, ApiFormat::Json)["title"], "Error");
    }

    #[test]
    fn a_stream_error_is_one_event() {
        for denial in Denial::all() {
            for format in FORMATS {
                let event = String::from_utf8(stream_error(&denial, format, "req\n\n1").to_vec()).unwrap();
                let (head, data) = event.split_once("data: ").unwrap();
                let expected = match format {
                    ApiFormat::OpenAi | ApiFormat::OpenAiResponses => "",
                    ApiFormat::Anthropic | ApiFormat::Gemini | ApiFormat::Json => "event: error\n",
                };
                assert_eq!(head, expected);
                let json = data.strip_suffix("\n\n").unwrap();
                assert!(!json.contains('\n'), "{json}");
                let json: Value = serde_json::from_str(json).unwrap();
                assert!(json["error"].is_object() || json["code"] == denial.code());
                assert_eq!(json["request_id"], "req\n\n1");
            }
        }
    }
}
