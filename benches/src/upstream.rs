//! The upstream: answers every request with the same chat completion of 1 KiB, on kept connections, in its own thread.

use crate::Failure;
use crate::wire::Reader;
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// Length of request and reply bodies.
pub const BODY_BYTES: usize = 1024;

/// Starts the upstream; it ends with the process.
pub fn start() -> Result<SocketAddr, Failure> {
    let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || runtime.block_on(serve(socket)));
    Ok(address)
}

async fn serve(socket: std::net::TcpListener) -> Result<(), std::io::Error> {
    let socket = TcpListener::from_std(socket)?;
    let reply: Arc<[u8]> = reply().into();
    loop {
        let (stream, _) = socket.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(answer(stream, reply.clone()));
    }
}

async fn answer(mut stream: TcpStream, reply: Arc<[u8]>) {
    let mut reader = Reader::default();
    while let Ok(Some(_)) = reader.next(&mut stream).await {
        if stream.write_all(&reply).await.is_err() {
            return;
        }
    }
}

fn reply() -> Vec<u8> {
    let body = padded(|text| {
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_750_000_000, "model": "gpt-4o-mini",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 210, "completion_tokens": 140, "total_tokens": 350}
        })
    });
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body.into_bytes()].concat()
}

/// A JSON body of [`BODY_BYTES`]: prose with one e-mail address, so that masking has something to replace.
pub fn padded(with_text: impl Fn(&str) -> serde_json::Value) -> String {
    let prose = "The refund for your order was booked on Monday and goes to asha@example.com within five days. ";
    let spare = BODY_BYTES.saturating_sub(with_text("").to_string().len());
    let filler = "A clerk will look at the remaining items of the list. ";
    let text: String = prose.chars().chain(filler.chars().cycle()).take(spare).collect();
    with_text(&text).to_string()
}
