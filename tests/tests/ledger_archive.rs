//! `raptorgate ledger archive` against a running gateway: what leaves the store is in files, verified, and one chain with what
//! is left; whenever it is killed.

use raptorgate_tests::gateway::{ADMIN_TOKEN, Gateway, binary, listeners};
use raptorgate_tests::h1::Request;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::redis::Redis;
use raptorgate_tests::upstream::Upstream;
use raptorgate_tests::upstream::record::sha256_hex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

struct Stage {
    _upstream: Upstream,
    _redis: Option<Redis>,
    gateway: Gateway,
    archive: TempDir,
}

/// What a command said.
struct Said {
    code: Option<i32>,
    out: String,
    error: String,
}

impl Stage {
    async fn set(redis: Option<Redis>) -> Self {
        let upstream = Upstream::start();
        let store = redis.as_ref().map_or_else(String::new, |redis| {
            format!(
                "store: {{ redis: {{ urls: [\"{}\"], response_timeout: 5s, connect_timeout: 5s }} }}\n",
                redis.url()
            )
        });
        let keys: Vec<String> = ["acme", "other"]
            .iter()
            .map(|t| format!("{{ id: {t}-key, sha256: '{}', tenant: {t}, user: asha }}", sha256_hex(t.as_bytes())))
            .collect();
        let yaml = format!(
            "{}{store}tenants: {{ acme: {{}}, other: {{}} }}
prices: {{ gpt-4o-mini: {{ input: 10.00 INR, output: 100.00 INR }} }}
upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}], retries: 0 }} }}
routes:
  - name: chat
    match: {{ path: /v1/chat/completions }}
    upstream: agents
    authenticate: {{ api_keys: [{}] }}
    meter: {{}}
    budgets: [{{ name: b, per: user, limit: 100.00 INR, window: total }}]
",
            listeners(),
            upstream.address(),
            keys.join(", ")
        );
        let archive = tempfile::tempdir().expect("a folder");
        Self { _upstream: upstream, _redis: redis, gateway: Gateway::start(&yaml).await, archive }
    }

    /// Requests of a tenant, each of which is two entries.
    async fn ask(&self, tenant: &str, count: usize) {
        let body = json!({"model": "gpt-4o-mini", "max_tokens": 5, "messages": [{"role": "user", "content": "one"}]});
        let before = self.head(tenant).await;
        for _ in 0..count {
            let request = Request::post("/v1/chat/completions", body.to_string())
                .header("authorization", format!("Bearer {tenant}"));
            assert_eq!(self.gateway.send(&request).await.status, 200);
        }
        let due = before + 2 * count as u64;
        until("the store is told", SOON, async || (self.head(tenant).await == due).then_some(())).await;
    }

    async fn head(&self, tenant: &str) -> u64 {
        let page = self.gateway.admin(Request::get(format!("/api/v1/ledger/{tenant}/entries?limit=1"))).await.json();
        page["head"]["version"].as_u64().unwrap_or_else(|| panic!("no head in {page}"))
    }

    fn command(&self, arguments: &[&str], crash: &str) -> Said {
        let output = Command::new(binary())
            .arg("ledger")
            .args(arguments)
            .args(["--admin", &format!("http://{}", self.gateway.admin)])
            .env("RAPTORGATE_ADMIN_TOKEN", ADMIN_TOKEN)
            .env("RAPTORGATE_CRASH", crash)
            .output()
            .expect("run raptorgate");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { code: output.status.code(), out: text(&output.stdout), error: text(&output.stderr) }
    }

    /// Runs a command that is to succeed.
    fn well(&self, arguments: &[&str]) -> String {
        let said = self.command(arguments, "");
        assert_eq!((said.code, said.error.as_str()), (Some(0), ""), "{arguments:?}: {}", said.out);
        said.out
    }

    fn folder(&self) -> &str {
        self.archive.path().to_str().expect("a path")
    }

    /// The lines of all files of a tenant, in the order of their names.
    fn archived(&self, tenant: &str) -> String {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(self.archive.path()).expect("read the folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if name.starts_with(&format!("{tenant}-")) && name.ends_with(".jsonl") {
                files.insert(name, std::fs::read_to_string(&path).expect("read a file"));
            }
        }
        files.into_values().collect()
    }
}

fn sha256sum(folder: &Path) {
    let check = Command::new("sh").args(["-c", "sha256sum --strict -c *.sha256"]).current_dir(folder).output();
    let check = check.expect("run sha256sum");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}

async fn what_is_archived_and_what_is_left_are_the_whole_ledger(redis: Option<Redis>) {
    let mut stage = Stage::set(redis).await;
    stage.ask("acme", 6).await;
    stage.ask("other", 2).await;
    let folder = stage.folder().to_owned();
    let whole = stage.well(&["export", "--tenant", "acme"]);
    assert_eq!(whole.lines().count(), 12);
    let first: String = whole.lines().take(9).map(|line| line.to_owned() + "\n").collect();
    let archive = ["archive", "--to", &folder, "--tenant", "acme", "--keep-entries", "3"];
    let verify = ["verify", "--tenant", "acme", "--archive", &folder];
    for crash in ["partial", "written", "sealing", "sealed", "named", "verified"] {
        assert_eq!(stage.command(&archive, &format!("archive.{crash}:1")).code, None, "{crash} was not passed");
        assert_eq!(stage.well(&["export", "--tenant", "acme"]), whole, "killed at {crash}");
        let said = stage.well(&verify);
        assert!(said.contains("12 lines up to 12"), "killed at {crash}: {said}");
    }
    assert_eq!(stage.command(&archive, "archive.trimmed:1").code, None);
    assert_eq!(stage.archived("acme"), first);
    assert_eq!(stage.well(&archive), "acme: nothing to archive, archived up to 9, 3 lines left\n");
    assert_eq!(stage.archived("acme"), first, "nothing is archived twice");
    let left = stage.well(&["export", "--tenant", "acme"]);
    assert_eq!(first.clone() + &left, whole, "files have the lines as they are exported");
    assert!(stage.well(&["verify", "--tenant", "acme"]).starts_with("acme: ok, 3 lines up to 12, those before 10"));
    assert!(stage.well(&verify).starts_with("acme: ok, 3 lines up to 12, 1 files up to 9, hash "));

    stage.gateway.kill_and_restart().await;
    stage.ask("acme", 2).await;
    let all = stage.well(&["archive", "--to", &folder, "--json"]);
    let told: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(told[0]["files"], json!(["acme-000000000010-000000000016.jsonl"]), "{all}");
    assert_eq!((&told[1]["tenant"], &told[1]["archived"], &told[1]["left"]), (&json!("other"), &json!(4), &json!(0)));
    assert!(stage.archived("acme").starts_with(&whole));
    assert_eq!(stage.well(&["export", "--tenant", "acme"]), "");
    assert!(stage.well(&verify).starts_with("acme: ok, 0 lines up to 16, 2 files up to 16, hash "));
    stage.ask("acme", 1).await;
    assert!(stage.well(&verify).starts_with("acme: ok, 2 lines up to 18, 2 files up to 16, hash "));
    assert!(stage.well(&["verify", "--tenant", "acme"]).starts_with("acme: ok, 2 lines up to 18, those before 17"));
    sha256sum(stage.archive.path());
    let account = stage.gateway.admin(Request::get("/api/v1/ledger/acme/accounts")).await.json();
    assert_eq!(account["accounts"].as_array().map(Vec::len), Some(1), "money stays: {account}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_store_is_archived_whenever_that_is_killed() {
    what_is_archived_and_what_is_left_are_the_whole_ledger(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_server_is_archived_whenever_that_is_killed() {
    what_is_archived_and_what_is_left_are_the_whole_ledger(Some(Redis::start().await)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_was_changed_is_told_and_trims_nothing() {
    let stage = Stage::set(None).await;
    stage.ask("acme", 4).await;
    let folder = stage.folder().to_owned();
    let archive = ["archive", "--to", &folder, "--tenant", "acme"];
    assert_eq!(stage.command(&archive, "archive.named:1").code, None);
    let file = stage.archive.path().join("acme-000000000001-000000000008.jsonl");
    let lines = std::fs::read_to_string(&file).expect("read a file");
    std::fs::write(&file, lines.replacen("settle", "settlf", 1)).expect("write a file");
    for arguments in [&archive[..], &["verify", "--tenant", "acme", "--archive", &folder]] {
        let said = stage.command(arguments, "");
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
        assert!(said.error.contains("jsonl: entry 2 is not what it was when it was written"), "{}", said.error);
    }
    assert_eq!(stage.well(&["export", "--tenant", "acme"]).lines().count(), 8);
    std::fs::write(&file, lines).expect("write a file");
    stage.well(&archive);
    std::fs::remove_file(&file).expect("remove a file");
    let said = stage.command(&["verify", "--tenant", "acme", "--archive", &folder], "");
    assert!(said.error.contains("entries 1 to 8 are in no file"), "{}", said.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_the_last_days_stay() {
    let stage = Stage::set(None).await;
    stage.ask("acme", 1).await;
    let said = stage.well(&["archive", "--to", stage.folder(), "--keep", "30d"]);
    assert_eq!(said, "acme: nothing to archive, archived up to 0, 2 lines left\n");
    for (wrong, code) in [(&["--keep", "a month"][..], 2), (&["--keep", "1d", "--keep-entries", "5"], 2)] {
        assert_eq!(stage.command(&[&["archive", "--to", stage.folder()], wrong].concat(), "").code, Some(code));
    }
    let said = stage.well(&["archive", "--to", stage.folder(), "--keep", "0s"]);
    assert!(said.ends_with("acme: ok, archived up to 2, 0 lines left\n"), "{said}");
    let trim = |body: Value| {
        Request::post("/api/v1/ledger/acme/trim", body.to_string()).header("content-type", "application/json")
    };
    let other = stage.gateway.admin(trim(json!({"version": 9, "hash": "0"}))).await;
    assert_eq!((other.status, other.json()), (200, json!({"trimmed": "other_line"})));
    assert_eq!(stage.gateway.admin(trim(json!({"version": 9}))).await.status, 422);
}
