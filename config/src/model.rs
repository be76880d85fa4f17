//! What a configuration means: the resolved types that every other crate compiles from.
//!
//! Nothing here is optional because it was merely left out of the file: defaults are filled in, inheritance is done,
//! names are known to exist, units are parsed. `Option` means absent.

mod budgets;
mod compress;
mod fault;
mod idempotency;
mod limits;
mod masking;
mod prompt_leak;
mod purpose;
mod sanitize;
mod tls;
mod upstreams;

pub use budgets::{
    Budget, BudgetWindow, Counted, EmbeddedStore, Enforcement, Per, RateLimit, RedisStore, SettleMode, Store,
};
pub use compress::{Compress, MediaRange, ReplyCoding};
pub use fault::{Fault, FaultAbort, FaultDelay};
pub use idempotency::{ExecutionLock, Idempotency, OnDuplicate};
pub use limits::{ClientLimits, Limits};
pub use masking::{JsonPaths, MaskPii, Masked, Masking, OwnPattern, PiiAction, PiiType};
pub use prompt_leak::{PromptLeak, PromptLeakAction};
pub use purpose::{Purpose, PurposeAction, PurposeLabel};
pub use sanitize::{Judged, Sanitize, SanitizeAction};
pub use tls::{
    CertificateMatch, ClientCertificate, ClientCertificateMode, ClientCertificates, ListenerTls, TlsVersion,
    UpstreamTls, Verification,
};
pub use upstreams::{
    Address, AddressFamily, Balance, Dns, Ejection, Endpoint, HashKey, HealthCheck, Pool, StatusRange, Timeouts,
};

use crate::units::{Currency, Money, Price, Secret};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A whole, valid configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Addresses on which requests are accepted.
    pub listeners: Vec<Listener>,
    /// Metrics and health.
    pub ops: Option<Ops>,
    /// The admin API.
    pub admin: Admin,
    /// Currency of prices and totals.
    pub currency: Currency,
    /// Networks whose word about a client is believed.
    pub trusted_proxies: Arc<[IpNet]>,
    /// Process-wide bounds.
    pub limits: Limits,
    /// How long requests in flight may still take after SIGTERM.
    pub drain_max: Duration,
    /// Where money, limits and keys are kept; absent: nothing needs it.
    pub store: Option<Store>,
    /// What kept replies are sealed with; absent: a key that the store makes for itself.
    pub reply_key: Option<Secret>,
    /// The customers.
    pub tenants: BTreeMap<String, Tenant>,
    /// Price of each model, by the name the upstream reports.
    pub prices: BTreeMap<String, ModelPrice>,
    /// Backends by name.
    pub upstreams: BTreeMap<String, Arc<Upstream>>,
    /// How host names of endpoints are looked up.
    pub dns: Dns,
    /// Routes in the order of the file; the most specific match wins.
    pub routes: Vec<Arc<Route>>,
    /// The access log.
    pub access_log: AccessLog,
}

/// An address on which requests are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Address and port; port 0 picks a free one.
    pub address: SocketAddr,
    /// TLS, if it is on.
    pub tls: Option<ListenerTls>,
    /// Connections begin with a PROXY header.
    pub proxy_protocol: bool,
}

/// The ops listener: `/metrics /livez /readyz`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ops {
    /// Address and port.
    pub address: SocketAddr,
}

/// The admin listener.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Address and port.
    pub address: SocketAddr,
    /// Bearer token; generated and printed once if absent.
    pub token: Option<Secret>,
    /// Values of `Host` that are answered besides the listener's own address and `localhost`.
    pub hosts: Vec<String>,
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// IANA time zone name.
    pub timezone: String,
    /// Currency of this tenant's totals.
    pub currency: Currency,
}

/// Price of one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelPrice {
    /// Per million input tokens.
    pub input: Price,
    /// Per million output tokens.
    pub output: Price,
    /// Per million input tokens read from the provider's cache; `input` if absent in the file.
    pub cached_input: Price,
}

/// A backend.
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    /// Its name in the file.
    pub name: Arc<str>,
    /// Its endpoints in the order of the file. Never empty.
    pub endpoints: Vec<Endpoint>,
    /// Which endpoint is asked.
    pub balance: Balance,
    /// Protocol spoken to it.
    pub protocol: UpstreamProtocol,
    /// TLS, if it is on.
    pub tls: Option<UpstreamTls>,
    /// Value of `Host` that it gets; absent: what the client asked for.
    pub host: Option<Arc<str>>,
    /// The upstream itself removes duplicates, so a request already sent may be retried.
    pub idempotent: bool,
    /// Attempts beyond the first.
    pub retries_max: u32,
    /// Time-outs.
    pub timeouts: Timeouts,
    /// Bounds of what is sent to it at once.
    pub pool: Pool,
    /// Active health checks.
    pub health_check: Option<HealthCheck>,
    /// Passive ejection.
    pub ejection: Option<Ejection>,
}

/// Protocol spoken to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamProtocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2; without TLS with prior knowledge.
    Http2,
}

/// A route with everything that holds on it.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name in the file.
    pub name: Arc<str>,
    /// What it matches.
    pub matches: RouteMatch,
    /// Name of its upstream, known to exist.
    pub upstream: Arc<str>,
    /// Shape of bodies and of error replies.
    pub format: ApiFormat,
    /// Who may call.
    pub authenticate: Option<Authenticate>,
    /// On whose behalf a service key acts.
    pub end_user: Option<EndUser>,
    /// Which agent run a request belongs to.
    pub execution: Option<Execution>,
    /// Idempotency keys.
    pub idempotency: Option<Idempotency>,
    /// In-process limits at the head.
    pub flood_limits: Option<FloodLimits>,
    /// Prompt sanitization.
    pub sanitize: Option<Sanitize>,
    /// What the route is for.
    pub purpose: Option<Purpose>,
    /// PII masking.
    pub mask_pii: Option<MaskPii>,
    /// Replies that give the system prompt away.
    pub prompt_leak: Option<PromptLeak>,
    /// Metering.
    pub meter: Option<Meter>,
    /// What may be spent.
    pub budgets: Vec<Budget>,
    /// Limits in windows.
    pub rate_limits: Vec<RateLimit>,
    /// Fault injection.
    pub fault: Option<Fault>,
    /// Compression of replies.
    pub compress: Option<Compress>,
    /// What a vanished client means for the upstream.
    pub on_disconnect: OnDisconnect,
    /// Largest request body.
    pub request_body_bytes_max: u64,
    /// Time a client may take to send a whole buffered body.
    pub request_body_timeout: Duration,
    /// Largest reply held back for inspection.
    pub reply_bytes_max: u64,
    /// Decoded bytes for each coded one of a compressed body that a filter reads.
    pub decode_ratio_max: u32,
    /// What a larger reply becomes.
    pub on_large_reply: OnLargeReply,
    /// WebSocket upgrades pass untouched although the route has body guards.
    pub passthrough: bool,
    /// Send the caller's credentials to the upstream.
    pub forward_credentials: bool,
}

/// What a route matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMatch {
    /// Absent: any host.
    pub host: Option<HostPattern>,
    /// Path form.
    pub path: PathPattern,
    /// Empty: any method. Upper case.
    pub methods: Vec<String>,
}

/// `api.x.in` or `*.x.in`; lower case, no port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostPattern {
    /// The whole host name.
    Exact(String),
    /// Everything below this name, with at least one more label: `x.in` for `*.x.in`.
    Suffix(String),
}

/// `/a` exact, `/a/*` prefix, `/*` all, `/users/{user_id}` template.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathPattern {
    /// Segments between slashes. `/` is no segment at all.
    pub segments: Vec<Segment>,
    /// Ends in `/*`: everything below matches, the path itself (`/a`) too.
    pub prefix: bool,
}

/// One segment of a path pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// This text, byte for byte.
    Literal(String),
    /// `{name}`: any one non-empty segment.
    Parameter(String),
}

/// Shape of bodies: where text stands, where usage stands, how errors look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApiFormat {
    /// OpenAI chat completions.
    OpenAi,
    /// OpenAI responses.
    OpenAiResponses,
    /// Anthropic messages.
    Anthropic,
    /// Gemini generateContent.
    Gemini,
    /// Any JSON: every string value is text; errors are RFC 9457 problem details.
    Json,
}

/// Who may call.
#[derive(Clone, Debug)]
pub struct Authenticate {
    /// Keys by the SHA-256 of their text.
    pub api_keys: Vec<ApiKey>,
    /// Client certificates by what they hold; the first that matches counts.
    pub client_certificates: Vec<ClientCertificate>,
}

/// One API key.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its name; no other key of the file has it.
    pub id: Arc<str>,
    /// SHA-256 of the key's text.
    pub sha256: [u8; 32],
    /// The tenant; known to exist.
    pub tenant: Arc<str>,
    /// The owner.
    pub user: Arc<str>,
    /// Price tier.
    pub tier: Option<Arc<str>>,
    /// Price region.
    pub region: Option<Arc<str>>,
    /// What the key may do, told to the upstream.
    pub scopes: Vec<Arc<str>>,
}

/// Where a name is read from: `header:x-user` or `json:$.user`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A request header, lower case.
    Header(String),
    /// Members from the root of the JSON body: `$.metadata.user` is `["metadata", "user"]`.
    Json(Vec<JsonStep>),
}

/// One step of a JSON path (RFC 9535 without filter expressions, wildcards or slices).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonStep {
    /// `.name` or `['name']`.
    Member(String),
    /// `[3]`.
    Index(usize),
}

/// A JSON path that can name several values (RFC 9535 without filter expressions and slices).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath(pub Vec<JsonPart>);

/// One part of a [`JsonPath`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonPart {
    /// One member or element.
    Step(JsonStep),
    /// `.*` or `[*]`: all of them.
    All,
}

/// On whose behalf a service key acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndUser {
    /// Where the name stands.
    pub id: Source,
    /// Keys that may name an end user must have this scope; absent: every key may.
    pub scope: Option<Arc<str>>,
}

/// Which agent run a request belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Where the id stands.
    pub id: Source,
    /// Its requests run one at a time.
    pub lock: Option<ExecutionLock>,
}

/// In-process limits, always charged, at the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloodLimits {
    /// Per client address.
    pub per_address: Option<Rate>,
    /// Per presented API key (its hash), before it is known to be valid.
    pub per_key: Option<Rate>,
}

/// So many requests in a window; a burst of the same size is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests.
    pub requests: u32,
    /// Window.
    pub window: Duration,
}

/// Metering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// Where usage stands in replies.
    pub format: ApiFormat,
    /// Ask an OpenAI-shaped upstream for usage at the end of streams (`stream_options.include_usage`) when the client did not.
    pub request_usage: bool,
    /// Price of models that `prices` does not name; absent: their cost is 0 and counted as unpriced.
    pub default_price: Option<ModelPrice>,
    /// Tokens that an answer is believed to have at most where the request does not say.
    pub output_tokens_max: u64,
    /// Tokens of a streamed answer that money is held for at a time; absent: for all it may have.
    pub stream_hold_tokens: Option<u64>,
}

/// What a vanished client means for the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDisconnect {
    /// Cancel the upstream at once.
    Abort,
    /// Read the upstream's reply to its end, so that its usage is known. Default on metered routes.
    Finish,
}

/// What a reply becomes that is larger than may be held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnLargeReply {
    /// 502 `reply_too_large`.
    Refuse,
    /// Streamed on without the checks that need the whole reply. Default where no such check may refuse.
    Stream,
}

/// The access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLog {
    /// Where lines go.
    pub output: LogOutput,
}

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogOutput {
    /// No access log.
    Off,
    /// Standard output.
    Stdout,
    /// Appended to a file.
    File(PathBuf),
}

/// A price with the currency it was written in; used where a file names one amount.
pub type Amount = Money;
