//! `raptorgate demo`: a built-in agent backend, the gateway before it, and requests to try.
//!
//! # Invariants
//! * Everything listens on loopback only.
//! * What is printed is what the self-test sends: both come from one list (`tries`).
//! * The self-test fails if nothing guards the agent (`the_self_test_notices_a_missing_guard`).

mod agent;
mod client;
mod tries;

use crate::admin::make_token;
use crate::server::Gateway;
use crate::telemetry::log;
use raptorgate_config::units::Secret;
use raptorgate_config::{Loaded, Origin};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

/// API key of the demo's one user.
const DEMO_KEY: &str = "demo-key";
const GATEWAY_PORT: u16 = 8080;
const ADMIN_PORT: u16 = 9901;
/// Ports that are tried from the wanted one on.
const PORTS_TRIED_MAX: u16 = 100;
const DEMO_YAML: &str = include_str!("demo.yaml");

/// What the demo is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Somebody tries it.
    UntilCtrlC,
    /// It tries itself and ends.
    SelfTest,
}

/// How the self-test went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every reply was right.
    AllOk,
    /// Some were not; they have been printed.
    SomeFailed,
}

/// Where everything listens.
struct Stage {
    gateway: SocketAddr,
    admin: SocketAddr,
    ops: SocketAddr,
    admin_token: Secret,
}

/// Runs the demo to its end. Blocking.
///
/// # Errors
/// The port is taken, or something does not start.
pub fn run(mode: Mode, port: Option<u16>) -> Result<Verdict, String> {
    log::init_or("warn")?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(play(mode, port))
}

async fn play(mode: Mode, port: Option<u16>) -> Result<Verdict, String> {
    let agent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let agent = agent.map_err(|error| format!("the agent cannot listen: {error}"))?;
    let agent_address = agent.local_addr().map_err(|error| error.to_string())?;
    let backend = tokio::spawn(async move { axum::serve(agent, agent::router()).await });
    let stage = set_stage(port)?;
    let gateway = Gateway::builder(configuration(&stage, agent_address, mode)?).start().await?;
    let verdict = match mode {
        Mode::SelfTest => self_test(&stage).await,
        Mode::UntilCtrlC => {
            print_tries(&stage);
            tokio::signal::ctrl_c().await.map_err(|error| format!("Ctrl-C cannot be heard: {error}"))?;
            Verdict::AllOk
        }
    };
    gateway.stop().await;
    backend.abort();
    Ok(verdict)
}

fn set_stage(port: Option<u16>) -> Result<Stage, String> {
    // all three are held until all are found, so that no two are the same
    let gateway = match port {
        Some(port) => bind(port).map_err(|error| format!("port {port} cannot be used: {error}"))?,
        None => first_free(GATEWAY_PORT)?,
    };
    let admin = first_free(ADMIN_PORT)?;
    let ops = first_free(ADMIN_PORT + 1)?;
    let address = |listener: &TcpListener| listener.local_addr().map_err(|error| error.to_string());
    Ok(Stage { gateway: address(&gateway)?, admin: address(&admin)?, ops: address(&ops)?, admin_token: make_token() })
}

fn first_free(from: u16) -> Result<TcpListener, String> {
    let until = from.saturating_add(PORTS_TRIED_MAX);
    let free = (from..until).find_map(|port| bind(port).ok());
    free.ok_or_else(|| format!("ports {from} to {until} are all taken; `--port N` names another one"))
}

fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

fn configuration(stage: &Stage, agent: SocketAddr, mode: Mode) -> Result<Loaded, String> {
    let origin = Origin { file: "demo.yaml".to_owned(), folder: PathBuf::from(".") };
    let outside = |name: &str| match name {
        "DEMO_PORT" => Some(stage.gateway.port().to_string()),
        "DEMO_ADMIN_PORT" => Some(stage.admin.port().to_string()),
        "DEMO_OPS_PORT" => Some(stage.ops.port().to_string()),
        "DEMO_AGENT_PORT" => Some(agent.port().to_string()),
        "DEMO_ADMIN_TOKEN" => Some(stage.admin_token.reveal().to_owned()),
        "DEMO_KEY" => Some(DEMO_KEY.to_owned()),
        "DEMO_ACCESS_LOG" => Some(
            match mode {
                Mode::UntilCtrlC => "stdout",
                Mode::SelfTest => "off",
            }
            .to_owned(),
        ),
        _ => None,
    };
    raptorgate_config::parse(DEMO_YAML, &origin, &outside).map_err(|problems| problems.to_string())
}

async fn self_test(stage: &Stage) -> Verdict {
    let mut verdict = Verdict::AllOk;
    for one in tries::all(stage) {
        match one.check().await {
            Ok(()) => print(&format!("ok      {}\n        {}", one.what, one.curl())),
            Err(why) => {
                print(&format!("failed  {}\n        {}\n        {why}", one.what, one.curl()));
                verdict = Verdict::SomeFailed;
            }
        }
    }
    verdict
}

fn print_tries(stage: &Stage) {
    print(&format!("raptorgate guards a built-in agent on http://{}. Try, in another terminal:\n", stage.gateway));
    for one in tries::all(stage) {
        print(&format!("# {}\n{}\n", one.what, one.curl()));
    }
    print("Each request is one line of the access log below. Ctrl-C ends the demo.");
}

/// A reader that went away is no reason to fail.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage() -> Stage {
        let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Stage { gateway: address(1), admin: address(2), ops: address(3), admin_token: Secret::new("t") }
    }

    #[test]
    fn the_embedded_configuration_is_valid() {
        for mode in [Mode::UntilCtrlC, Mode::SelfTest] {
            configuration(&stage(), SocketAddr::from((Ipv4Addr::LOCALHOST, 4)), mode).unwrap();
        }
    }

    #[test]
    fn at_least_five_lines_can_be_pasted() {
        let lines: Vec<String> = tries::all(&stage()).iter().map(tries::Try::curl).collect();
        assert!(lines.len() >= 5, "{lines:?}");
        for line in lines {
            assert!(line.starts_with("curl ") && line.matches('\'').count() % 2 == 0 && !line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn a_taken_port_is_passed_over_unless_it_was_asked_for() {
        let taken = bind(0).unwrap();
        let port = taken.local_addr().unwrap().port();
        let next = first_free(port).unwrap();
        assert_ne!(next.local_addr().unwrap().port(), port);
        assert!(set_stage(Some(port)).is_err());
    }

    #[test]
    fn what_the_agent_gives_away_is_personal_data() {
        use raptorgate_config::model::PiiType;
        use raptorgate_filters::pii::{Masker, Rules, Tally};
        let loaded = configuration(&stage(), SocketAddr::from((Ipv4Addr::LOCALHOST, 4)), Mode::SelfTest).unwrap();
        let response = &loaded.config.routes[0].mask_pii.as_ref().unwrap().response;
        for (kind, value) in [
            (PiiType::Email, agent::EMAIL),
            (PiiType::Phone, agent::PHONE),
            (PiiType::Aadhaar, agent::AADHAAR),
            (PiiType::Pan, agent::PAN),
        ] {
            let mut tally = Tally::default();
            Masker::whole(&Rules::new(response), &format!("it is {value}."), &mut tally);
            assert_eq!(tally.found().collect::<Vec<_>>(), [(kind, 1)], "{value}");
        }
    }

    #[tokio::test]
    async fn the_self_test_notices_a_missing_guard() {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let unguarded = Stage { gateway: listener.local_addr().unwrap(), ..stage() };
        tokio::spawn(async move { axum::serve(listener, agent::router()).await });
        let mut why = Vec::new();
        for one in tries::all(&unguarded).iter().take(4) {
            why.push(one.check().await.unwrap_err());
        }
        for (why, says) in why.iter().zip(["not masked", "not masked", "heard the injected", "instead of 401"]) {
            assert!(why.contains(says), "{why}");
        }
    }
}
