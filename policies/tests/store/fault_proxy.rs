//! A TCP proxy that loses, swallows and spoils what a server answers.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong.
#[derive(Default)]
pub struct Faults {
    /// So many of the next answers are lost, and their connections with them. The server has done what it was asked.
    pub lose: AtomicU32,
    /// Answers vanish and the connections stay.
    pub swallow: AtomicBool,
    /// The first byte of so many of the next answers is another one.
    pub spoil: AtomicU32,
    /// That byte.
    pub spoil_with: AtomicU32,
    /// Before so many of the next answers comes the one before once more.
    pub repeat: AtomicU32,
    /// Connections that were made.
    pub connections: AtomicU32,
}

/// The proxy.
pub struct FaultProxy {
    pub port: u16,
    pub faults: Arc<Faults>,
}

impl FaultProxy {
    /// In front of a server on the loopback.
    pub async fn start(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (port, faults) = (listener.local_addr().unwrap().port(), Arc::new(Faults::default()));
        let shared = faults.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(carry(client, server, shared.clone()));
            }
        });
        Self { port, faults }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

/// Takes one from a count, if there is one.
fn takes(count: &AtomicU32) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

async fn carry(client: TcpStream, server: u16, faults: Arc<Faults>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else { return };
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let forward = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
    });
    let (mut buffer, mut before) = (vec![0; 65_536], Vec::new());
    while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
        if takes(&faults.lose) {
            break;
        }
        if faults.swallow.load(Ordering::SeqCst) {
            continue;
        }
        if takes(&faults.spoil) {
            buffer[0] = faults.spoil_with.load(Ordering::SeqCst) as u8;
        }
        if takes(&faults.repeat) && to_client.write_all(&before).await.is_err() {
            break;
        }
        before = buffer[..count].to_vec();
        if to_client.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    forward.abort();
}
