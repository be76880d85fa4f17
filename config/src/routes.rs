//! What the file may hold in routes and in `defaults`.

use crate::budgets::{BudgetBlock, RateLimitBlock};
use crate::certificate_names::CommonName;
use crate::certificates::SubjectAltName;
use crate::decode::{At, OrOff, Some1};
use crate::idempotency::IdempotencyBlock;
use crate::masking::MaskBlock;
use crate::model::{
    ApiFormat, HostPattern, MediaRange, OnDisconnect, OnLargeReply, PathPattern, ReplyCoding, SanitizeAction, Source,
};
use crate::patterns::Method;
use crate::prompt_leak::PromptLeakBlock;
use crate::purpose::PurposeBlock;
use crate::schema::PriceBlock;
use crate::shape::{block, words};
use crate::units::Secret;
use crate::values::{Bytes, Label, Name, Percent, Sha256Hex, Whole};
use std::time::Duration;

block! {
    /// What is served at a path, by which upstream, and what holds there.
    pub(crate) struct RouteBlock {
        /// Its name in logs, metrics and errors; unique in the file.
        name: At<Name> = needed,
        /// Which requests it takes.
        r#match: MatchBlock = needed,
        /// Name of the upstream that answers.
        upstream: At<Name> = needed,
        /// Shape of bodies and error replies. If left out, by path: `…/v1/chat/completions` is `openai`, `…/v1/responses`
        /// `openai_responses`, `…/v1/messages` `anthropic`, `…:generateContent` and `/v1beta/models/*` `gemini`, others `json`.
        format: ApiFormat = optional,
        blocks: RouteBlocks = flatten,
    }
}

block! {
    /// Which requests a route takes.
    pub(crate) struct MatchBlock {
        /// `/a` exact, `/a/*` prefix, `/*` all, `/users/{user_id}` template.
        path: At<PathPattern> = required,
        /// Methods; any if left out.
        methods: Some1<At<Method>> = optional,
        /// `api.x.in` or `*.x.in`; any if left out.
        host: HostPattern = optional,
    }
}

block! {
    /// Blocks that every route inherits unless it has its own, or `off`.
    pub(crate) struct RouteBlocks {
        /// Who may call. Left out: everybody.
        authenticate: OrOff<AuthenticateBlock> = optional,
        /// On whose behalf a service key acts.
        end_user: OrOff<EndUserBlock> = optional,
        /// Which agent run a request belongs to. Left out: each request is its own.
        execution: OrOff<ExecutionBlock> = optional,
        /// Requests that may be sent again and run once, by the header `Idempotency-Key`. Left out: the header means nothing here.
        idempotency: OrOff<IdempotencyBlock> = optional,
        /// Limits of this process at the head of a request, before anything else is looked at.
        flood_limits: OrOff<FloodBlock> = optional,
        /// Prompt sanitization: role markers, override phrases and hidden text in user, tool and document text.
        sanitize: OrOff<SanitizeBlock> = optional,
        /// What the route is for, told by examples. Left out: anything.
        purpose: OrOff<PurposeBlock> = optional,
        /// Masking of personal data in both directions.
        mask_pii: OrOff<MaskBlock> = optional,
        /// Replies that give away the system prompt of their request.
        prompt_leak: OrOff<PromptLeakBlock> = optional,
        /// Counting of tokens and cost.
        meter: OrOff<MeterBlock> = optional,
        /// What may be spent, and by whom. All of a request's budgets hold, or it is refused.
        budgets: OrOff<Some1<BudgetBlock>> = optional,
        /// How much may come in a time, and from whom. A refused request is charged to none of them.
        rate_limits: OrOff<Some1<RateLimitBlock>> = optional,
        /// Faults made on purpose, to see what callers do.
        fault: OrOff<FaultBlock> = optional,
        /// Bounds of bodies on this route.
        body: OrOff<BodyBlock> = optional,
        /// Compression of replies for clients that accept it. Left out: replies go as they come.
        compress: OrOff<CompressBlock> = optional,
        /// What a vanished client means for the upstream. Left out: `finish` on metered routes, else `abort`.
        on_disconnect: OnDisconnect = optional,
        /// WebSocket upgrades pass untouched although the route has body guards. Left out: `false`.
        passthrough: bool = optional,
        /// Send the caller's credentials to the upstream. Left out: `false`.
        forward_credentials: bool = optional,
    }
}

block! {
    /// Who may call: `api_keys`, `client_certificates`, or both. A key that is sent decides alone; without one, the certificate does.
    pub(crate) struct AuthenticateBlock {
        /// Keys that are accepted, as `Authorization: Bearer` or `x-api-key`.
        api_keys: Some1<ApiKeyBlock> = optional,
        /// Client certificates that are accepted, of connections to listeners that ask for them. The first that matches counts.
        client_certificates: Some1<ClientCertificateBlock> = optional,
    }
}

block! {
    /// Whose client certificate it is: exactly one of `sha256`, `san` and `subject`. Who may have issued it is said by the listener's
    /// `tls.client_certificates`.
    pub(crate) struct ClientCertificateBlock {
        /// Its name in logs, of which no API key has the same. It may be repeated on other routes, for the same certificate.
        id: At<Name> = required,
        /// SHA-256 of the whole certificate (DER), 64 hexadecimal digits.
        sha256: At<Sha256Hex> = optional,
        /// A subject alternative name that it must have: URI, host name, e-mail or IP address.
        san: At<SubjectAltName> = optional,
        /// The common name (CN) that its subject must have.
        subject: At<CommonName> = optional,
        /// Name of the tenant.
        tenant: At<Name> = required,
        /// The certificate's holder.
        user: Label = required,
        /// Price tier.
        tier: Label = optional,
        /// Price region.
        region: Label = optional,
        /// What the holder may do; told to the upstream.
        scopes: Vec<Label> = default("[]"),
    }
}

block! {
    /// One API key: exactly one of `sha256` and `key`.
    pub(crate) struct ApiKeyBlock {
        /// Its name in logs. It may be repeated on other routes, for the same key.
        id: At<Name> = required,
        /// SHA-256 of the key's text, 64 hexadecimal digits.
        sha256: At<Sha256Hex> = optional,
        /// The key's text, best as `${NAME}` or `${file:path}`.
        key: At<Secret> = optional,
        /// Name of the tenant.
        tenant: At<Name> = required,
        /// The key's owner.
        user: Label = required,
        /// Price tier.
        tier: Label = optional,
        /// Price region.
        region: Label = optional,
        /// What the key may do; told to the upstream.
        scopes: Vec<Label> = default("[]"),
    }
}

block! {
    /// On whose behalf a service key acts.
    pub(crate) struct EndUserBlock {
        /// Where the name stands: `header:x-user`, `json:$.user`.
        id: Source = required,
        /// Scope that a key needs to name an end user; left out: every key may.
        scope: At<Label> = optional,
    }
}

block! {
    /// Which agent run a request belongs to.
    pub(crate) struct ExecutionBlock {
        /// Where the id stands: `header:x-execution-id`, `json:$.metadata.run`.
        id: Source = required,
        /// Whether requests of the same user that name the same run are run one at a time, on all routes with this lock.
        lock: At<bool> = default("false"),
        /// How long a request waits for the one before it, up to `10m`; beyond: 409 `execution_locked`.
        lock_wait: At<Duration> = default("30s"),
    }
}

block! {
    /// Limits at the head of a request; at least one.
    pub(crate) struct FloodBlock {
        /// Per client address.
        per_address: RateBlock = optional,
        /// Per presented API key, before it is known to be valid; per client certificate where no key is sent.
        per_key: RateBlock = optional,
    }
}

block! {
    /// So many requests in a window; a burst of the same size is let through.
    pub(crate) struct RateBlock {
        /// Requests.
        requests: Whole<1, 4_294_967_295> = required,
        /// Window.
        window: Duration = required,
    }
}

block! {
    /// Prompt sanitization.
    pub(crate) struct SanitizeBlock {
        /// What happens with a finding.
        action: SanitizeAction = default("strip"),
        /// Score in percent from which on a text counts as an attack. At 50 about one in a hundred harmless texts that speak of such things is
        /// taken for one, and very few others.
        threshold: Whole<1, 100> = default("50"),
        /// The same for what tools answered and documents hold; what stands above where it is left out.
        tools: SanitizeToolsBlock = optional,
        /// Change and refuse nothing: count what would have been found.
        shadow: bool = default("false"),
    }
}

block! {
    /// Texts of tools and documents.
    pub(crate) struct SanitizeToolsBlock {
        /// What happens with a finding.
        action: SanitizeAction = optional,
        /// Score in percent from which on a text counts as an attack.
        threshold: Whole<1, 100> = optional,
    }
}

block! {
    /// Counting of tokens and cost.
    pub(crate) struct MeterBlock {
        /// Where usage stands in replies; the route's `format` if left out.
        format: UsageFormat = optional,
        /// Ask an OpenAI-shaped upstream for usage at the end of streams when the client did not.
        request_usage: bool = default("true"),
        /// Price of models that `prices` does not name; left out: they cost nothing and are counted as unpriced.
        default_price: PriceBlock = optional,
        /// Tokens that an answer is believed to have at most where the request does not say. On routes with hard budgets a request
        /// that says nothing is given this maximum, so that no answer costs more than is held for it.
        output_tokens_max: Whole<1, 10_000_000> = default("4096"),
        /// Hold money for so many tokens of a streamed answer at a time instead of for all it may have. More is held while it
        /// passes; a stream whose budget has no more ends with the finish reason `length`.
        stream_hold_tokens: Whole<1, 10_000_000> = optional,
    }
}

block! {
    /// Faults made on purpose; at least one.
    pub(crate) struct FaultBlock {
        /// Wait before the request goes on.
        delay: DelayBlock = optional,
        /// Answer with an error instead.
        abort: AbortBlock = optional,
    }
}

block! {
    /// A delay for a share of requests.
    pub(crate) struct DelayBlock {
        /// Share of requests, 0 to 100.
        percent: Percent = required,
        /// How long.
        duration: Duration = required,
    }
}

block! {
    /// An error for a share of requests.
    pub(crate) struct AbortBlock {
        /// Share of requests, 0 to 100.
        percent: Percent = required,
        /// Status of the error.
        status: Whole<400, 599> = required,
    }
}

block! {
    /// Bounds of bodies on a route.
    pub(crate) struct BodyBlock {
        /// Largest request body, 413 beyond; `limits.request_body` if left out.
        request_max: At<Bytes> = optional,
        /// Time a client may take to send a whole buffered body, 408 beyond; `limits.request_body_timeout` if left out.
        request_timeout: Duration = optional,
        /// Largest reply held back for inspection; `limits.reply` if left out.
        reply_max: At<Bytes> = optional,
        /// Decoded bytes for each coded one of a compressed body that a filter reads, beyond its first 64 KiB: a request gets
        /// 413 beyond, a reply 502.
        decode_ratio: Whole<1, 100_000> = default("100"),
        /// What becomes of a larger reply than `reply_max`.
        on_large_reply: At<OnLargeReply> = default("refuse"),
    }
}

block! {
    /// Compression of replies, after all filters, by the client's `Accept-Encoding`. Replies that reflect what somebody else may
    /// choose beside a secret must not be compressed (BREACH).
    pub(crate) struct CompressBlock {
        /// Codings that are offered; the first that the client likes best is taken.
        codings: Some1<At<ReplyCoding>> = default("[zstd, br, gzip]"),
        /// Replies known to be shorter stay as they are.
        min_bytes: Bytes = default("1 KiB"),
        /// Content types that are compressed, as `type/subtype` or `type/*`. `text/event-stream` only if it stands here itself: each
        /// event is then flushed as it comes.
        types: Some1<MediaRange> = default("[text/*, application/json, application/x-ndjson, application/javascript, application/xml, image/svg+xml]"),
    }
}

words!(ReplyCoding {
    "zstd" => ReplyCoding::Zstd, "RFC 8878";
    "br" => ReplyCoding::Brotli, "RFC 7932";
    "gzip" => ReplyCoding::Gzip, "RFC 1952";
});

words!(ApiFormat {
    "openai" => ApiFormat::OpenAi, "OpenAI chat completions";
    "openai_responses" => ApiFormat::OpenAiResponses, "OpenAI responses";
    "anthropic" => ApiFormat::Anthropic, "Anthropic messages";
    "gemini" => ApiFormat::Gemini, "Gemini generateContent";
    "json" => ApiFormat::Json, "any JSON: every string value is text";
});

/// A format whose replies have a known place for usage.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct UsageFormat(pub ApiFormat);

words!(UsageFormat {
    "openai" => UsageFormat(ApiFormat::OpenAi), "OpenAI chat completions";
    "openai_responses" => UsageFormat(ApiFormat::OpenAiResponses), "OpenAI responses";
    "anthropic" => UsageFormat(ApiFormat::Anthropic), "Anthropic messages";
    "gemini" => UsageFormat(ApiFormat::Gemini), "Gemini generateContent";
});

words!(SanitizeAction {
    "strip" => SanitizeAction::Strip, "cut the finding out, again until nothing is found";
    "block" => SanitizeAction::Block, "refuse the request";
    "neutralise" => SanitizeAction::Neutralise, "put the text between two lines that nobody else can write, and take the force from chat-template tokens and role markers in it";
    "flag" => SanitizeAction::Flag, "leave the text, and tell the upstream: `x-raptorgate-injection: 93; override, prompt_leak`";
    "report" => SanitizeAction::Report, "leave the text, and count";
});

words!(OnDisconnect {
    "abort" => OnDisconnect::Abort, "cancel the upstream at once";
    "finish" => OnDisconnect::Finish, "read the reply to its end, so that its usage is known";
});

words!(OnLargeReply {
    "refuse" => OnLargeReply::Refuse, "502 `reply_too_large`";
    "stream" => OnLargeReply::Stream, "streamed on without the checks that need the whole reply";
});
