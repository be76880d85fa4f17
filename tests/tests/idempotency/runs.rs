//! What is run, and what is answered without.

use super::*;

/// Many at once with one key, half of them over HTTP/2.
async fn crowd(stage: &Stage, request: &Request, count: usize) -> Vec<Reply> {
    let mut all = Vec::new();
    for n in 0..count {
        let (address, request) = (stage.gateway.address(), request.clone());
        all.push(tokio::spawn(async move {
            if n % 2 == 0 {
                return send(address, request).await;
            }
            raptorgate_tests::h2_client::H2::connect(address).await.send(&request).await.expect("a reply")
        }));
    }
    stage.upstream.until_waiting("gate").await;
    stage.upstream.release("gate").await;
    let mut replies = Vec::new();
    for one in all {
        replies.push(one.await.expect("a task"));
    }
    replies
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_are_one_call_and_one_charge() {
    let stage = Stage::set("").await;
    for (id, request) in [("json", chat("k-json", "json")), ("sse", stream("k-sse", "sse"))] {
        let replies = crowd(&stage, &request.header("x-test-first", "gate"), 100).await;
        assert_eq!(replies.iter().filter(|reply| !is_replay(reply)).count(), 1, "{id}: one is the first");
        for reply in &replies {
            assert_eq!(told(reply), told(&replies[0]), "{id}");
        }
        stage.upstream.record(id).await;
        stage.is_charged_once("asha").await;
        if id == "sse" {
            assert_eq!(replies[0].header("content-type"), "text/event-stream");
            assert_eq!(replies[0].events().last().map(String::as_str), Some("[DONE]"));
        }
    }
    stage.counted(&["new"], 2).await;
    stage.counted(&["waited", "replayed"], 198).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_runs_once_however_often_it_is_sent() {
    let stage = Stage::set("").await;
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut calls = Vec::new();
    for n in 0..300 {
        let (id, address) = (format!("call-{n}"), stage.gateway.address());
        let request = if n % 3 == 0 { stream(&id, &id) } else { chat(&id, &id) };
        // before, during and after the first: the backend takes its time over the words
        let request = request.header("x-test-text", "four words of answer").header("x-test-word-ms", "2");
        let after: Vec<u64> = (0..random.u64(1..=5)).map(|_| random.u64(0..60)).collect();
        calls.push(tokio::spawn(async move {
            let mut sent = Vec::new();
            for millis in after {
                let request = request.clone();
                sent.push(tokio::spawn(async move {
                    tokio::time::interval_at(tokio::time::Instant::now() + Duration::from_millis(millis), PATIENCE)
                        .tick()
                        .await;
                    send(address, request).await
                }));
            }
            let mut replies = Vec::new();
            for one in sent {
                replies.push(one.await.expect("a task"));
            }
            replies
        }));
    }
    for (n, call) in calls.into_iter().enumerate() {
        let replies = call.await.expect("a call");
        assert_eq!(replies.iter().filter(|reply| !is_replay(reply)).count(), 1, "call {n}");
        for reply in &replies {
            assert_eq!(told(reply), told(&replies[0]), "call {n}");
            assert_eq!(reply.status, 200);
        }
    }
    stage.calls(300).await;
    let mut ids: Vec<String> =
        stage.upstream.records().iter().map(|r| r["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 300, "each once");
    stage.is_charged_once("asha").await;
}

#[tokio::test]
async fn a_reply_outlives_the_gateway() {
    let mut stage = Stage::set("").await;
    let requests = [chat("k1", "json"), stream("k2", "sse"), tool("k3", "tool").header("x-test-reply", "204")];
    let mut before = Vec::new();
    for request in &requests {
        before.push(stage.gateway.send(request).await);
    }
    assert_eq!(before[2].status, 204);
    let text = before[0].json()["choices"][0]["message"]["content"].as_str().expect("a text").to_owned();
    stage.gateway.kill_and_restart().await;
    for (request, first) in requests.iter().zip(&before) {
        let again = stage.gateway.send(request).await;
        assert!(is_replay(&again) && !is_replay(first));
        assert_eq!(told(&again), told(first));
        assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    }
    stage.calls(3).await;
    stage.is_charged_once("asha").await;
    // what was said is not on the disk, and the key is its owner's alone
    let mut files = vec![stage.gateway.folder().join("data")];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).expect("a folder").map(|e| e.expect("an entry").path()));
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            assert!(!bytes.windows(text.len()).any(|w| w == text.as_bytes()), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn another_request_with_the_key_is_refused() {
    let stage = Stage::set("").await;
    let first = stage.gateway.send(&tool("\"k\"", "first")).await;
    assert_eq!(first.status, 200);
    assert!(is_replay(&stage.gateway.send(&tool("k", "first")).await), "with and without quotes it is one key");
    let body = keyed(Request::post("/tools/pay", r#"{"amount":6}"#), "k", "body");
    let path = keyed(Request::post("/tools/pay?twice=1", r#"{"amount":5}"#), "k", "path");
    let method = tool("k", "method").method("PATCH");
    for other in [body, path, method] {
        assert_eq!(code(&stage.gateway.send(&other).await), (422, "idempotency_mismatch".to_owned()));
    }
    stage.calls(1).await;
    stage.counted(&["mismatch"], 3).await;
}

#[tokio::test]
async fn keys_of_others_do_not_meet() {
    let stage = Stage::set("").await;
    let by = |user: &str| {
        Request::post("/tools/pay", r#"{"amount":5}"#)
            .header("authorization", format!("Bearer {user}"))
            .header("idempotency-key", "k")
            .header("x-test-id", "any")
    };
    let all =
        [by("asha"), by("ravi"), by("eve"), by("asha").header("x-end-user", "a"), by("asha").header("x-end-user", "b")];
    for request in &all {
        assert!(!is_replay(&stage.gateway.send(request).await));
    }
    for request in &all {
        assert!(is_replay(&stage.gateway.send(request).await));
    }
    stage.calls(all.len()).await;
    // the same key on another route is another key
    assert!(!is_replay(&stage.gateway.send(&chat("k", "chat")).await));
}

#[tokio::test]
async fn a_key_that_is_no_key_is_refused() {
    let stage = Stage::set("required: true").await;
    for bad in ["\"", "\"\"", "\"a", &"k".repeat(256)] {
        assert_eq!(code(&stage.gateway.send(&tool(bad, "bad")).await), (400, "invalid_identifier".to_owned()), "{bad}");
    }
    let none = Request::post("/tools/pay", "{}").header("authorization", "Bearer asha");
    assert_eq!(code(&stage.gateway.send(&none).await), (400, "idempotency_key_missing".to_owned()));
    let get = Request::get("/tools/list").header("authorization", "Bearer asha");
    assert_eq!(stage.gateway.send(&get).await.status, 200, "a GET needs none");
    let with_key = get.header("idempotency-key", "k");
    for _ in 0..2 {
        assert!(!is_replay(&stage.gateway.send(&with_key).await), "nor has it one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_is_told_to_come_back() {
    for rules in ["on_duplicate: reject", "wait_max: 100ms"] {
        let stage = Stage::set(rules).await;
        let request = chat("k", "one").header("x-test-first", "gate");
        let first = tokio::spawn(send(stage.gateway.address(), request.clone()));
        stage.upstream.until_waiting("gate").await;
        let second = stage.gateway.send(&request).await;
        assert_eq!(code(&second), (409, "idempotency_in_progress".to_owned()));
        assert_eq!(second.header("retry-after"), "1");
        stage.upstream.release("gate").await;
        let first = first.await.expect("a task");
        assert_eq!(told(&stage.gateway.send(&request).await), told(&first));
        stage.upstream.record("one").await;
        stage.counted(&["in_progress"], 1).await;
        stage.is_charged_once("asha").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_wait_outlives_its_client() {
    let stage = Stage::set("wait_max: 10m").await;
    let request = tool("k", "one").header("x-test-await", "gate");
    let first = tokio::spawn(send(stage.gateway.address(), request.clone()));
    stage.upstream.until_waiting("gate").await;
    let mut waiting = stage.gateway.h1().await;
    waiting.begin(&request).await;
    let in_flight = |count: f64| {
        let gateway = &stage.gateway;
        move || async move { (gateway.metric("raptorgate_in_flight_requests").await == count).then_some(()) }
    };
    until("the second waits", SOON, in_flight(2.0)).await;
    drop(waiting);
    until("it is gone with its client", SOON, in_flight(1.0)).await;
    stage.upstream.release("gate").await;
    assert_eq!(first.await.expect("a task").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_one_execution_run_one_after_another() {
    let blocks = "    execution: { id: 'header:x-run', lock: true, lock_wait: 300ms }\n";
    let stage = Stage::with("", blocks, "").await;
    let step = |id: &str, run: &str| {
        let request = Request::post("/tools/step", "{}").header("authorization", "Bearer asha");
        request.header("x-run", run).header("x-test-id", id).header("x-test-await", id)
    };
    let first = tokio::spawn(send(stage.gateway.address(), step("one", "run")));
    stage.upstream.until_waiting("one").await;
    let refused = stage.gateway.send(&step("two", "run")).await;
    assert_eq!(code(&refused), (409, "execution_locked".to_owned()));
    assert!(!refused.header("retry-after").is_empty());
    let other = tokio::spawn(send(stage.gateway.address(), step("other", "another run")));
    stage.upstream.release("other").await;
    assert_eq!(other.await.expect("a task").status, 200, "another run has its own turn");
    let unnamed = Request::post("/tools/step", "{}").header("authorization", "Bearer asha");
    assert_eq!(stage.gateway.send(&unnamed).await.status, 200, "who names no run waits for nobody");
    stage.upstream.release("one").await;
    assert_eq!(first.await.expect("a task").status, 200);
    let second = tokio::spawn(send(stage.gateway.address(), step("two", "run")));
    stage.upstream.release("two").await;
    assert_eq!(second.await.expect("a task").status, 200);
    stage.upstream.record("two").await;
}
