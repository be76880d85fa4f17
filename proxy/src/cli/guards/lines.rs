//! Lines of a file or of stdin, each bounded.

use super::super::Failure;
use std::io::{BufRead, Read};

/// Longest line.
pub(super) const LINE_BYTES_MAX: u64 = 16 << 20;

/// Calls `each` with every line, without its end: `None` for one that is too long or no UTF-8.
pub(super) fn each_line(
    mut input: impl BufRead,
    mut each: impl FnMut(Option<&str>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let read = (&mut input).take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut bytes);
        if read.map_err(|error| format!("cannot read: {error}"))? == 0 {
            return Ok(());
        }
        let whole = bytes.last() == Some(&b'\n') || bytes.len() as u64 <= LINE_BYTES_MAX;
        if !whole {
            skip_line(&mut input)?;
        }
        // not `str::lines`, which also ends lines where no line feed is
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        each(std::str::from_utf8(line).ok().filter(|_| whole))?;
    }
}

fn skip_line(input: &mut impl BufRead) -> Result<(), Failure> {
    loop {
        let available = input.fill_buf().map_err(|error| format!("cannot read: {error}"))?;
        match available.iter().position(|byte| *byte == b'\n') {
            _ if available.is_empty() => return Ok(()),
            Some(at) => {
                input.consume(at + 1);
                return Ok(());
            }
            None => {
                let read = available.len();
                input.consume(read);
            }
        }
    }
}
