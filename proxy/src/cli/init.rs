//! `raptorgate init`.

use super::{Failure, InitArgs, say};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

pub(super) fn init(arguments: &InitArgs) -> Result<(), Failure> {
    let path = &arguments.config.path;
    let mut options = OpenOptions::new();
    match arguments.force {
        true => options.write(true).create(true).truncate(true),
        // the kernel refuses, so that nothing can come in between a look and the writing
        false => options.write(true).create_new(true),
    };
    let written = options.open(path).and_then(|mut file| file.write_all(raptorgate_config::init_template().as_bytes()));
    let file = path.display();
    match written {
        Ok(()) => {
            say(&format!("{file} written; `raptorgate check -c {file}` and `raptorgate run -c {file}` come next"))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(format!("{file} is there already\n  help: `--force` overwrites it").into())
        }
        Err(error) => Err(format!("{file} cannot be written: {error}").into()),
    }
}
