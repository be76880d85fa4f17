//! The text form of cases: what is sent byte by byte, and what has to come of it.
//!
//! ```text
//! == name | RFC 9112 §6.3              a case, and the law that it is about
//! | GET / HTTP/1.1                     bytes with CRLF behind them
//! > 0\r\n                              bytes as they are
//! await 100                            waits for an interim reply before it sends on
//! fin                                  nothing more will be sent
//! refused 400/501                      any other line is an expectation; what they mean is said by who judges them
//! ```
//! Escapes in bytes: `\r \n \t \0 \s \\ \xHH`, and `<<9000*ab>>` repeats. Lines that begin with `#` are comments.

use crate::machine::workspace;

/// One step of who speaks first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Waits for a `100 Continue`.
    Await,
    /// Ends its side of the connection.
    Finish,
}

/// A case as it stands in a file.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, unique in the corpus.
    pub name: String,
    /// The section that it is about.
    pub law: String,
    /// What is sent.
    pub steps: Vec<Step>,
    /// The remaining lines: first word and rest.
    pub expectations: Vec<(String, String)>,
}

impl Case {
    /// Name and law, as they are printed.
    pub fn title(&self) -> String {
        format!("{} ({})", self.name, self.law)
    }

    /// All bytes that are sent.
    pub fn bytes(&self) -> Vec<u8> {
        let sent = self.steps.iter().filter_map(|s| if let Step::Send(bytes) = s { Some(&bytes[..]) } else { None });
        sent.collect::<Vec<_>>().concat()
    }

    fn send(&mut self, more: Vec<u8>) {
        match self.steps.last_mut() {
            Some(Step::Send(bytes)) => bytes.extend(more),
            _ => self.steps.push(Step::Send(more)),
        }
    }
}

/// All cases of a folder of `tests/corpus`. Panics on a line that it does not understand and on two cases of one name.
pub fn read(folder: &str) -> Vec<Case> {
    let folder = workspace().join("tests/corpus").join(folder);
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("the corpus").map(|e| e.expect("a file").path()).collect();
    files.sort();
    let text = |f| std::fs::read_to_string(f).expect("read a file of the corpus");
    let cases: Vec<Case> = files.iter().flat_map(|file| parse(&text(file))).collect();
    let mut names: Vec<&str> = cases.iter().map(|c| c.name.as_str()).collect();
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0]).collect();
    assert!(twice.is_empty(), "cases of the same name: {twice:?}");
    cases
}

/// The cases of one file.
pub fn parse(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (n, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("== ") {
            let (name, law) = title.split_once(" | ").unwrap_or_else(|| panic!("line {}: no law: {line}", n + 1));
            let (name, law) = (name.trim().to_owned(), law.trim().to_owned());
            cases.push(Case { name, law, steps: Vec::new(), expectations: Vec::new() });
            continue;
        }
        let case = cases.last_mut().unwrap_or_else(|| panic!("line {}: before the first case: {line}", n + 1));
        match (line.split_once(' ').unwrap_or((line, "")), line) {
            (("|", bytes), _) => case.send([unescape(bytes), b"\r\n".to_vec()].concat()),
            ((">", bytes), _) => case.send(unescape(bytes)),
            (_, "await 100") => case.steps.push(Step::Await),
            (_, "fin") => case.steps.push(Step::Finish),
            ((word, rest), _) => case.expectations.push((word.to_owned(), rest.trim().to_owned())),
        }
    }
    cases
}

/// Bytes from their text form.
pub fn unescape(text: &str) -> Vec<u8> {
    if let Some((before, rest)) = text.split_once("<<") {
        let (repeat, after) = rest.split_once(">>").unwrap_or_else(|| panic!("no >> in {text:?}"));
        let (times, what) = repeat.split_once('*').unwrap_or_else(|| panic!("no * in {text:?}"));
        let times = times.parse().unwrap_or_else(|e| panic!("{e} in {text:?}"));
        return [unescape(before), unescape(what).repeat(times), unescape(after)].concat();
    }
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let (byte, used) = match (first, more) {
            (b'\\', [b'r', ..]) => (b'\r', 1),
            (b'\\', [b'n', ..]) => (b'\n', 1),
            (b'\\', [b't', ..]) => (b'\t', 1),
            (b'\\', [b'0', ..]) => (0, 1),
            (b'\\', [b's', ..]) => (b' ', 1),
            (b'\\', [b'\\', ..]) => (b'\\', 1),
            (b'\\', [b'x', high, low, ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).expect("hexadecimal digits");
                (u8::from_str_radix(digits, 16).unwrap_or_else(|e| panic!("{e} in {text:?}")), 3)
            }
            (b'\\', _) => panic!("an escape that is none: {text:?}"),
            (byte, _) => (*byte, 0),
        };
        out.push(byte);
        rest = &more[used..];
    }
    out
}
