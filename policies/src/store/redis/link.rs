//! The connection to the server: one, shared by all requests, made again when it breaks.
//!
//! # Invariants
//! * Many that find no connection make one between them (`a_server_that_comes_back_is_not_stormed`), and wait no longer
//!   than one would (`many_that_cannot_connect_wait_no_longer_than_one`).
//! * What was sent and not answered is sent once more if the connection broke, and never if it was only slow; either way
//!   the caller hears whether it may have been applied (`a_reply_that_is_lost_is_no_second_charge`).
//! * No answer is taken for that to another question (`an_answer_to_another_question_is_not_taken`).
//! * A server that does not answer is left alone (`a_stopped_server_costs_a_few_time_outs_and_then_nothing`).

use super::super::{Applied, StoreError};
use super::breaker::{Breaker, Ticket};
use super::encode::Arguments;
use super::options::{InvalidUrl, RedisOptions};
use super::scripts::{Run, Script, alone};
use super::{decode, faults};
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, IntoConnectionInfo, Pipeline, Value};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// How often something is sent that got no answer because the connection broke. It is safe since operations have ids,
/// and it spares the first request after a restart of the server an error.
const SENDS_MAX: u32 = 2;

/// A connection, and which one it is.
#[derive(Clone)]
struct Connection {
    number: u64,
    wire: MultiplexedConnection,
}

fn pipeline(runs: &[Run<'_>]) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(runs.len());
    runs.iter().for_each(|run| {
        pipeline.add_command(run.known());
    });
    pipeline
}

fn is_missing(value: &Value) -> bool {
    matches!(value, Value::ServerError(error) if error.code() == "NOSCRIPT")
}

/// The connection to one server.
pub(super) struct Link {
    client: Client,
    settings: AsyncConnectionConfig,
    current: Mutex<Option<Connection>>,
    /// Attempts to connect that have ended.
    attempts: AtomicU64,
    connecting: tokio::sync::Mutex<Option<StoreError>>,
    breaker: Mutex<Breaker>,
    tokens: AtomicU64,
}

impl Link {
    /// Connects when it is first used.
    pub fn new(options: &RedisOptions) -> Result<Self, InvalidUrl> {
        let info = options.url.reveal().into_connection_info().map_err(|_| InvalidUrl)?;
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(options.connect_timeout))
            .set_response_timeout(Some(options.response_timeout));
        Ok(Self {
            client: Client::open(info).map_err(|_| InvalidUrl)?,
            settings,
            current: Mutex::new(None),
            attempts: AtomicU64::new(0),
            connecting: tokio::sync::Mutex::new(None),
            breaker: Mutex::new(Breaker::new(options.breaker)),
            // not from 0, so that two clients hardly ever use the same
            tokens: AtomicU64::new(fastrand::u64(..1 << 48)),
        })
    }

    /// Runs a script, which the server gets whole if it does not have it.
    pub async fn run(&self, script: &Script, key: &str, arguments: &Arguments) -> Result<Value, StoreError> {
        let run = self.a_run(script, key, arguments);
        let value = match self.command(run.known()).await? {
            Some(value) => value,
            None => self.command(run.whole()).await?.ok_or(StoreError::Unreachable)?,
        };
        self.answer(value, &run)
    }

    /// Runs a script several times in one round trip, in order. Fewer results come back only behind an error.
    pub async fn run_each(&self, script: &Script, key: &str, each: &[Arguments]) -> Vec<Result<Value, StoreError>> {
        let runs: Vec<Run<'_>> = each.iter().map(|arguments| self.a_run(script, key, arguments)).collect();
        let mut values = match self.send(&pipeline(&runs)).await {
            Ok(values) => values,
            Err(error) => return vec![Err(error)],
        };
        let mut failure = None;
        // From the first on that found no script, all are sent again: some behind it may have been run, if somebody else
        // brought the script in between, but the order of what counts is kept.
        if let Some(missing) = values.iter().position(is_missing) {
            values.truncate(missing);
            let again = match self.read(script.load()).await {
                Ok(_) => self.send(&pipeline(runs.get(missing..).unwrap_or_default())).await,
                Err(error) => Err(error),
            };
            match again {
                Ok(rest) => values.extend(rest),
                Err(error) => failure = Some(Err(error)),
            }
        }
        let answered = |(value, run): (Value, &Run<'_>)| {
            self.answer(faults::of_value(value)?.ok_or(StoreError::Unreachable)?, run)
        };
        values.into_iter().zip(&runs).map(answered).chain(failure).collect()
    }

    fn a_run<'a>(&self, script: &'a Script, key: &'a str, arguments: &'a Arguments) -> Run<'a> {
        Run { script, key, arguments, token: self.tokens.fetch_add(1, Ordering::Relaxed) }
    }

    /// What a script answered, without the token. One that is not there means that answers on this connection belong to
    /// other questions, and nothing that comes on it is believed any more.
    fn answer(&self, value: Value, run: &Run<'_>) -> Result<Value, StoreError> {
        if let Value::Array(mut items) = value
            && items.pop() == Some(Value::BulkString(run.token.to_string().into_bytes()))
        {
            return Ok(Value::Array(items));
        }
        *self.current.lock() = None;
        Err(decode::corrupt("an answer to something else"))
    }

    /// Runs a script that may be missing, or a command that is never.
    async fn command(&self, command: Cmd) -> Result<Option<Value>, StoreError> {
        let mut values = self.send(&alone(command)).await?.into_iter();
        faults::of_value(values.next().unwrap_or_default())
    }

    /// Asks for something.
    pub async fn read(&self, command: Cmd) -> Result<Value, StoreError> {
        self.command(command).await?.ok_or(StoreError::Unreachable)
    }

    /// Sends commands in one round trip; as many values come back.
    pub async fn send(&self, commands: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let mut lost = None;
        for _ in 0..SENDS_MAX {
            let result = self.send_once(commands).await;
            match (result, lost) {
                // A broken connection tells nothing about what was sent: an idle one may have been closed long ago.
                (Err(StoreError::Disconnected), _) => lost = Some(StoreError::Disconnected),
                // The first time may have been applied, whatever became of the second.
                (Err(error), Some(first)) if error.applied() == Applied::No => return Err(first),
                (result, _) => return result,
            }
        }
        Err(lost.unwrap_or(StoreError::Disconnected))
    }

    async fn send_once(&self, commands: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let ticket = self.breaker.lock().ask(Instant::now()).ok_or(StoreError::Unreachable)?;
        let result = self.exchange(commands).await;
        let outage = match &result {
            Ok(values) => match values.first() {
                Some(Value::ServerError(error)) => faults::is_outage(&faults::of_server(error)),
                Some(_) | None => false,
            },
            Err(error) => faults::is_outage(error),
        };
        self.report(ticket, outage);
        result
    }

    fn report(&self, ticket: Ticket, outage: bool) {
        let mut breaker = self.breaker.lock();
        if outage { breaker.failed(ticket, Instant::now(), fastrand::u64(..)) } else { breaker.succeeded(ticket) }
    }

    async fn exchange(&self, commands: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let Connection { number, mut wire } = self.connection().await?;
        wire.send_packed_commands(commands, 0, commands.len()).await.map_err(|error| {
            // Also one that was only slow: its late answers are not waited for, and a peer that vanished is not seen
            // otherwise. Requests that wait on it go on waiting.
            self.drop_connection(number);
            faults::of_exchange(&error)
        })
    }

    fn drop_connection(&self, number: u64) {
        let mut current = self.current.lock();
        if current.as_ref().is_some_and(|connection| connection.number == number) {
            *current = None;
        }
    }

    /// The connection there is, or one that is made now.
    async fn connection(&self) -> Result<Connection, StoreError> {
        if let Some(connection) = self.current.lock().clone() {
            return Ok(connection);
        }
        let seen = self.attempts.load(Ordering::Acquire);
        let mut failure = self.connecting.lock().await;
        if let Some(connection) = self.current.lock().clone() {
            return Ok(connection);
        }
        // Somebody tried while this one waited: that answer is new enough.
        if let (Some(error), true) = (failure.as_ref(), self.attempts.load(Ordering::Acquire) != seen) {
            return Err(error.clone());
        }
        let made = self.client.get_multiplexed_async_connection_with_config(&self.settings).await;
        let number = self.attempts.fetch_add(1, Ordering::AcqRel) + 1;
        match made {
            Ok(wire) => {
                let connection = Connection { number, wire };
                *self.current.lock() = Some(connection.clone());
                *failure = None;
                Ok(connection)
            }
            Err(error) => {
                let error = faults::of_connecting(&error);
                *failure = Some(error.clone());
                Err(error)
            }
        }
    }
}
