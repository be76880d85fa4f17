//! Clients that ask for a large reply and read its first bytes: what each costs the gateway in memory, and that it costs
//! others nothing.

use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::Request;
use raptorgate_tests::machine;
use raptorgate_tests::poll::{SOON, until};
use std::cell::Cell;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Clients that do not read, at once.
const READERS: usize = 200;
/// Bytes of each reply.
const REPLY_BYTES: usize = 8 << 20;
/// Most that one may cost, of resident memory. An optimised build takes 62 KiB (docs/performance.md); here it is measured
/// without optimisation, where the state of a request alone is larger by 6 KiB, and the rest is room for chance.
const RESIDENT_BYTES_MAX: u64 = 84 << 10;
/// The same over HTTP/2, with a connection for each.
const RESIDENT_BYTES_MAX_H2: u64 = 132 << 10;
/// Bytes of one piece: `limits.read_ahead`.
const PIECE_BYTES: f64 = 4096.0;

/// Replies of 8 MiB, written as fast as they are taken.
async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(serve(connection));
        }
    });
    address
}

async fn serve(mut connection: TcpStream) -> std::io::Result<()> {
    let start = format!("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {REPLY_BYTES}\r\n\r\n");
    let (piece, mut head) = ([b'x'; 64 << 10], Vec::new());
    while connection.read_buf(&mut head).await? > 0 {
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        head.clear();
        connection.write_all(start.as_bytes()).await?;
        for _ in 0..REPLY_BYTES / piece.len() {
            connection.write_all(&piece).await?;
        }
    }
    Ok(())
}

async fn gateway() -> Gateway {
    Gateway::start(&format!(
        "{}limits: {{ write_timeout: 120s }}
upstreams: {{ backend: {{ endpoints: [{{ address: \"{}\" }}] }} }}
routes:
  - {{ name: all, match: {{ path: /* }}, upstream: backend, format: json }}
",
        listeners(),
        upstream().await
    ))
    .await
}

const H1: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A connection with windows so large that only the socket holds the reply back.
fn h2() -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x00\x80\x00\x00"); // SETTINGS: streams of 8 MiB
    bytes.extend(b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x01\x00\x00\x00"); // WINDOW_UPDATE: 16 MiB
    bytes.extend(b"\x00\x00\x06\x01\x05\x00\x00\x00\x01\x82\x86\x84\x01\x01a"); // HEADERS: GET / of host `a`
    bytes
}

/// Sends a request, reads the first bytes of its reply, and no more.
async fn slow_reader(gateway: SocketAddr, request: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut connection = socket.connect(gateway).await.expect("connect");
    connection.write_all(request).await.expect("write");
    let read = connection.read(&mut [0; 64]).await.expect("read");
    assert!(read > 0, "the gateway closed");
    connection
}

/// Resident bytes of the gateway, once they stay as they are.
async fn settled(gateway: &Gateway) -> u64 {
    let (last, same) = (Cell::new(0), Cell::new(0));
    until("memory stays as it is", SOON, async || {
        let now = machine::resident_bytes(gateway.pid());
        same.set(if now == last.replace(now) { same.get() + 1 } else { 0 });
        (same.get() >= 100).then_some(now)
    })
    .await
}

async fn cost(request: &[u8], most: u64) {
    let gateway = gateway().await;
    assert_eq!(gateway.send(&Request::get("/")).await.body.len(), REPLY_BYTES);
    let mut readers = Vec::new();
    for _ in 0..READERS / 2 {
        readers.push(slow_reader(gateway.address(), request).await);
    }
    // what the first ones cost beside is there once: threads, pages of code, tables that grew
    let before = settled(&gateway).await;
    for _ in 0..READERS / 2 {
        readers.push(slow_reader(gateway.address(), request).await);
    }
    // how much of a piece is left depends on how much the sockets took
    until("they are held back", SOON, async || {
        (gateway.metric("raptorgate_read_ahead_bytes").await >= READERS as f64 * PIECE_BYTES / 16.0).then_some(())
    })
    .await;
    let each = settled(&gateway).await.saturating_sub(before) / (READERS as u64 / 2);
    assert!(each <= most, "each slow reader costs {each} bytes, more than {most}");
    let ahead = gateway.metric("raptorgate_read_ahead_bytes").await;
    assert!(ahead <= READERS as f64 * PIECE_BYTES * 2.0, "{ahead} bytes are read ahead");
    let other = gateway.send(&Request::get("/")).await;
    assert_eq!(other.body.len(), REPLY_BYTES, "who reads is served");
    drop(readers);
    until("what they held is given back", SOON, async || {
        (gateway.metric("raptorgate_read_ahead_bytes").await == 0.0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_readers_cost_little() {
    cost(H1, RESIDENT_BYTES_MAX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_readers_over_http2_cost_little() {
    cost(&h2(), RESIDENT_BYTES_MAX_H2).await;
}
