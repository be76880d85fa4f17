//! `raptorgate run`.

use super::{Failure, RunArgs};
use crate::server::{self, ServerOptions};
use crate::telemetry::log;
use raptorgate_config::Loaded;
use raptorgate_config::model::Listener;

pub(super) fn run(arguments: RunArgs) -> Result<(), Failure> {
    log::init()?;
    let (loaded, config_path) = match arguments.upstream {
        None => (load(&arguments.config.path)?, Some(arguments.config.path)),
        Some(url) => {
            let mut loaded = raptorgate_config::for_upstream(&url).map_err(|problems| problems.to_string())?;
            if let Some(address) = arguments.listen {
                loaded.config.listeners = vec![Listener { address, tls: None, proxy_protocol: false }];
            }
            (loaded, None)
        }
    };
    server::run(loaded, ServerOptions { config_path, ready_file: arguments.ready_file })?;
    Ok(())
}

fn load(path: &std::path::Path) -> Result<Loaded, Failure> {
    raptorgate_config::load(path).map_err(|problems| {
        let hint =
            if path.exists() { "" } else { "\n`raptorgate init` writes a first file; `raptorgate demo` needs none" };
        Failure::Because(format!("{problems}{hint}"))
    })
}
