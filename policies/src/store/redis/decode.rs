//! Answers of the scripts, read strictly: what is not exactly what a script writes is [`StoreError::Corrupt`], and never
//! taken for nothing or zero.

use crate::ledger::{
    Account, AccountName, Admission, Admit, Admitted, Change, Clearance, Dropped, Entry, Extension, Finish, Head,
    KeyAnswer, LedgerId, Nanos, RateRefusal, Reaped, Refusal, Renewal, Settlement, StoreName, Timing, Trim, VoidReason,
};
use crate::store::StoreError;
use redis::Value;
use std::str::FromStr;

type Read<T> = Result<T, StoreError>;

pub(super) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(what.to_owned())
}

/// The items of a list, one after the other.
pub(super) struct Items(std::vec::IntoIter<Value>);

impl Items {
    pub fn of(value: Value) -> Read<Self> {
        match value {
            Value::Array(items) => Ok(Self(items.into_iter())),
            _ => Err(corrupt("an answer that is no list")),
        }
    }

    fn value(&mut self) -> Read<Value> {
        self.0.next().ok_or_else(|| corrupt("an answer that is too short"))
    }

    fn bytes(&mut self) -> Read<Vec<u8>> {
        bytes(self.value()?)
    }

    fn text(&mut self) -> Read<String> {
        String::from_utf8(self.bytes()?).map_err(|_| corrupt("bytes that are no text"))
    }

    fn number<T: FromStr>(&mut self) -> Read<T> {
        number(&self.text()?)
    }

    fn nanos(&mut self) -> Read<Nanos> {
        self.number().map(Nanos::new)
    }

    /// `-` is none.
    fn nanos_or_none(&mut self) -> Read<Option<Nanos>> {
        let text = self.text()?;
        if text == "-" { Ok(None) } else { number(&text).map(|nanos| Some(Nanos::new(nanos))) }
    }

    fn id(&mut self) -> Read<LedgerId> {
        id(self.bytes()?)
    }

    fn end<T>(mut self, result: T) -> Read<T> {
        match self.0.next() {
            None => Ok(result),
            Some(_) => Err(corrupt("an answer that is too long")),
        }
    }
}

/// The only item of a list.
pub(super) fn only(value: Value) -> Read<Value> {
    let mut items = Items::of(value)?;
    let value = items.value()?;
    items.end(value)
}

fn bytes(value: Value) -> Read<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        _ => Err(corrupt("an answer that is no text")),
    }
}

fn number<T: FromStr>(text: &str) -> Read<T> {
    // what `parse` takes beside digits is not what a script writes
    let plain = !text.starts_with('+') && text != "-0";
    text.parse().ok().filter(|_| plain).ok_or_else(|| corrupt("a number that is none"))
}

fn id(bytes: Vec<u8>) -> Read<LedgerId> {
    let bytes = bytes.try_into().map_err(|_| corrupt("an id that is none"))?;
    Ok(LedgerId::from_u128(u128::from_be_bytes(bytes)))
}

fn unknown(word: &str) -> StoreError {
    StoreError::Corrupt(format!("the answer {word:?}"))
}

pub(super) fn admission(value: Value, admit: &Admit) -> Read<Admission> {
    let mut items = Items::of(value)?;
    let admission = match items.text()?.as_str() {
        "admitted" => admitted(&mut items, admit).map(Admission::Admitted)?,
        "finished" => Admission::Finished(finish(&items.text()?)?),
        "conflict" => Admission::Conflict,
        "overflow" => Admission::Overflow,
        "slot" => Admission::Refused(Refusal::Slot { index: items.number()? }),
        "rate" => {
            let (index, wait) = (items.number()?, items.text()?);
            let refusal = if wait == "never" { RateRefusal::Never } else { RateRefusal::After(number(&wait)?) };
            Admission::Refused(Refusal::Rate { index, refusal })
        }
        "budget" => Admission::Refused(Refusal::Budget { index: items.number()?, available: items.nanos()? }),
        "keyed" => {
            let index = items.number()?;
            let word = items.text()?;
            Admission::Keyed { index, answer: key_answer(&word, &mut items)? }
        }
        other => return Err(unknown(other)),
    };
    items.end(admission)
}

fn admitted(items: &mut Items, admit: &Admit) -> Read<Admitted> {
    let again = match items.text()?.as_str() {
        "0" => false,
        "1" => true,
        other => return Err(unknown(other)),
    };
    Ok(Admitted {
        again,
        at: items.number()?,
        fence: items.number()?,
        available: admit.parts.iter().map(|_| items.nanos_or_none()).collect::<Read<_>>()?,
        arrivals: admit.rates.iter().map(|_| items.number()).collect::<Read<_>>()?,
    })
}

fn key_answer(word: &str, items: &mut Items) -> Read<KeyAnswer> {
    match word {
        "mismatch" => Ok(KeyAnswer::Mismatch),
        "in_progress" => Ok(KeyAnswer::InProgress { holder: items.id()?, left_micros: items.number()? }),
        "unknown" => Ok(KeyAnswer::Unknown { holder: items.id()? }),
        "replied" => {
            let holder = items.id()?;
            Ok(KeyAnswer::Replied { holder, reply: items.0.next().map(bytes).transpose()? })
        }
        other => Err(unknown(other)),
    }
}

pub(super) fn key(value: Value) -> Read<Option<KeyAnswer>> {
    let mut items = Items::of(value)?;
    let answer = match items.text()?.as_str() {
        "free" => None,
        word => Some(key_answer(word, &mut items)?),
    };
    items.end(answer)
}

/// A sum, or the code of a reason.
fn finish(code: &str) -> Read<Finish> {
    let reasons = [VoidReason::NotSent, VoidReason::NotServed, VoidReason::TakenOver, VoidReason::Unresolved];
    match reasons.into_iter().find(|reason| super::encode::reason_code(*reason) == code) {
        Some(reason) => Ok(Finish::Voided(reason)),
        None => Ok(Finish::Settled { charge: Nanos::new(number(code)?) }),
    }
}

pub(super) fn clearance(value: Value) -> Read<Clearance> {
    let mut items = Items::of(value)?;
    let clearance = match items.text()?.as_str() {
        "go" => Clearance::Go,
        "lost" => Clearance::Lost,
        other => return Err(unknown(other)),
    };
    items.end(clearance)
}

pub(super) fn extension(value: Value) -> Read<Extension> {
    let mut items = Items::of(value)?;
    let extension = match items.text()?.as_str() {
        "extended" => Extension::Extended,
        "refused" => Extension::Refused { index: items.number()?, available: items.nanos()? },
        "missing" => Extension::Missing,
        "finished" => Extension::Finished(finish(&items.text()?)?),
        "overflow" => Extension::Overflow,
        other => return Err(unknown(other)),
    };
    items.end(extension)
}

pub(super) fn renewal(value: Value) -> Read<Renewal> {
    let mut items = Items::of(value)?;
    let renewal = match items.text()?.as_str() {
        "renewed" => Renewal::Renewed,
        "recreated" => Renewal::Recreated,
        "finished" => Renewal::Finished(finish(&items.text()?)?),
        other => return Err(unknown(other)),
    };
    items.end(renewal)
}

pub(super) fn settlement(value: Value) -> Read<Settlement> {
    let mut items = Items::of(value)?;
    let settlement = match items.text()?.as_str() {
        "done" => {
            let finish = finish(&items.text()?)?;
            let timing = match items.text()?.as_str() {
                "in_time" => Timing::InTime,
                "late" => Timing::Late,
                other => return Err(unknown(other)),
            };
            Settlement::Done { finish, timing }
        }
        "duplicate" => Settlement::Duplicate(finish(&items.text()?)?),
        "gap" => Settlement::Gap { have: items.number()? },
        other => return Err(unknown(other)),
    };
    items.end(settlement)
}

pub(super) fn reaped(value: Value) -> Read<Reaped> {
    let mut lists = Items::of(value)?;
    let mut ids = || Items::of(lists.value()?)?.0.map(|item| id(bytes(item)?)).collect::<Read<Vec<_>>>();
    let (suspect, voided) = (ids()?, ids()?);
    lists.end(Reaped { suspect, voided })
}

pub(super) fn change(value: Value) -> Read<Change> {
    let mut items = Items::of(value)?;
    let change = match items.text()?.as_str() {
        "done" => Change::Done,
        "superseded" => Change::Superseded,
        "overflow" => Change::Overflow,
        other => return Err(unknown(other)),
    };
    items.end(change)
}

pub(super) fn dropped(value: Value) -> Read<Dropped> {
    let mut items = Items::of(value)?;
    let (count, next) = (items.number()?, items.text()?);
    let next = match next.as_str() {
        "" => None,
        name => Some(AccountName::parse(name).ok_or_else(|| corrupt("an account's name"))?),
    };
    items.end(Dropped { count, next })
}

pub(super) fn trim(value: Value) -> Read<Trim> {
    let mut items = Items::of(value)?;
    let trim = match items.text()?.as_str() {
        "done" => Trim::Done,
        "superseded" => Trim::Superseded,
        "other_line" => Trim::OtherLine,
        other => return Err(unknown(other)),
    };
    items.end(trim)
}

/// The fields of an account's hash.
pub(super) fn account(value: Value) -> Read<Option<Account>> {
    let mut items = Items::of(value)?;
    if items.0.as_slice().iter().all(|field| *field == Value::Nil) {
        return Ok(None);
    }
    let account =
        Account { limit: items.nanos_or_none()?, topped: items.nanos()?, held: items.nanos()?, spent: items.nanos()? };
    items.end(Some(account))
}

pub(super) fn accounts(value: Value) -> Read<Vec<(AccountName, Account)>> {
    Items::of(value)?
        .0
        .map(|row| {
            let mut row = Items::of(row)?;
            let name = AccountName::parse(&row.text()?).ok_or_else(|| corrupt("an account's name"))?;
            let account = account(row.value()?)?.ok_or_else(|| corrupt("an account that is listed and not there"))?;
            row.end((name, account))
        })
        .collect()
}

pub(super) fn head(value: Value) -> Read<Head> {
    let mut items = Items::of(value)?;
    if items.0.as_slice().iter().all(|field| *field == Value::Nil) {
        return Ok(Head::default());
    }
    let head = Head { version: items.number()?, hash: items.text()? };
    items.end(head)
}

/// Items of a stream: `[id, [b, body, h, hash]]`.
pub(super) fn entries(value: Value) -> Read<Vec<Entry>> {
    Items::of(value)?
        .0
        .map(|item| {
            let mut item = Items::of(item)?;
            let version = item.text()?.strip_suffix("-0").map(number).ok_or_else(|| corrupt("a line's number"))??;
            let mut fields = Items::of(item.value()?)?;
            let (b, body, h, hash) = (fields.text()?, fields.text()?, fields.text()?, fields.text()?);
            if b != "b" || h != "h" {
                return Err(corrupt("a line's fields"));
            }
            item.end(fields.end(Entry { version, body, hash })?)
        })
        .collect()
}

/// A page of names, and where the next one begins; 0 is the end.
pub(super) fn names(value: Value) -> Read<(u64, Vec<StoreName>)> {
    let mut items = Items::of(value)?;
    let next = items.number()?;
    let names = Items::of(items.value()?)?.0.map(|item| {
        let text = String::from_utf8(bytes(item)?).ok();
        text.and_then(|text| StoreName::parse(&text)).ok_or_else(|| corrupt("a tenant's name"))
    });
    let names = names.collect::<Read<_>>()?;
    items.end((next, names))
}
