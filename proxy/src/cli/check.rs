//! `raptorgate check`.

use super::{CheckArgs, Failure, say};
use raptorgate_config::model::Config;
use raptorgate_config::{Loaded, Problem};
use serde_json::{Value, json};

pub(super) fn check(arguments: &CheckArgs) -> Result<(), Failure> {
    let path = &arguments.config.path;
    match raptorgate_config::load(path) {
        Ok(loaded) => match &arguments.effective {
            Some(route) => effective(&loaded.config, route),
            None if arguments.json => say(&json!({"errors": []}).to_string()),
            None => say(&summary(&path.display().to_string(), &loaded)),
        },
        Err(problems) if arguments.json => {
            let errors: Vec<Value> = problems.iter().map(Problem::to_json).collect();
            say(&json!({"errors": errors}).to_string())?;
            Err(Failure::Told)
        }
        Err(problems) => Err(problems.to_string().into()),
    }
}

fn effective(config: &Config, route: &str) -> Result<(), Failure> {
    match raptorgate_config::effective(config, route) {
        Some(yaml) => say(yaml.trim_end()),
        None => {
            let names: Vec<&str> = config.routes.iter().map(|route| &*route.name).collect();
            Err(format!("there is no route `{route}`\n  help: there are: {}", names.join(", ")).into())
        }
    }
}

fn summary(file: &str, loaded: &Loaded) -> String {
    let Config { listeners, upstreams, routes, .. } = &loaded.config;
    format!(
        "{file}: ok ({}, {}, {}), hash {}",
        counted(listeners.len(), "listener"),
        counted(upstreams.len(), "upstream"),
        counted(routes.len(), "route"),
        loaded.hash
    )
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
