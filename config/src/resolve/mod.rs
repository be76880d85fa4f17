//! From the file's blocks to what they mean: defaults filled in, names looked up, contradictions told.
//!
//! # Invariants
//! * A configuration comes out only if no problem was told (`a_wrong_value_never_becomes_the_default`).
//! * What is absent because it could not be read causes no second problem (`one_mistake_is_told_once`).

mod blocks;
mod budgets;
mod client_certificates;
mod idempotency;
mod keys;
mod masking;
mod purpose;
mod route;
mod routes;
mod tls;
mod upstreams;

use crate::decode::{At, Context, Map, OrOff};
use crate::model::{
    AccessLog, Address, Admin, ClientLimits, Config, Limits, Listener, LogOutput, ModelPrice, Ops, Tenant, Timeouts,
    Upstream,
};
use crate::problem::{Code, Finding, Position};
use crate::schema::{AdminBlock, FileBlock, LimitsBlock, ListenerBlock, PriceBlock, TenantBlock, UpstreamBlock};
use crate::units::{Currency, Price};
use crate::values::{Bytes, Name};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

/// Everything that the parts need to know of the whole.
pub(super) struct Scope<'f> {
    pub file: &'f FileBlock,
    pub currency: Currency,
    pub folder: &'f Path,
    /// All blocks could be read, so that what is absent was left out.
    pub sound: bool,
}

/// Tells every problem between blocks; `None` unless none was told at all.
pub(crate) fn resolve(file: &FileBlock, folder: &Path, cx: &mut Context) -> Option<Config> {
    let scope = Scope { file, currency: file.currency.value, folder, sound: cx.findings.is_empty() };
    addresses_differ(file, cx);
    let listeners = file.listeners.iter().flat_map(|list| &list.0).map(|block| listener(block, &scope, cx)).collect();
    let tenants =
        file.tenants.entries().map(|(name, block)| (name.value.to_string(), tenant(block, &scope, cx))).collect();
    let prices = file
        .prices
        .entries()
        .map(|(model, block)| (model.value.to_string(), price(block, scope.currency, cx)))
        .collect();
    let upstreams =
        file.upstreams.iter().flat_map(Map::entries).map(|(name, block)| upstream(name, block, &scope, cx)).collect();
    let config = Config {
        listeners,
        ops: ops(file),
        admin: admin(&file.admin),
        currency: scope.currency,
        trusted_proxies: file.trusted_proxies.iter().map(|network| network.0).collect(),
        limits: limits(&file.limits, cx),
        drain_max: file.shutdown.drain.0,
        store: budgets::store(&scope, cx),
        reply_key: idempotency::reply_key(&scope, cx),
        tenants,
        prices,
        upstreams,
        dns: upstreams::dns(&file.dns),
        routes: routes::resolve(&scope, cx),
        access_log: AccessLog { output: log_output(&file.access_log.output.value, folder) },
    };
    debug_assert!(file.version.as_ref().is_none_or(|version| version.0 == 1), "the only version there is");
    cx.findings.is_empty().then_some(config)
}

fn listener(block: &ListenerBlock, scope: &Scope<'_>, cx: &mut Context) -> Listener {
    let tls = block.tls.as_ref().and_then(|tls| tls::listener(tls, scope, cx));
    if block.proxy_protocol.value && scope.file.trusted_proxies.is_empty() {
        cx.tell(
            Finding::new(
                block.proxy_protocol.at,
                Code::Conflict,
                "`proxy_protocol` without `trusted_proxies`".to_owned(),
            )
            .help("name the networks of the proxies that connect here: `trusted_proxies: [10.0.0.0/8]`"),
        );
    }
    Listener { address: block.address.value, tls, proxy_protocol: block.proxy_protocol.value }
}

fn ops(file: &FileBlock) -> Option<Ops> {
    match &file.ops {
        OrOff::Off => None,
        OrOff::On(block) => Some(Ops { address: block.address.value }),
    }
}

fn admin(block: &AdminBlock) -> Admin {
    let token = block.token.as_ref().map(|token| token.value.clone()).filter(|token| !token.reveal().is_empty());
    Admin {
        address: block.address.value,
        token,
        hosts: block.hosts.iter().map(|host| host.as_str().to_ascii_lowercase()).collect(),
    }
}

fn limits(block: &LimitsBlock, cx: &mut Context) -> Limits {
    fits("limits.request_body", &block.request_body, block.buffered, cx);
    fits("limits.reply", &block.reply, block.buffered, cx);
    Limits {
        buffered_bytes_max: block.buffered.0,
        request_body_bytes_max: block.request_body.value.0,
        request_body_timeout: block.request_body_timeout,
        reply_bytes_max: block.reply.value.0,
        json_depth_max: size(block.json_depth.0),
        clients: clients(block, cx),
    }
}

/// Largest head that the HTTP/1.1 parser behind the gateway's own checks takes.
const HEADER_BYTES_MAX: u64 = 1 << 20;
/// What may be read ahead: less makes no piece of a body, and Pingora has no room for more.
const READ_AHEAD_BYTES: std::ops::RangeInclusive<u64> = 4 << 10..=64 << 10;

fn clients(block: &LimitsBlock, cx: &mut Context) -> ClientLimits {
    if block.header.value.0 > HEADER_BYTES_MAX {
        let message = "`limits.header` is larger than 1 MiB".to_owned();
        cx.tell(
            Finding::new(block.header.at, Code::WrongValue, message).help("heads are read whole: 32 KiB is plenty"),
        );
    }
    if !READ_AHEAD_BYTES.contains(&block.read_ahead.value.0) {
        let message = "`limits.read_ahead` is not between 4 KiB and 64 KiB".to_owned();
        let help = "4 KiB keeps slow clients cheap, 64 KiB is what large replies are fastest with";
        cx.tell(Finding::new(block.read_ahead.at, Code::WrongValue, message).help(help));
    }
    ClientLimits {
        connections_max: count(block.connections.0),
        connections_per_address_max: count(block.connections_per_address.0),
        requests_per_connection_max: count(block.requests_per_connection.0),
        header_timeout: block.header_timeout,
        header_bytes_max: size(block.header.value.0),
        header_fields_max: size(block.header_fields.0),
        target_bytes_max: size(block.target.0),
        body_bytes_per_second_min: block.body_rate.0,
        idle_timeout: block.idle_timeout,
        write_timeout: block.write_timeout,
        read_ahead_bytes_max: size(block.read_ahead.value.0),
        http2_streams_max: count(block.http2_streams.0),
        http2_resets_per_second_max: count(block.http2_resets.0),
        http2_control_frames_per_second_max: count(block.http2_control_frames.0),
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A body larger than all that may be buffered could never be served.
pub(super) fn fits(key: &str, bytes: &At<Bytes>, buffered: Bytes, cx: &mut Context) {
    if bytes.value > buffered {
        let message = format!("`{key}` is larger than `limits.buffered` ({buffered})");
        cx.tell(
            Finding::new(bytes.at, Code::Conflict, message)
                .help("raise `limits.buffered`, which bounds the bodies of all requests together"),
        );
    }
}

fn log_output(output: &LogOutput, folder: &Path) -> LogOutput {
    match output {
        LogOutput::File(path) => LogOutput::File(folder.join(path)),
        LogOutput::Off => LogOutput::Off,
        LogOutput::Stdout => LogOutput::Stdout,
    }
}

fn tenant(block: &TenantBlock, scope: &Scope<'_>, cx: &mut Context) -> Tenant {
    if let Some(currency) = &block.currency {
        same_currency(currency.value, currency.at, scope.currency, cx);
    }
    let currency = block.currency.as_ref().map_or(scope.currency, |currency| currency.value);
    Tenant { timezone: block.timezone.0.clone(), currency }
}

/// There are no exchange rates, and a sum over two currencies would be wrong without anybody noticing.
fn same_currency(found: Currency, at: Position, wanted: Currency, cx: &mut Context) {
    if found != wanted {
        let message = format!("{found} here, but the file's `currency` is {wanted}, and there are no exchange rates");
        cx.tell(
            Finding::new(at, Code::CurrencyMismatch, message)
                .help(format!("give the amount in {wanted}, or set `currency: {found}`")),
        );
    }
}

pub(super) fn price(block: &PriceBlock, currency: Currency, cx: &mut Context) -> ModelPrice {
    let mut checked = |price: &At<Price>| {
        same_currency(price.value.currency(), price.at, currency, cx);
        price.value
    };
    let input = checked(&block.input);
    ModelPrice {
        input,
        output: checked(&block.output),
        cached_input: block.cached_input.as_ref().map_or(input, &mut checked),
    }
}

fn upstream(name: &At<Name>, block: &UpstreamBlock, scope: &Scope<'_>, cx: &mut Context) -> (String, Arc<Upstream>) {
    let mut seen: BTreeMap<String, Position> = BTreeMap::new();
    for endpoint in &block.endpoints.0 {
        once(&mut seen, endpoint.address.value.to_string(), endpoint.address.at, "endpoint", cx);
    }
    let timeouts = &block.timeouts;
    let addresses: Vec<&At<Address>> = block.endpoints.0.iter().map(|endpoint| &endpoint.address).collect();
    let tls = block.tls.as_ref().and_then(|tls| tls::upstream(tls, &addresses, scope, cx));
    let upstream = Upstream {
        name: name.value.as_str().into(),
        endpoints: block.endpoints.0.iter().map(upstreams::endpoint).collect(),
        balance: block.balance.0.clone(),
        protocol: block.protocol,
        tls,
        host: block.host.as_ref().map(|host| host.0.as_str().into()),
        idempotent: block.idempotent,
        retries_max: u32::try_from(block.retries.0).unwrap_or(u32::MAX),
        timeouts: Timeouts {
            connect: timeouts.connect,
            first_byte: timeouts.first_byte,
            idle: timeouts.idle,
            total: timeouts.total,
        },
        pool: upstreams::pool(&block.pool),
        health_check: block.health_check.as_ref().map(|block| upstreams::health_check(block, cx)),
        ejection: upstreams::ejection(&block.ejection, cx),
    };
    (name.value.to_string(), Arc::new(upstream))
}

/// Tells a name that was seen at another place; an alias repeats its anchor's place and is no second name.
pub(super) fn once(seen: &mut BTreeMap<String, Position>, name: String, at: Position, what: &str, cx: &mut Context) {
    match seen.get(&name) {
        Some(first) if *first != at => {
            let help = format!("the first one is in line {}", first.line);
            cx.tell(Finding::new(at, Code::DuplicateName, format!("a second {what} `{name}`")).help(help));
        }
        Some(_) => {}
        None => {
            seen.insert(name, at);
        }
    }
}

/// No two listeners may want one port.
fn addresses_differ(file: &FileBlock, cx: &mut Context) {
    let mut all: Vec<(SocketAddr, Position)> = Vec::new();
    all.extend(file.listeners.iter().flat_map(|list| &list.0).map(|block| (block.address.value, block.address.at)));
    if let OrOff::On(ops) = &file.ops {
        all.push((ops.address.value, ops.address.at));
    }
    all.push((file.admin.address.value, file.admin.address.at));
    for (i, (address, at)) in all.iter().enumerate() {
        if let Some((earlier, first)) = all.iter().take(i).find(|(earlier, _)| collide(earlier, address)) {
            // Defaults stand at the start of their block; name the address that somebody wrote.
            let (at, other) = if first > at { (first, address) } else { (at, earlier) };
            let message = format!("address {address} is taken: {other} listens there too");
            cx.tell(
                Finding::new(*at, Code::DuplicateName, message)
                    .help("listeners, `ops` and `admin` each need a port of their own"),
            );
        }
    }
}

fn collide(a: &SocketAddr, b: &SocketAddr) -> bool {
    let any = a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && a.is_ipv4() == b.is_ipv4() && (any || a.ip() == b.ip())
}
