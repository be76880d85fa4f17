//! What is found about a server's settings before money is put into it.

use crate::servers::{Program, Server};
use raptorgate_policies::store::redis::ServerFinding;

#[tokio::test]
async fn a_server_that_may_lose_money_is_told_of() {
    for program in [Program::Redis, Program::Valkey] {
        let bad = Server::with(program, &["--appendonly", "no", "--maxmemory-policy", "allkeys-lru"]);
        let evicts = ServerFinding::Evicts { policy: "allkeys-lru".into() };
        assert_eq!(bad.store().check_server().await, Ok(vec![ServerFinding::NotAppendOnly, evicts]));
        let good = Server::with(program, &["--appendonly", "yes"]);
        assert_eq!(good.store().check_server().await, Ok(vec![]));
    }
}

#[tokio::test]
async fn a_primary_that_writes_alone_and_its_replica_are_told_of() {
    let primary = Server::with(Program::Redis, &["--appendonly", "yes", "--repl-diskless-sync-delay", "0"]);
    let of = ["--appendonly", "yes", "--replicaof", "127.0.0.1"].map(str::to_owned).to_vec();
    let port = primary.port.to_string();
    let replica = Server::with(Program::Redis, &[&of[0], &of[1], &of[2], &format!("127.0.0.1 {port}")]);
    while !primary.ask::<String>(&["INFO", "replication"]).unwrap().contains("connected_slaves:1") {
        tokio::task::yield_now().await;
    }
    assert_eq!(primary.store().check_server().await, Ok(vec![ServerFinding::WritesAlone { replicas: 1 }]));
    assert_eq!(replica.store().check_server().await, Ok(vec![ServerFinding::Replica]));
    primary.ask::<String>(&["CONFIG", "SET", "min-replicas-to-write", "1"]).unwrap();
    assert_eq!(primary.store().check_server().await, Ok(vec![]));
}

#[tokio::test]
async fn a_server_that_does_not_tell_its_settings_is_told_of() {
    let server = Server::with(Program::Redis, &["--rename-command", "CONFIG", "HIDDEN"]);
    let found = server.store().check_server().await.unwrap();
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|finding| matches!(finding, ServerFinding::Silent { .. })), "{found:?}");
    assert!(found[0].to_string().contains("`appendonly`"), "{}", found[0]);
}
