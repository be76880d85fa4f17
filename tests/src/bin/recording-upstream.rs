//! `recording-upstream LOG [ADDRESS]`: listens on a free port or at an address, prints it, appends one line to LOG per
//! request served.

use raptorgate_tests::upstream::h1_server::Connection;
use raptorgate_tests::upstream::h2_server;
use raptorgate_tests::upstream::state::State;
use std::fs::OpenOptions;
use std::sync::Arc;
use tokio::net::{TcpSocket, TcpStream};

/// The first bytes of HTTP/2 that no HTTP/1.1 method begins with.
const H2_PREFACE: &[u8] = b"PRI ";

#[tokio::main(worker_threads = 2)]
async fn main() {
    let log = std::env::args().nth(1).expect("usage: recording-upstream LOG [ADDRESS]");
    let wanted = std::env::args().nth(2).unwrap_or_else(|| "127.0.0.1:0".into());
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an address that was in use");
    socket.bind(wanted.parse().expect("an address")).expect("a free port");
    // hundreds of requests come at once
    let listener = socket.listen(4096).expect("listen");
    let address = listener.local_addr().expect("an address").to_string();
    let state = Arc::new(State::new(
        address.clone(),
        OpenOptions::new().create(true).append(true).open(log).expect("open the log"),
    ));
    println!("{address}");
    loop {
        let (stream, _) = listener.accept().await.expect("accept");
        stream.set_nodelay(true).expect("nodelay");
        tokio::spawn(serve(stream, Arc::clone(&state)));
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let number = state.next_connection();
    let mut start = [0; H2_PREFACE.len()];
    loop {
        match stream.peek(&mut start).await {
            Ok(n) if n == start.len() || !H2_PREFACE.starts_with(&start[..n]) => break,
            Ok(0) | Err(_) => return,
            Ok(_) => tokio::task::yield_now().await,
        }
    }
    if start == H2_PREFACE {
        h2_server::serve(stream, number, state).await;
    } else {
        Connection::new(stream, number, &state).serve().await;
    }
}
