//! What holds on a route, as YAML: inherited blocks in place, defaults filled in, secrets as `***`.
//!
//! # Invariants
//! * Loaded again, the text means the same route, but for the secrets (`what_holds_on_a_route_means_the_same_when_loaded`).

use crate::amounts::{money_text, price_text};
use crate::emit::{Yaml, emit, map, text, word};
use crate::masking::{Direction, MaskWord, THRESHOLD_PERCENT};
use crate::media::media_text;
use crate::model::{
    ApiKey, Authenticate, Budget, CertificateMatch, ClientCertificate, Compress, Config, Counted, Dns, Ejection,
    EndUser, Execution, Fault, FloodLimits, HealthCheck, Idempotency, JsonPath, JsonPaths, Judged, MaskPii, Masking,
    Meter, ModelPrice, OwnPattern, PiiAction, Pool, PromptLeak, Purpose, Rate, RateLimit, Route, RouteMatch, Sanitize,
    Upstream, UpstreamTls,
};
use crate::patterns::{host_text, json_path_text, path_text, source_text};
use crate::source::MASK;
use crate::upstreams::{balance_text, status_text};
use crate::values::{bytes_text, duration_text};
use crate::words::Words;

/// YAML of everything that holds on a route and of its upstream; `None` if there is no such route.
pub fn effective(config: &Config, route: &str) -> Option<String> {
    let route = config.routes.iter().find(|candidate| &*candidate.name == route)?;
    let upstream = config.upstreams.get(&*route.upstream)?;
    let whole = map([
        ("dns", dns(&config.dns)),
        ("upstreams", map([(&*upstream.name, upstream_yaml(upstream))])),
        ("routes", Yaml::List(vec![route_yaml(route)])),
    ]);
    Some(format!(
        "# What holds on route `{}`, with everything inherited. Secrets are {MASK}.\n{}",
        route.name,
        emit(&whole)
    ))
}

fn upstream_yaml(upstream: &Upstream) -> Yaml {
    let timeouts = &upstream.timeouts;
    let endpoints = upstream
        .endpoints
        .iter()
        .map(|endpoint| map([("address", text(endpoint.address.to_string())), ("weight", word(endpoint.weight))]));
    let keys = [
        ("endpoints", Yaml::List(endpoints.collect())),
        ("balance", balance_text(&upstream.balance).map_or_else(|key| map([("hash", text(key))]), word)),
        ("protocol", word(upstream.protocol.word())),
        ("idempotent", word(upstream.idempotent)),
        ("retries", word(upstream.retries_max)),
        (
            "timeouts",
            map([
                ("connect", text(duration_text(timeouts.connect))),
                ("first_byte", text(duration_text(timeouts.first_byte))),
                ("idle", text(duration_text(timeouts.idle))),
                ("total", text(duration_text(timeouts.total))),
            ]),
        ),
        ("pool", pool(&upstream.pool)),
        ("ejection", or_off(&upstream.ejection, ejection)),
    ];
    let tls = maybe("tls", upstream.tls.as_ref().map(upstream_tls));
    let host = maybe("host", upstream.host.as_deref().map(text));
    let check = maybe("health_check", upstream.health_check.as_ref().map(health_check));
    map(keys.into_iter().chain(tls).chain(host).chain(check))
}

fn dns(dns: &Dns) -> Yaml {
    map([
        ("servers", Yaml::List(dns.servers.iter().map(|server| text(server.to_string())).collect())),
        ("refresh", text(duration_text(dns.refresh))),
        ("timeout", text(duration_text(dns.timeout))),
        ("stale_max", text(duration_text(dns.stale_max))),
        ("family", word(dns.family.word())),
    ])
}

fn pool(pool: &Pool) -> Yaml {
    map([
        ("requests_max", word(pool.requests_max)),
        ("pending_max", word(pool.pending_max)),
        ("pending_timeout", text(duration_text(pool.pending_timeout))),
        ("idle_timeout", text(duration_text(pool.idle_timeout))),
        ("streams_max", word(pool.streams_max)),
    ])
}

fn health_check(check: &HealthCheck) -> Yaml {
    let all = [
        Some(("path", text(&*check.path))),
        Some(("interval", text(duration_text(check.interval)))),
        Some(("timeout", text(duration_text(check.timeout)))),
        Some(("healthy_after", word(check.healthy_after))),
        Some(("unhealthy_after", word(check.unhealthy_after))),
        Some(("expect_status", Yaml::List(check.expect_status.iter().map(|s| word(status_text(*s))).collect()))),
        maybe("host", check.host.as_deref().map(text)),
    ];
    map(all.into_iter().flatten())
}

fn ejection(ejection: &Ejection) -> Yaml {
    map([
        ("consecutive_failures", word(ejection.consecutive_failures)),
        ("open_for", text(duration_text(ejection.open_for))),
        ("open_max", text(duration_text(ejection.open_max))),
        ("max_ejected", word(ejection.max_ejected_percent)),
        ("slow_start", text(duration_text(ejection.slow_start))),
    ])
}

fn upstream_tls(tls: &UpstreamTls) -> Yaml {
    let client = tls.client_certificate.as_deref();
    let all = [
        maybe("server_name", tls.server_name.as_deref().map(text)),
        maybe("ca", tls.authorities.as_deref().map(|ca| text(ca.file()))),
        maybe("client_certificate", client.map(|pair| text(pair.file()))),
        maybe("client_key", client.map(|pair| text(pair.key_file()))),
        Some(("verify", word(tls.verify.word()))),
    ];
    map(all.into_iter().flatten())
}

fn route_yaml(route: &Route) -> Yaml {
    map([
        ("name", text(&*route.name)),
        ("match", match_yaml(&route.matches)),
        ("upstream", text(&*route.upstream)),
        ("format", word(route.format.word())),
        ("authenticate", or_off(&route.authenticate, authenticate)),
        ("end_user", or_off(&route.end_user, end_user)),
        ("execution", or_off(&route.execution, execution)),
        ("idempotency", or_off(&route.idempotency, idempotency)),
        ("flood_limits", or_off(&route.flood_limits, flood_limits)),
        ("sanitize", or_off(&route.sanitize, sanitize)),
        ("purpose", or_off(&route.purpose, purpose)),
        ("mask_pii", or_off(&route.mask_pii, mask_pii)),
        ("prompt_leak", or_off(&route.prompt_leak, prompt_leak)),
        ("meter", or_off(&route.meter, meter)),
        ("budgets", list_or_off(&route.budgets, budget)),
        ("rate_limits", list_or_off(&route.rate_limits, rate_limit)),
        ("fault", or_off(&route.fault, fault)),
        (
            "body",
            map([
                ("request_max", text(bytes_text(route.request_body_bytes_max))),
                ("request_timeout", text(duration_text(route.request_body_timeout))),
                ("reply_max", text(bytes_text(route.reply_bytes_max))),
                ("decode_ratio", word(route.decode_ratio_max)),
                ("on_large_reply", word(route.on_large_reply.word())),
            ]),
        ),
        ("compress", or_off(&route.compress, compress)),
        ("on_disconnect", word(route.on_disconnect.word())),
        ("passthrough", word(route.passthrough)),
        ("forward_credentials", word(route.forward_credentials)),
    ])
}

fn or_off<T>(block: &Option<T>, yaml: fn(&T) -> Yaml) -> Yaml {
    block.as_ref().map_or(word("off"), yaml)
}

fn list_or_off<T>(items: &[T], yaml: fn(&T) -> Yaml) -> Yaml {
    if items.is_empty() { word("off") } else { Yaml::List(items.iter().map(yaml).collect()) }
}

fn budget(budget: &Budget) -> Yaml {
    map([
        ("name", text(&*budget.name)),
        ("per", word(budget.per.word())),
        ("limit", text(money_text(budget.limit))),
        ("window", word(budget.window.word())),
        ("enforce", word(budget.enforce.word())),
    ])
}

fn rate_limit(limit: &RateLimit) -> Yaml {
    let (key, value, window) = match limit.counts {
        Counted::Requests(requests, window) => ("requests", word(requests), Some(window)),
        Counted::Tokens(tokens, window) => ("tokens", word(tokens), Some(window)),
        Counted::Cost(cost, window) => ("cost", text(money_text(cost)), Some(window)),
        Counted::Concurrent(count) => ("concurrent", word(count), None),
    };
    let keys = [("name", text(&*limit.name)), ("per", word(limit.per.word())), (key, value)];
    map(keys.into_iter().chain(maybe("window", window.map(|window| text(duration_text(window))))))
}

/// A key that is left out if there is nothing to say.
fn maybe(key: &str, value: Option<Yaml>) -> Option<(&str, Yaml)> {
    value.map(|value| (key, value))
}

fn match_yaml(matches: &RouteMatch) -> Yaml {
    let methods = (!matches.methods.is_empty()).then(|| Yaml::List(matches.methods.iter().map(text).collect()));
    let all = [
        Some(("path", text(path_text(&matches.path)))),
        maybe("methods", methods),
        maybe("host", matches.host.as_ref().map(|host| text(host_text(host)))),
    ];
    map(all.into_iter().flatten())
}

fn authenticate(block: &Authenticate) -> Yaml {
    let keys = (!block.api_keys.is_empty()).then(|| Yaml::List(block.api_keys.iter().map(api_key).collect()));
    let certificates = block.client_certificates.iter().map(client_certificate).collect::<Vec<_>>();
    let certificates = (!certificates.is_empty()).then_some(Yaml::List(certificates));
    map([maybe("api_keys", keys), maybe("client_certificates", certificates)].into_iter().flatten())
}

fn client_certificate(certificate: &ClientCertificate) -> Yaml {
    let holds = match &certificate.holds {
        CertificateMatch::Sha256(hash) => ("sha256", text(hex(hash))),
        CertificateMatch::San(name) => ("san", text(name.to_string())),
        CertificateMatch::Subject(name) => ("subject", text(name)),
    };
    let all = [
        Some(("id", text(&*certificate.id))),
        Some(holds),
        Some(("tenant", text(&*certificate.tenant))),
        Some(("user", text(&*certificate.user))),
        maybe("tier", certificate.tier.as_deref().map(text)),
        maybe("region", certificate.region.as_deref().map(text)),
        Some(("scopes", Yaml::List(certificate.scopes.iter().map(|scope| text(&**scope)).collect()))),
    ];
    map(all.into_iter().flatten())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn api_key(key: &ApiKey) -> Yaml {
    let all = [
        Some(("id", text(&*key.id))),
        // The hash of a short key would give it away.
        Some(("sha256", text(MASK))),
        Some(("tenant", text(&*key.tenant))),
        Some(("user", text(&*key.user))),
        maybe("tier", key.tier.as_deref().map(text)),
        maybe("region", key.region.as_deref().map(text)),
        Some(("scopes", Yaml::List(key.scopes.iter().map(|scope| text(&**scope)).collect()))),
    ];
    map(all.into_iter().flatten())
}

fn end_user(block: &EndUser) -> Yaml {
    let scope = maybe("scope", block.scope.as_deref().map(text));
    map([Some(("id", text(source_text(&block.id)))), scope].into_iter().flatten())
}

fn execution(block: &Execution) -> Yaml {
    let all = [
        Some(("id", text(source_text(&block.id)))),
        Some(("lock", word(block.lock.is_some()))),
        maybe("lock_wait", block.lock.map(|lock| text(duration_text(lock.wait_max)))),
    ];
    map(all.into_iter().flatten())
}

fn idempotency(block: &Idempotency) -> Yaml {
    map([
        ("on_duplicate", word(block.on_duplicate.word())),
        ("wait_max", text(duration_text(block.wait_max))),
        ("keep", text(duration_text(block.keep))),
        ("reply_bytes_max", text(bytes_text(block.reply_bytes_max as u64))),
        ("lease", text(duration_text(block.lease))),
        ("required", word(block.required)),
        ("methods", Yaml::List(block.methods.iter().map(text).collect())),
    ])
}

fn flood_limits(block: &FloodLimits) -> Yaml {
    let all = [
        maybe("per_address", block.per_address.as_ref().map(rate)),
        maybe("per_key", block.per_key.as_ref().map(rate)),
    ];
    map(all.into_iter().flatten())
}

fn rate(rate: &Rate) -> Yaml {
    map([("requests", word(rate.requests)), ("window", text(duration_text(rate.window)))])
}

fn sanitize(block: &Sanitize) -> Yaml {
    let judged =
        |judged: Judged| [("action", word(judged.action.word())), ("threshold", word(judged.threshold_percent))];
    let rest = [("tools", map(judged(block.tools))), ("shadow", word(block.shadow))];
    map(judged(block.user).into_iter().chain(rest))
}

fn purpose(block: &Purpose) -> Yaml {
    let labels = block.labels.iter().map(|label| {
        let examples = Yaml::List(label.examples.iter().map(text).collect());
        (label.name.as_str(), map([("examples", examples), ("action", word(label.action.word()))]))
    });
    map([("labels", map(labels)), ("shadow", word(block.shadow))])
}

fn mask_pii(block: &MaskPii) -> Yaml {
    let direction = |masking: &Masking| {
        let types = masking
            .types
            .iter()
            .map(|masked| (masked.kind.name(), pii_action(masked.action, masked.threshold_percent)));
        (!masking.types.is_empty()).then(|| map(types))
    };
    let all = [
        maybe("request", direction(&block.request)),
        maybe("response", direction(&block.response)),
        (!block.allow.is_empty()).then(|| ("allow", Yaml::List(block.allow.iter().map(text).collect()))),
        maybe("patterns", own_patterns(block)),
        maybe("key", block.key.as_ref().map(|_| text(MASK))),
        Some(("query", word(block.query))),
        maybe("json_paths", json_paths(&block.paths)),
    ];
    map(all.into_iter().flatten())
}

fn json_paths(paths: &JsonPaths) -> Option<Yaml> {
    let list = |paths: &[JsonPath]| Yaml::List(paths.iter().map(|path| text(json_path_text(path))).collect());
    (*paths != JsonPaths::default()).then(|| map([("only", list(&paths.only)), ("skip", list(&paths.skip))]))
}

fn own_patterns(block: &MaskPii) -> Option<Yaml> {
    let (request, response) = (&block.request.patterns, &block.response.patterns);
    let mut all: Vec<&OwnPattern> = request.iter().collect();
    all.extend(response.iter().filter(|pattern| !request.contains(pattern)));
    let one = |pattern: &OwnPattern| {
        let direction = match (request.contains(pattern), response.contains(pattern)) {
            (true, false) => Direction::Request,
            (false, true) => Direction::Response,
            (_, _) => Direction::Both,
        };
        map([
            ("name", text(&pattern.name)),
            ("regex", text(&pattern.regex)),
            ("action", pii_action(pattern.action, THRESHOLD_PERCENT)),
            ("direction", word(direction.word())),
        ])
    };
    (!all.is_empty()).then(|| Yaml::List(all.into_iter().map(one).collect()))
}

fn pii_action(action: PiiAction, threshold_percent: u8) -> Yaml {
    let (action, keep_last) = match action {
        PiiAction::Mask { keep_last } => (MaskWord::Mask, Some(keep_last)),
        PiiAction::Replace => (MaskWord::Replace, None),
        PiiAction::Hash => (MaskWord::Hash, None),
        PiiAction::Tokenize => (MaskWord::Tokenize, None),
        PiiAction::Block => (MaskWord::Block, None),
        PiiAction::Report => (MaskWord::Report, None),
    };
    let threshold = (threshold_percent != THRESHOLD_PERCENT).then_some(threshold_percent);
    if keep_last.is_none() && threshold.is_none() {
        return word(action.word());
    }
    let all = [
        Some(("action", word(action.word()))),
        maybe("keep_last", keep_last.map(word)),
        maybe("threshold", threshold.map(word)),
    ];
    map(all.into_iter().flatten())
}

fn prompt_leak(block: &PromptLeak) -> Yaml {
    let canary = maybe("canary", block.canary.as_ref().map(|_| text(MASK)));
    map([("action", word(block.action.word()))].into_iter().chain(canary))
}

fn meter(block: &Meter) -> Yaml {
    let all = [
        Some(("format", word(block.format.word()))),
        Some(("request_usage", word(block.request_usage))),
        Some(("output_tokens_max", word(block.output_tokens_max))),
        maybe("stream_hold_tokens", block.stream_hold_tokens.map(word)),
        maybe("default_price", block.default_price.as_ref().map(price)),
    ];
    map(all.into_iter().flatten())
}

fn price(price: &ModelPrice) -> Yaml {
    map([
        ("input", text(price_text(price.input))),
        ("output", text(price_text(price.output))),
        ("cached_input", text(price_text(price.cached_input))),
    ])
}

fn compress(block: &Compress) -> Yaml {
    map([
        ("codings", Yaml::List(block.codings.iter().map(|coding| word(coding.word())).collect())),
        ("min_bytes", text(bytes_text(block.bytes_min))),
        ("types", Yaml::List(block.types.iter().map(|range| text(media_text(range))).collect())),
    ])
}

fn fault(block: &Fault) -> Yaml {
    let delay = block
        .delay
        .map(|delay| map([("percent", word(delay.percent)), ("duration", text(duration_text(delay.duration)))]));
    let abort = block.abort.map(|abort| map([("percent", word(abort.percent)), ("status", word(abort.status))]));
    map([maybe("delay", delay), maybe("abort", abort)].into_iter().flatten())
}
