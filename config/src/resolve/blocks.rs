//! Blocks of routes one by one: what each means, and what is wrong with it wherever it is inherited.

use super::budgets::{self, KnownNames};
use super::keys::{self, KnownKeys};
use super::{Scope, fits, idempotency, masking, price, purpose};
use crate::decode::{Context, OrOff};
use crate::model::{
    Compress, EndUser, Execution, Fault, FaultAbort, FaultDelay, FloodLimits, Judged, Rate, ReplyCoding, Sanitize,
};
use crate::problem::{Code, Finding, Position};
use crate::prompt_leak;
use crate::routes::{
    CompressBlock, EndUserBlock, ExecutionBlock, FaultBlock, FloodBlock, RateBlock, RouteBlocks, SanitizeBlock,
};
use crate::values::Whole;
use crate::words::Words;

/// The block, unless it is absent or off.
pub(super) fn on<T>(block: &Option<OrOff<T>>) -> Option<&T> {
    match block {
        Some(OrOff::On(block)) => Some(block),
        Some(OrOff::Off) | None => None,
    }
}

/// Names that may stand once in a file.
#[derive(Default)]
pub(super) struct Known {
    keys: KnownKeys,
    stateful: KnownNames,
}

/// Checks that concern one block alone, where it stands: in `defaults` or in a route.
pub(super) fn check(blocks: &RouteBlocks, scope: &Scope<'_>, known: &mut Known, cx: &mut Context) {
    if let Some(block) = on(&blocks.authenticate) {
        keys::check(block, scope, &mut known.keys, cx);
    }
    if let Some(block) = on(&blocks.idempotency) {
        idempotency::check(block, cx);
    }
    if let Some(block) = on(&blocks.execution) {
        idempotency::check_lock(block, cx);
    }
    for block in on(&blocks.budgets).iter().flat_map(|list| &list.0) {
        budgets::check_budget(block, scope, &mut known.stateful, cx);
    }
    for block in on(&blocks.rate_limits).iter().flat_map(|list| &list.0) {
        budgets::check_rate(block, scope, &mut known.stateful, cx);
    }
    if let Some(block) = on(&blocks.flood_limits) {
        needs_one(
            block.sound && block.per_address.is_none() && block.per_key.is_none(),
            block.at,
            "`per_address` or `per_key`",
            cx,
        );
    }
    if let Some(block) = on(&blocks.fault) {
        needs_one(block.sound && block.delay.is_none() && block.abort.is_none(), block.at, "`delay` or `abort`", cx);
    }
    if let Some(block) = on(&blocks.mask_pii) {
        masking::check(block, cx);
    }
    if let Some(block) = on(&blocks.prompt_leak) {
        prompt_leak::check(block, cx);
    }
    if let Some(block) = on(&blocks.purpose) {
        purpose::check(block, cx);
    }
    if let Some(block) = on(&blocks.meter).and_then(|meter| meter.default_price.as_ref()) {
        price(block, scope.currency, cx);
    }
    if let Some(block) = on(&blocks.compress) {
        check_compress(block, cx);
    }
    if let Some(block) = on(&blocks.body) {
        let buffered = scope.file.limits.buffered;
        block.request_max.iter().for_each(|bytes| fits("body.request_max", bytes, buffered, cx));
        block.reply_max.iter().for_each(|bytes| fits("body.reply_max", bytes, buffered, cx));
    }
}

/// A coding that stands twice was meant to be another.
fn check_compress(block: &CompressBlock, cx: &mut Context) {
    let mut seen: Vec<ReplyCoding> = Vec::new();
    for coding in &block.codings.0 {
        if seen.contains(&coding.value) {
            let message = format!("a second coding `{}`", coding.value.word());
            cx.tell(Finding::new(coding.at, Code::DuplicateName, message).help("each stands once, the best one first"));
        }
        seen.push(coding.value);
    }
}

pub(super) fn compress(block: &CompressBlock) -> Compress {
    Compress {
        codings: block.codings.0.iter().map(|coding| coding.value).collect(),
        bytes_min: block.min_bytes.0,
        types: block.types.0.clone(),
    }
}

/// A block that does nothing was meant to do something.
pub(super) fn needs_one(empty: bool, at: Position, what: &str, cx: &mut Context) {
    if empty {
        cx.tell(
            Finding::new(at, Code::MissingKey, format!("nothing is given here: it needs {what}"))
                .help("`off` removes an inherited block"),
        );
    }
}

pub(super) fn end_user(block: &EndUserBlock) -> EndUser {
    EndUser { id: block.id.clone(), scope: block.scope.as_ref().map(|scope| scope.value.as_str().into()) }
}

pub(super) fn execution(block: &ExecutionBlock) -> Execution {
    Execution { id: block.id.clone(), lock: idempotency::lock(block) }
}

pub(super) fn flood_limits(block: &FloodBlock) -> FloodLimits {
    FloodLimits { per_address: block.per_address.as_ref().map(rate), per_key: block.per_key.as_ref().map(rate) }
}

fn rate(block: &RateBlock) -> Rate {
    Rate { requests: u32::try_from(block.requests.0).unwrap_or(u32::MAX), window: block.window }
}

pub(super) fn sanitize(block: &SanitizeBlock) -> Sanitize {
    let percent = |threshold: &Whole<1, 100>| u8::try_from(threshold.0).unwrap_or(100);
    let user = Judged { action: block.action, threshold_percent: percent(&block.threshold) };
    let tools = block.tools.as_ref().map_or(user, |tools| Judged {
        action: tools.action.unwrap_or(user.action),
        threshold_percent: tools.threshold.as_ref().map_or(user.threshold_percent, percent),
    });
    Sanitize { user, tools, shadow: block.shadow }
}

pub(super) fn fault(block: &FaultBlock) -> Fault {
    Fault {
        delay: block.delay.as_ref().map(|delay| FaultDelay { percent: delay.percent.0, duration: delay.duration }),
        abort: block
            .abort
            .as_ref()
            .map(|abort| FaultAbort { percent: abort.percent.0, status: u16::try_from(abort.status.0).unwrap_or(500) }),
    }
}
