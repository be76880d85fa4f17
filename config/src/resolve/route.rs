//! One route with everything that holds on it, inherited blocks included.
//!
//! # Invariants
//! * A route's block replaces the inherited one whole, and `off` removes it (`a_block_replaces_the_inherited_one_whole`).

use super::{Scope, blocks, budgets, idempotency, keys, masking, price, purpose};
use crate::decode::{Context, OrOff, Some1};
use crate::model::{
    ApiFormat, Meter, OnDisconnect, OnLargeReply, PathPattern, PiiAction, PromptLeakAction, Route, RouteMatch, Segment,
};
use crate::problem::{Code, Finding, suggest};
use crate::prompt_leak;
use crate::routes::{BodyBlock, EndUserBlock, MatchBlock, MeterBlock, RouteBlock, RouteBlocks};

/// Decoded bytes for each coded one where the file has no `body` block; the same as the block's default.
const DECODE_RATIO: u32 = 100;

/// The route's own block, else the inherited one; neither if it is off.
fn inherit<'b, T>(own: &'b Option<OrOff<T>>, inherited: &'b Option<OrOff<T>>) -> Option<&'b T> {
    match own {
        Some(OrOff::On(block)) => Some(block),
        Some(OrOff::Off) => None,
        None => blocks::on(inherited),
    }
}

/// The items of a list, own or inherited.
fn lists<'b, T>(
    own: &'b Option<OrOff<Some1<T>>>,
    inherited: &'b Option<OrOff<Some1<T>>>,
) -> impl Iterator<Item = &'b T> {
    inherit(own, inherited).into_iter().flat_map(|list| &list.0)
}

/// The meaning of a route; `None` if it has no name, match or upstream, which has been told.
pub(super) fn resolve(block: &RouteBlock, scope: &Scope<'_>, cx: &mut Context) -> Option<Route> {
    let (own, inherited) = (&block.blocks, &scope.file.defaults);
    let matched = block.r#match.as_ref()?;
    let format = block.format.unwrap_or_else(|| format_by_path(&matched.path.value));
    if scope.sound {
        check_end_user(block, inherited, cx);
        check_large_reply(own, inherited, cx);
        check_budgets(block, inherited, cx);
    }
    let meter = inherit(&own.meter, &inherited.meter).and_then(|meter| resolve_meter(meter, format, block, scope, cx));
    let on_disconnect = own.on_disconnect.or(inherited.on_disconnect);
    let body = inherit(&own.body, &inherited.body);
    let limits = &scope.file.limits;
    Some(Route {
        name: block.name.as_ref()?.value.as_str().into(),
        matches: route_match(matched),
        upstream: block.upstream.as_ref()?.value.as_str().into(),
        format,
        authenticate: inherit(&own.authenticate, &inherited.authenticate).map(keys::resolve),
        end_user: inherit(&own.end_user, &inherited.end_user).map(blocks::end_user),
        execution: inherit(&own.execution, &inherited.execution).map(blocks::execution),
        idempotency: inherit(&own.idempotency, &inherited.idempotency).map(idempotency::idempotency),
        flood_limits: inherit(&own.flood_limits, &inherited.flood_limits).map(blocks::flood_limits),
        sanitize: inherit(&own.sanitize, &inherited.sanitize).map(blocks::sanitize),
        purpose: inherit(&own.purpose, &inherited.purpose).map(purpose::purpose),
        mask_pii: inherit(&own.mask_pii, &inherited.mask_pii).map(masking::mask_pii),
        prompt_leak: inherit(&own.prompt_leak, &inherited.prompt_leak).map(prompt_leak::prompt_leak),
        on_disconnect: on_disconnect.unwrap_or(if meter.is_some() {
            OnDisconnect::Finish
        } else {
            OnDisconnect::Abort
        }),
        meter,
        budgets: lists(&own.budgets, &inherited.budgets).map(budgets::budget).collect(),
        rate_limits: lists(&own.rate_limits, &inherited.rate_limits).filter_map(budgets::rate).collect(),
        fault: inherit(&own.fault, &inherited.fault).map(blocks::fault),
        compress: inherit(&own.compress, &inherited.compress).map(blocks::compress),
        request_body_bytes_max: body.and_then(|body| body.request_max.as_ref()).unwrap_or(&limits.request_body).value.0,
        request_body_timeout: body.and_then(|body| body.request_timeout).unwrap_or(limits.request_body_timeout),
        reply_bytes_max: body.and_then(|body| body.reply_max.as_ref()).unwrap_or(&limits.reply).value.0,
        decode_ratio_max: body.and_then(|body| u32::try_from(body.decode_ratio.0).ok()).unwrap_or(DECODE_RATIO),
        on_large_reply: body.map_or(OnLargeReply::Refuse, |body| body.on_large_reply.value),
        passthrough: own.passthrough.or(inherited.passthrough).unwrap_or(false),
        forward_credentials: own.forward_credentials.or(inherited.forward_credentials).unwrap_or(false),
    })
}

fn route_match(block: &MatchBlock) -> RouteMatch {
    let methods = block.methods.iter().flat_map(|methods| &methods.0).map(|method| method.value.0.to_owned()).collect();
    RouteMatch { host: block.host.clone(), path: block.path.value.clone(), methods }
}

/// Well-known paths, also below a prefix of the backend's own.
pub(crate) fn format_by_path(path: &PathPattern) -> ApiFormat {
    let literals: Vec<&str> = path
        .segments
        .iter()
        .map(|segment| match segment {
            Segment::Literal(text) => text.as_str(),
            Segment::Parameter(_) => "{}",
        })
        .collect();
    let generate = |last: &str| last.ends_with(":generateContent") || last.ends_with(":streamGenerateContent");
    match (literals.as_slice(), path.prefix) {
        ([.., "v1", "chat", "completions"], false) => ApiFormat::OpenAi,
        ([.., "v1", "responses"], false) => ApiFormat::OpenAiResponses,
        ([.., "v1", "messages"], false) => ApiFormat::Anthropic,
        ([.., "v1beta", "models"], true) | ([.., "v1beta", "models", "{}"], false) => ApiFormat::Gemini,
        ([.., last], false) if generate(last) => ApiFormat::Gemini,
        _ => ApiFormat::Json,
    }
}

fn resolve_meter(
    block: &MeterBlock,
    format: ApiFormat,
    route: &RouteBlock,
    scope: &Scope<'_>,
    cx: &mut Context,
) -> Option<Meter> {
    let format = block.format.as_ref().map_or(format, |format| format.0);
    if format == ApiFormat::Json && block.sound && route.sound {
        let name = route.name.as_ref().map(|name| name.shown()).unwrap_or_default();
        let own = blocks::on(&route.blocks.meter).map_or(route.at, |meter| meter.at);
        let message =
            format!("`meter` on route `{name}` does not know where usage stands: the route's format is `json`");
        cx.tell(
            Finding::new(own, Code::MissingBlock, message)
                .help("set `format` on the route or in `meter`, or `meter: off`"),
        );
    }
    // Problems of the price were told where the block stands.
    let quiet = &mut Context::default();
    let default_price = block.default_price.as_ref().map(|block| price(block, scope.currency, quiet));
    Some(Meter {
        format,
        request_usage: block.request_usage,
        default_price,
        output_tokens_max: block.output_tokens_max.0,
        stream_hold_tokens: block.stream_hold_tokens.as_ref().map(|tokens| tokens.0),
    })
}

/// A scope is held by keys: without keys, or without one that holds it, no request could name an end user.
fn check_end_user(route: &RouteBlock, inherited: &RouteBlocks, cx: &mut Context) {
    let Some(EndUserBlock { scope: Some(scope), .. }) = inherit(&route.blocks.end_user, &inherited.end_user) else {
        return;
    };
    let name = route.name.as_ref().map(|name| name.shown()).unwrap_or_default();
    let Some(authenticate) = inherit(&route.blocks.authenticate, &inherited.authenticate) else {
        let message = format!("`end_user.scope` needs `authenticate`, which route `{name}` does not have");
        cx.tell(
            Finding::new(scope.at, Code::MissingBlock, message)
                .help("add `authenticate`, leave out `scope`, or set `end_user: off`"),
        );
        return;
    };
    let of_keys = authenticate.api_keys.iter().flat_map(|list| &list.0).flat_map(|key| &key.scopes);
    let certificates = authenticate.client_certificates.iter().flat_map(|list| &list.0);
    let held = of_keys.chain(certificates.flat_map(|certificate| &certificate.scopes)).map(|held| held.as_str());
    if !held.clone().any(|held| held == scope.value.as_str()) {
        let message = format!("no key of route `{name}` has the scope `{}`", scope.shown());
        cx.tell(Finding::new(scope.at, Code::UnknownName, message).maybe_help(suggest(scope.value.as_str(), held)));
    }
}

/// Money needs somebody to whom it belongs, and limits somebody whom they limit.
fn check_budgets(route: &RouteBlock, inherited: &RouteBlocks, cx: &mut Context) {
    let own = &route.blocks;
    let has = budgets::Has {
        authenticate: inherit(&own.authenticate, &inherited.authenticate).is_some(),
        end_user: inherit(&own.end_user, &inherited.end_user).is_some(),
        execution: inherit(&own.execution, &inherited.execution).is_some(),
        meter: inherit(&own.meter, &inherited.meter).is_some(),
    };
    let name = route.name.as_ref().map(|name| name.shown()).unwrap_or_default();
    let (budgets, rates) = (lists(&own.budgets, &inherited.budgets), lists(&own.rate_limits, &inherited.rate_limits));
    budgets::check_needs(&name, budgets, rates, &has, cx);
    let idempotency = inherit(&own.idempotency, &inherited.idempotency);
    let execution = inherit(&own.execution, &inherited.execution);
    idempotency::check_needs(&name, idempotency, execution, has.authenticate, cx);
}

/// `block` promises that nothing passes; a large reply streamed on unseen would break the promise.
fn check_large_reply(own: &RouteBlocks, inherited: &RouteBlocks, cx: &mut Context) {
    let streams = |body: &&BodyBlock| body.on_large_reply.value == OnLargeReply::Stream;
    let Some(body) = inherit(&own.body, &inherited.body).filter(streams) else { return };
    let mask = inherit(&own.mask_pii, &inherited.mask_pii).map(masking::mask_pii);
    if mask.is_some_and(|mask| mask.response.actions().any(|action| action == PiiAction::Block)) {
        let message = "`on_large_reply: stream` would let pass what `mask_pii.response` blocks";
        let help = "use `refuse`, or `mask` or `replace` in `mask_pii.response`";
        cx.tell(Finding::new(body.on_large_reply.at, Code::Conflict, message).help(help));
    }
    let leak = inherit(&own.prompt_leak, &inherited.prompt_leak);
    if leak.is_some_and(|leak| leak.action == PromptLeakAction::Block) {
        let message = "`on_large_reply: stream` would let pass what `prompt_leak` blocks";
        let help = "use `refuse`, or `action: report` in `prompt_leak`";
        cx.tell(Finding::new(body.on_large_reply.at, Code::Conflict, message).help(help));
    }
}
