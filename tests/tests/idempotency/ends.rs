//! What is kept of a request, by the way it ended.

use super::*;

#[tokio::test]
async fn a_reply_that_is_too_large_is_not_kept() {
    let stage = Stage::set("reply_bytes_max: 2 KiB").await;
    for (key, size, kept) in [("small", "1000", true), ("large", "2100", false)] {
        let request = tool(key, key).header("x-test-reply", "padded").header("x-test-size", size);
        let first = stage.gateway.send(&request).await;
        assert_eq!((first.status, first.ending), (200, Ending::Whole), "the first gets all of it");
        let again = stage.gateway.send(&request).await;
        match kept {
            true => assert_eq!(told(&again), told(&first)),
            false => assert_eq!(code(&again), (409, "result_not_stored".to_owned())),
        }
        stage.upstream.record(key).await;
    }
    stage.counted(&["not_stored"], 1).await;
}

#[tokio::test]
async fn errors_of_the_upstream_are_kept_and_its_no_is_not() {
    let stage = Stage::set("").await;
    let status = |status: &str| tool(status, status).header("x-test-reply", "status").header("x-test-status", status);
    for kept in ["200", "400", "404", "500", "502", "504"] {
        let first = stage.gateway.send(&status(kept)).await;
        assert_eq!(first.status.to_string(), kept);
        let again = stage.gateway.send(&status(kept)).await;
        assert!(is_replay(&again), "{kept}");
        assert_eq!(told(&again), told(&first));
    }
    for not_served in ["429", "503"] {
        for times in 1..=2 {
            assert_eq!(stage.gateway.send(&status(not_served)).await.status.to_string(), not_served);
            let asked = || async { (stage.upstream.records_of(not_served).len() == times).then_some(()) };
            until(&format!("{not_served} is tried again"), SOON, asked).await;
        }
    }
}

#[tokio::test]
async fn a_reply_that_breaks_is_not_kept() {
    let stage = Stage::set("").await;
    let broken = stream("k1", "broken").header("x-test-text", "one two three").header("x-test-break-after", "2");
    assert_eq!(stage.gateway.send(&broken).await.ending, Ending::Cut);
    let before = stage.account("asha").await;
    assert_eq!(code(&stage.gateway.send(&broken).await), (409, "result_not_stored".to_owned()));
    stage.upstream.record("broken").await;
    assert_eq!(stage.account("asha").await, before, "what passed is charged once");
}

#[tokio::test]
async fn what_nobody_knows_of_is_run_again_only_if_the_client_says_so() {
    let stage = Stage::set("").await;
    let nothing = tool("k", "nothing").header("x-test-reply", "nothing");
    assert_eq!(code(&stage.gateway.send(&nothing).await), (502, "upstream_reset".to_owned()));
    for _ in 0..2 {
        assert_eq!(code(&stage.gateway.send(&nothing).await), (409, "execution_unknown".to_owned()));
    }
    stage.upstream.record("nothing").await;
    let again = tool("k", "again").header("x-raptorgate-retry-unknown", "true");
    let ran = stage.gateway.send(&again).await;
    assert!(ran.status == 200 && !is_replay(&ran));
    assert!(is_replay(&stage.gateway.send(&tool("k", "again")).await), "from then on its reply is known");
    let records = stage.upstream.records();
    let fence =
        |r: &Value| r["headers"]["x-raptorgate-fence"].as_str().and_then(|f| f.parse::<u64>().ok()).expect("a fence");
    assert!(fence(&records[1]) > fence(&records[0]), "the upstream can tell the later one");
    stage.counted(&["unknown"], 2).await;
}

#[tokio::test]
async fn what_was_not_sent_frees_its_key() {
    let mut stage = Stage::set("").await;
    let blocked = tool("k", "one");
    stage.upstream.kill();
    for _ in 0..2 {
        assert_eq!(code(&stage.gateway.send(&blocked).await), (502, "upstream_connect_failed".to_owned()));
    }
    stage.upstream.restart();
    assert_eq!(stage.gateway.send(&blocked).await.status, 200);
    let dear =
        json!({"model": "gpt-4o-mini", "max_tokens": 10_000_000, "messages": [{"role": "user", "content": "x"}]});
    let refused = keyed(Request::post("/v1/chat/completions", dear.to_string()), "k2", "dear");
    assert_eq!(code(&stage.gateway.send(&refused).await), (402, "budget_exceeded".to_owned()));
    assert_eq!(stage.gateway.send(&chat("k2", "cheap")).await.status, 200, "a refused request leaves no key behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_during_the_first_run_asks_again() {
    let stage = Stage::set("").await;
    for (id, request) in [("json", chat("k1", "json")), ("sse", stream("k2", "sse")), ("tool", tool("k3", "tool"))] {
        let gate = if id == "tool" { "x-test-await" } else { "x-test-first" };
        let request = request.header(gate, "gate");
        let mut connection = stage.gateway.h1().await;
        connection.begin(&request).await;
        stage.upstream.until_waiting("gate").await;
        drop(connection);
        let address = stage.gateway.address();
        let again = tokio::spawn(send(address, request.clone()));
        stage.upstream.release("gate").await;
        let again = again.await.expect("a task");
        assert!(again.status == 200 && is_replay(&again), "{id}");
        assert_eq!(stage.upstream.record(id).await["end"], "whole");
        assert_eq!(told(&stage.gateway.send(&request).await), told(&again));
    }
    stage.is_charged_once("asha").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_what_was_sent_is_unknown_and_what_was_not_is_run() {
    let mut stage = Stage::with("", "", ", pool: { requests_max: 1, pending_timeout: 60s }").await;
    let sent = chat("sent", "sent").header("x-test-first", "gate");
    let waiting = chat("waiting", "waiting");
    let mut connections = Vec::new();
    for request in [&sent, &waiting] {
        let mut connection = stage.gateway.h1().await;
        connection.begin(request).await;
        connections.push(connection);
        let held = connections.len() as f64;
        let open = || async { (stage.gateway.metric("raptorgate_holds_open").await >= held).then_some(()) };
        until("it is held", SOON, open).await;
    }
    let working =
        || async { (stage.gateway.metric("raptorgate_upstream_requests_waiting").await >= 1.0).then_some(()) };
    until("one works, one waits for room", SOON, working).await;
    stage.gateway.kill_and_restart().await;
    assert_eq!(code(&stage.gateway.send(&sent).await), (409, "execution_unknown".to_owned()));
    let ran = stage.gateway.send(&waiting).await;
    assert!(ran.status == 200 && !is_replay(&ran), "{}", ran.text());
    stage.upstream.record("waiting").await;
    assert!(is_replay(&stage.gateway.send(&waiting).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_replayed_was_masked_and_is_not_compressed_twice() {
    let blocks = "    mask_pii: { response: { email: replace } }\n    compress: { min_bytes: 1 B }\n";
    let stage = Stage::with("", blocks, "").await;
    let request = chat("k", "one").header("x-test-text", "write to asha@example.in soon");
    let coded = request.clone().header("accept-encoding", "gzip");
    let first = stage.gateway.send(&coded).await;
    assert_eq!(first.header("content-encoding"), "gzip");
    let again = stage.gateway.send(&request).await;
    assert!(is_replay(&again) && again.header("content-encoding").is_empty());
    assert_eq!(again.json()["choices"][0]["message"]["content"], "write to [EMAIL] soon");
    stage.is_charged_once("asha").await;
}

#[tokio::test]
async fn an_error_is_kept_over_a_kill() {
    let mut stage = Stage::set("").await;
    let failed = chat("k", "failed").header("x-test-reply", "status").header("x-test-status", "500");
    let first = stage.gateway.send(&failed).await;
    assert_eq!(first.status, 500);
    stage.gateway.kill_and_restart().await;
    assert_eq!(told(&stage.gateway.send(&failed).await), told(&first));
    stage.upstream.record("failed").await;
}
