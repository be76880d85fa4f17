//! The command line.
//!
//! # Invariants
//! * Exit code 0 is success, 1 refused or failed, 2 wrong usage (`tests/cli.rs`: `exit_codes_tell_usage_from_failure`).
//! * Results go to stdout, everything else to stderr: what is piped on is clean.

mod accounts;
mod admin_client;
mod check;
mod explain;
mod guards;
mod init;
mod ledger;
mod run;

use clap::{Args, Parser, Subcommand};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  raptorgate demo                                  see it work, with a built-in agent
  raptorgate run --upstream http://127.0.0.1:8000  guard one backend, no file needed
  raptorgate init                                  write a commented ./raptorgate.yaml
  raptorgate check                                 tell everything that is wrong with it
  raptorgate check --effective chat                what holds on route `chat`, with everything inherited
  raptorgate explain chat                          the same key by key, each with the line it comes from
  raptorgate accounts list --tenant acme           what each budget of a tenant holds, spent and has left
  raptorgate scan pii < texts.jsonl                what would be masked in texts of your own
  raptorgate run                                   serve it; SIGHUP or a change of the file reloads

Exit codes: 0 ok, 1 refused or failed, 2 wrong usage. RAPTORGATE_LOG sets the log filter (docs/metrics.md).";

#[derive(Parser)]
#[command(name = "raptorgate", version, about = "The guard in front of an AI-agent backend.", after_help = EXAMPLES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve requests until SIGTERM or Ctrl-C
    #[command(
        after_help = "Examples:\n  raptorgate run -c /etc/raptorgate.yaml\n  raptorgate run --upstream http://127.0.0.1:8000 --listen 127.0.0.1:8080"
    )]
    Run(RunArgs),
    /// Tell everything that is wrong with a configuration
    #[command(
        after_help = "Examples:\n  raptorgate check -c new.yaml && mv new.yaml raptorgate.yaml\n  raptorgate check --json | jq .errors"
    )]
    Check(CheckArgs),
    /// Tell key by key what holds on a route, and from which line
    #[command(
        after_help = "Examples:\n  raptorgate explain chat -c /etc/raptorgate.yaml\n  raptorgate explain chat --json | jq '.keys[] | select(.from == \"default\")'"
    )]
    Explain(ExplainArgs),
    /// Write a commented first configuration
    #[command(after_help = "Example:\n  raptorgate init && raptorgate check")]
    Init(InitArgs),
    /// Print the JSON Schema of the configuration, for editors
    #[command(after_help = "Example:\n  raptorgate schema > raptorgate.schema.json")]
    Schema,
    /// What each account of a tenant holds, spent and has left; change limits, top up, refund
    #[command(
        subcommand,
        after_help = "Examples:\n  raptorgate accounts list --tenant acme\n  raptorgate accounts top-up --tenant acme user-day:INR:user:asha@2026-11-25 '100.00 INR' --id invoice-4711"
    )]
    Accounts(accounts::AccountsCommand),
    /// Verify, export, archive or repair the ledger
    #[command(
        subcommand,
        after_help = "Examples:\n  raptorgate ledger verify --tenant acme\n  raptorgate ledger archive --to ./ledger-archive --keep 30d\n  raptorgate ledger repair --store ./data"
    )]
    Ledger(ledger::LedgerCommand),
    /// What the detectors see in lines of JSON: personal data, or attempts to talk a model out of its instructions
    #[command(subcommand, after_help = "Example:\n  raptorgate scan pii < texts.jsonl > found.jsonl")]
    Scan(guards::ScanCommand),
    /// How good the detectors are on labelled lines of your own
    #[command(subcommand, after_help = "Example:\n  raptorgate guards test labelled.jsonl")]
    Guards(guards::GuardsCommand),
    /// Start a built-in agent backend behind the gateway and print requests to try
    #[command(after_help = "Examples:\n  raptorgate demo\n  raptorgate demo --selftest")]
    Demo(DemoArgs),
    /// Print the version
    Version,
}

/// Which file.
#[derive(Args)]
struct ConfigFile {
    /// The configuration
    #[arg(short = 'c', long = "config", value_name = "FILE", default_value = "./raptorgate.yaml")]
    path: PathBuf,
}

#[derive(Args)]
struct RunArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Send everything to this backend, without a file: http://HOST:PORT, or https://HOST
    #[arg(long, value_name = "URL", conflicts_with = "path")]
    upstream: Option<String>,
    /// With --upstream: where to accept requests [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", requires = "upstream")]
    listen: Option<SocketAddr>,
    /// Write the addresses that are served to this file, as JSON, once requests are accepted
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
}

#[derive(Args)]
struct CheckArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Print what holds on this route, with everything inherited
    #[arg(long, value_name = "ROUTE")]
    effective: Option<String>,
    /// Print the problems as {"errors":[…]}
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ExplainArgs {
    /// The route
    #[arg(value_name = "ROUTE")]
    route: String,
    #[command(flatten)]
    config: ConfigFile,
    /// Print {"route":…,"keys":[…]}
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct InitArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Overwrite a file that is there
    #[arg(long)]
    force: bool,
}

#[derive(Args)]
struct DemoArgs {
    /// Send the printed requests, check the replies, and end
    #[arg(long)]
    selftest: bool,
    /// Port of the gateway [default: 8080, or the next free one]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
}

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => {
            // nothing is left to do if the terminal is gone
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let done = match line.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Init(arguments) => init::init(&arguments),
        Command::Schema => say(&format!("{:#}", raptorgate_config::json_schema())),
        Command::Accounts(command) => accounts::accounts(&command),
        Command::Ledger(command) => ledger::ledger(&command),
        Command::Scan(command) => guards::scan(&command),
        Command::Guards(command) => guards::guards(&command),
        Command::Demo(arguments) => demo(&arguments),
        Command::Version => say(concat!("raptorgate ", env!("CARGO_PKG_VERSION"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Told) => ExitCode::FAILURE,
        Err(Failure::Because(why)) => {
            let _ = writeln!(std::io::stderr(), "{why}");
            ExitCode::FAILURE
        }
    }
}

/// Why a command failed.
enum Failure {
    /// It has been printed.
    Told,
    /// To be printed.
    Because(String),
}

impl Failure {
    /// The reason, for whoever tells it.
    fn into_text(self) -> String {
        match self {
            Self::Told => String::new(),
            Self::Because(why) => why,
        }
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Because(why)
    }
}

fn demo(arguments: &DemoArgs) -> Result<(), Failure> {
    let mode = if arguments.selftest { crate::demo::Mode::SelfTest } else { crate::demo::Mode::UntilCtrlC };
    match crate::demo::run(mode, arguments.port)? {
        crate::demo::Verdict::AllOk => Ok(()),
        crate::demo::Verdict::SomeFailed => Err(Failure::Told),
    }
}

/// A result on stdout. A reader that went away (`| head`) is no failure of ours.
fn say(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to stdout: {error}").into())
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
