//! What the file may hold, outside of routes: the blocks from which decoder, JSON Schema and manual derive.

use crate::budgets::StoreBlock;
use crate::certificate_names::HostName;
use crate::decode::{At, Map, OrOff, Some1};
use crate::model::{Address, ClientCertificateMode, LogOutput, TlsVersion, UpstreamProtocol, Verification};
use crate::routes::{RouteBlock, RouteBlocks};
use crate::shape::{block, words};
use crate::units::{Currency, Price, Secret};
use crate::upstreams::{BalanceChoice, DnsBlock, EjectionBlock, HealthCheckBlock, HostField, PoolBlock};
use crate::values::{Bytes, FilePath, Label, Name, Network, OrZero, TimeZone, Whole};
use std::net::SocketAddr;
use std::time::Duration;

block! {
    /// A configuration is one YAML document with these keys.
    pub(crate) struct FileBlock {
        /// Version of this format.
        version: Whole<1, 1> = needed,
        /// Addresses on which requests are accepted.
        listeners: Some1<ListenerBlock> = needed,
        /// The ops listener: `/metrics`, `/livez`, `/readyz`. `off`: none.
        ops: OrOff<OpsBlock> = default("{}"),
        /// The admin listener: API and reload.
        admin: AdminBlock = default("{}"),
        /// Currency of prices and totals.
        currency: At<Currency> = default("INR"),
        /// Networks of the proxies before this gateway, such as `10.0.0.0/8`. What they say about a client (`X-Forwarded-For`,
        /// `Forwarded`, PROXY header) is believed; what others say is dropped.
        trusted_proxies: Vec<Network> = default("[]"),
        /// Bounds that hold for the whole process, and defaults for routes.
        limits: LimitsBlock = default("{}"),
        /// What happens on SIGTERM.
        shutdown: ShutdownBlock = default("{}"),
        /// One JSON line per request.
        access_log: AccessLogBlock = default("{}"),
        /// Where money, limits and keys are kept. Left out: in the folder `data` beside this file, if a route needs it.
        store: StoreBlock = optional,
        /// The customers, by name.
        tenants: Map<Name, TenantBlock> = default("{}"),
        /// Price of each model, by the name that the upstream reports.
        prices: Map<Label, PriceBlock> = default("{}"),
        /// The backends, by name.
        upstreams: Map<Name, UpstreamBlock> = needed,
        /// How host names of endpoints are looked up.
        dns: DnsBlock = default("{}"),
        /// Blocks that every route inherits. A route's own block of that name replaces the inherited one whole; `off` removes it.
        defaults: RouteBlocks = default("{}"),
        /// What is served. The most specific match wins, wherever it stands.
        routes: Some1<RouteBlock> = needed,
    }
}

block! {
    /// An address on which requests are accepted, HTTP/1.1 and HTTP/2.
    pub(crate) struct ListenerBlock {
        /// IP address and port; port 0 picks a free one.
        address: At<SocketAddr> = required,
        /// TLS. Certificates may be added, renewed and removed while the gateway runs; turning TLS on or off needs a restart.
        tls: TlsBlock = optional,
        /// Connections begin with a PROXY header, version 1 or 2, which names the client; others are closed.
        /// Needs `trusted_proxies`, and is believed from these alone.
        proxy_protocol: At<bool> = default("false"),
    }
}

block! {
    /// TLS of a listener: one `certificate` and its `key`, or a list of `certificates`. The files are watched like this one.
    pub(crate) struct TlsBlock {
        /// File of the certificate chain, PEM, leaf first. Relative paths start in the folder of the configuration file.
        certificate: At<FilePath> = optional,
        /// File of the private key, PEM, not encrypted.
        key: At<FilePath> = optional,
        /// Several certificates. The name that a client asks for (SNI) chooses among the host names in them: the exact name
        /// before `*.x.in`; of two with different kinds of key, the first that the client understands. A client that names no
        /// host, or an unknown one, gets the first certificate.
        certificates: Some1<CertificateBlock> = optional,
        /// Certificates of clients. Left out: none is asked for.
        client_certificates: ClientCertificatesBlock = optional,
        /// Oldest version that is spoken.
        min_version: TlsVersion = default("\"1.2\""),
    }
}

block! {
    /// A certificate of a listener.
    pub(crate) struct CertificateBlock {
        /// File of the certificate chain, PEM, leaf first.
        certificate: At<FilePath> = required,
        /// File of its private key, PEM, not encrypted.
        key: At<FilePath> = required,
    }
}

block! {
    /// Certificates of clients. What one stands for is said by `authenticate.client_certificates`.
    pub(crate) struct ClientCertificatesBlock {
        /// File of the authorities that may have issued them, PEM.
        ca: At<FilePath> = required,
        /// Whether a client needs one. A certificate of another authority, or one that has expired, is refused in the handshake
        /// either way.
        mode: ClientCertificateMode = default("required"),
    }
}

block! {
    /// The ops listener.
    pub(crate) struct OpsBlock {
        /// IP address and port.
        address: At<SocketAddr> = default("127.0.0.1:9902"),
    }
}

block! {
    /// The admin listener.
    pub(crate) struct AdminBlock {
        /// IP address and port.
        address: At<SocketAddr> = default("127.0.0.1:9901"),
        /// Bearer token. Empty or left out: one is generated and printed at start.
        token: At<Secret> = optional,
        /// Values of `Host` that are answered besides the listener's own address and `localhost`.
        hosts: Vec<Label> = default("[]"),
    }
}

block! {
    /// Bounds that hold for the whole process, and defaults for routes.
    pub(crate) struct LimitsBlock {
        /// Bytes of bodies buffered over all requests; beyond it new ones get 503 `overloaded`.
        buffered: Bytes = default("256 MiB"),
        /// Default for routes: largest request body, 413 beyond.
        request_body: At<Bytes> = default("10 MiB"),
        /// Default for routes: time a client may take to send a whole buffered body, 408 beyond.
        request_body_timeout: Duration = default("30s"),
        /// Default for routes: largest reply held back for inspection.
        reply: At<Bytes> = default("4 MiB"),
        /// Deepest nesting of JSON that is read.
        json_depth: Whole<1, 512> = default("64"),
        /// Open client connections; further ones get 503 and are closed.
        connections: Whole<1, 1_000_000> = default("10000"),
        /// Open connections from one address; proxies that are trusted are not counted.
        connections_per_address: Whole<1, 1_000_000> = default("1024"),
        /// Requests on one HTTP/1.1 connection, which is then closed.
        requests_per_connection: Whole<1, 1_000_000> = default("10000"),
        /// Time for a request's whole head, 408 beyond; for TLS handshakes too.
        header_timeout: Duration = default("10s"),
        /// Size of a request's head, 431 beyond.
        header: At<Bytes> = default("32 KiB"),
        /// Fields of a request's head, 431 beyond.
        header_fields: Whole<1, 256> = default("100"),
        /// Size of a request's target (path and query), 414 beyond.
        target: Bytes = default("8 KiB"),
        /// Bytes per second with which a request's body must come, 408 below; time in which nothing was asked for does not count. 0: any.
        body_rate: Whole<0, 1_000_000_000> = default("500"),
        /// How long a connection may stand idle between requests.
        idle_timeout: Duration = default("60s"),
        /// How long a client may take nothing of its reply before it counts as gone.
        write_timeout: Duration = default("30s"),
        /// Bytes of a reply that are read from an HTTP/1.1 upstream at once, and then not further until the client has taken
        /// them: 4 KiB to 64 KiB. A slow client costs about three times as much; more makes large replies cheaper. A client
        /// that has taken 4 MiB without a pause of a second gets 64 KiB at once.
        read_ahead: At<Bytes> = default("4 KiB"),
        /// Requests at once on an HTTP/2 connection.
        http2_streams: Whole<1, 10_000> = default("100"),
        /// Streams of an HTTP/2 connection that its client may reset in a second; beyond it the connection ends.
        http2_resets: Whole<1, 1_000_000> = default("200"),
        /// Frames of an HTTP/2 connection in a second that carry nothing (PING, SETTINGS, empty DATA, …); beyond it the connection ends.
        http2_control_frames: Whole<1, 1_000_000> = default("1000"),
    }
}

block! {
    /// What happens on SIGTERM.
    pub(crate) struct ShutdownBlock {
        /// How long requests in flight may still take.
        drain: OrZero = default("30s"),
    }
}

block! {
    /// The access log.
    pub(crate) struct AccessLogBlock {
        /// `stdout`, `off`, or `file:` and a path.
        output: At<LogOutput> = default("stdout"),
    }
}

block! {
    /// A customer.
    pub(crate) struct TenantBlock {
        /// IANA name of the time zone in which this tenant's days and months begin.
        timezone: TimeZone = default("UTC"),
        /// Currency of this tenant's totals; the file's `currency` if left out.
        currency: At<Currency> = optional,
    }
}

block! {
    /// Price of one model per million tokens.
    pub(crate) struct PriceBlock {
        /// Input tokens.
        input: At<Price> = required,
        /// Output tokens.
        output: At<Price> = required,
        /// Input tokens read from the provider's cache; the price of `input` if left out.
        cached_input: At<Price> = optional,
    }
}

block! {
    /// A backend.
    pub(crate) struct UpstreamBlock {
        /// Its addresses. Every address that a name stands for is an endpoint.
        endpoints: Some1<EndpointBlock> = required,
        /// Which endpoint is asked.
        balance: BalanceChoice = default("round_robin"),
        /// Protocol that is spoken to it.
        protocol: UpstreamProtocol = default("http1"),
        /// TLS towards it. Left out: none.
        tls: UpstreamTlsBlock = optional,
        /// Value of `Host` (HTTP/2: `:authority`) that it gets. Left out: what the client asked for.
        host: HostField = optional,
        /// The upstream itself removes duplicates, so that a request already sent may be sent again.
        idempotent: bool = default("false"),
        /// Attempts beyond the first.
        retries: Whole<0, 10> = default("2"),
        /// How long each part of an exchange may take.
        timeouts: TimeoutsBlock = default("{}"),
        /// Bounds of what is sent to it at once.
        pool: PoolBlock = default("{}"),
        /// Endpoints are asked how they are. Left out: they are not.
        health_check: HealthCheckBlock = optional,
        /// Endpoints that fail requests are left out for a while.
        ejection: OrOff<EjectionBlock> = default("{}"),
    }
}

block! {
    /// An address of an upstream.
    pub(crate) struct EndpointBlock {
        /// Host name or IP address, and port.
        address: At<Address> = required,
        /// Its share of the requests, against the weights of the others. With a name, each of its addresses has it.
        weight: Whole<1, 1_000> = default("1"),
    }
}

block! {
    /// TLS towards an upstream, 1.2 or 1.3. The files are watched like this one.
    pub(crate) struct UpstreamTlsBlock {
        /// Name that is asked for (SNI) and that its certificate must hold. Left out: each endpoint's host.
        server_name: HostName = optional,
        /// File of the authorities that may have issued its certificate, PEM. Left out: those of the system.
        ca: At<FilePath> = optional,
        /// File of the certificate chain that the gateway shows, PEM, leaf first.
        client_certificate: At<FilePath> = optional,
        /// File of its private key, PEM, not encrypted.
        client_key: At<FilePath> = optional,
        /// Whether its certificate is verified: `false` lets anybody on the way pose as the upstream.
        verify: Verification = default("true"),
    }
}

block! {
    /// Time-outs towards an upstream; each has its own error code.
    pub(crate) struct TimeoutsBlock {
        /// To connect.
        connect: Duration = default("5s"),
        /// From the request sent to the first byte of the reply.
        first_byte: Duration = default("120s"),
        /// Between two reads of the reply's body.
        idle: Duration = default("60s"),
        /// From the request accepted to its end.
        total: Duration = default("10m"),
    }
}

words!(UpstreamProtocol {
    "http1" => UpstreamProtocol::Http1, "HTTP/1.1";
    "http2" => UpstreamProtocol::Http2, "HTTP/2; without TLS with prior knowledge";
});

words!(TlsVersion {
    "1.2" => TlsVersion::Tls12, "TLS 1.2 and 1.3";
    "1.3" => TlsVersion::Tls13, "TLS 1.3 alone";
});

words!(ClientCertificateMode {
    "optional" => ClientCertificateMode::Optional, "a client may show one";
    "required" => ClientCertificateMode::Required, "without one the handshake fails";
});

words!(Verification {
    "true" => Verification::On, "the certificate must be valid for the name and of a known authority";
    "false" => Verification::Off, "any certificate is taken";
});
