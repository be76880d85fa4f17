//! A client of the admin API of a running gateway.

use super::Failure;
use clap::Args;
use serde_json::Value;
use std::time::Duration;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Which gateway, and as whom.
#[derive(Args)]
pub(super) struct AdminArgs {
    /// The admin API of the gateway
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9901")]
    admin: String,
    /// Its token
    #[arg(long, env = "RAPTORGATE_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN", default_value = "")]
    token: String,
}

/// Speaks to the admin API.
pub(super) struct AdminClient {
    agent: ureq::Agent,
    base: String,
    authorization: String,
}

impl AdminClient {
    pub fn new(arguments: &AdminArgs) -> Result<Self, Failure> {
        if arguments.token.is_empty() {
            return Err(
                "no admin token\n  help: set RAPTORGATE_ADMIN_TOKEN to `admin.token` of the gateway, or give --token"
                    .to_owned()
                    .into(),
            );
        }
        let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).build();
        Ok(Self {
            agent: config.into(),
            base: arguments.admin.trim_end_matches('/').to_owned(),
            authorization: format!("Bearer {}", arguments.token),
        })
    }

    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        let request = self.agent.get(format!("{}{path}", self.base)).header("authorization", &self.authorization);
        self.answer(request.call())
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let request = self.agent.post(format!("{}{path}", self.base)).header("authorization", &self.authorization);
        self.answer(request.header("content-type", "application/json").send(body.to_string()))
    }

    fn answer(&self, sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, Failure> {
        let cannot = |why: String| Failure::from(format!("no answer of the gateway at {}: {why}", self.base));
        let mut reply = sent.map_err(|error| cannot(error.to_string()))?;
        let status = reply.status();
        let text = reply.body_mut().with_config().limit(64 << 20).read_to_string();
        let text = text.map_err(|error| cannot(error.to_string()))?;
        let body: Value = serde_json::from_str(&text).map_err(|_| cannot(format!("status {status} without JSON")))?;
        if status.is_success() {
            return Ok(body);
        }
        let member = |name| body.get(name).and_then(Value::as_str).unwrap_or_default();
        Err(format!("refused by the gateway: {} ({}, {})", member("detail"), status.as_u16(), member("code")).into())
    }
}

/// A name as one segment of a path.
pub(super) fn segment(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
