//! A tenant's ledger behind the admin API, read in pages.

use crate::cli::Failure;
use crate::cli::admin_client::{AdminClient, segment};
use raptorgate_policies::archive::{Page, Source};
use raptorgate_policies::ledger::{Entry, Head, StoreName, Trim};
use serde_json::{Value, json};

/// Lines asked for at once.
const PAGE: usize = 1_000;

/// The ledger of one tenant.
pub(super) struct Remote<'a> {
    client: &'a AdminClient,
    tenant: &'a str,
}

impl<'a> Remote<'a> {
    pub fn new(client: &'a AdminClient, tenant: &'a str) -> Self {
        Self { client, tenant }
    }

    /// Gives every line behind one to `with`; both ends of the ledger as the gateway has them at the end.
    pub fn each(
        &mut self,
        mut after: u64,
        mut with: impl FnMut(Entry) -> Result<(), Failure>,
    ) -> Result<Page, Failure> {
        loop {
            let page = self.page(after)?;
            if page.entries.is_empty() {
                return Ok(page);
            }
            for entry in page.entries {
                after = entry.version;
                with(entry)?;
            }
        }
    }
}

impl Source for Remote<'_> {
    fn page(&mut self, after: u64) -> Result<Page, String> {
        let path = format!("/api/v1/ledger/{}/entries?after={after}&limit={PAGE}", segment(self.tenant));
        let page = self.client.get(&path).map_err(Failure::into_text)?;
        read_page(&page).ok_or_else(|| "the gateway's answer cannot be read".to_owned())
    }

    fn trim(&mut self, through: &Head) -> Result<Trim, String> {
        let path = format!("/api/v1/ledger/{}/trim", segment(self.tenant));
        let body = json!({"version": through.version, "hash": through.hash});
        let answer = self.client.post(&path, &body).map_err(Failure::into_text)?;
        match answer.get("trimmed").and_then(Value::as_str) {
            Some("done") => Ok(Trim::Done),
            Some("before") => Ok(Trim::Superseded),
            Some("other_line") => Ok(Trim::OtherLine),
            Some(_) | None => Err("the gateway's answer cannot be read".to_owned()),
        }
    }
}

fn read_page(page: &Value) -> Option<Page> {
    let entries = page.get("entries")?.as_array()?.iter().map(read_entry).collect::<Option<_>>()?;
    Some(Page { entries, head: read_head(page.get("head")?)?, archived: read_head(page.get("archived")?)? })
}

fn read_head(head: &Value) -> Option<Head> {
    Some(Head { version: head.get("version")?.as_u64()?, hash: head.get("hash")?.as_str()?.to_owned() })
}

fn read_entry(entry: &Value) -> Option<Entry> {
    let text = |name| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Entry { version: entry.get("version")?.as_u64()?, body: text("line")?, hash: text("hash")? })
}

/// A tenant as it is asked for; `None` for a name that was too long to be kept whole.
pub(super) fn spoken(tenant: &StoreName) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = tenant.as_str().bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'~' => return None,
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
            }
            // the name of nothing at all
            b':' if tenant.as_str() == ":" => {}
            plain => bytes.push(plain),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_asked_for_by_the_name_that_it_was_given() {
        for name in ["acme", "a b", "é%/:~", "", "_anon"] {
            assert_eq!(spoken(&StoreName::of(&[name])).as_deref(), Some(name));
        }
        assert_eq!(spoken(&StoreName::of(&[&"x".repeat(300)])), None);
    }
}
