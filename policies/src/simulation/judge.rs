//! What must be true when everything has come to rest.

use super::server::{Run, Server, Stage, Tally};
use crate::ledger::{AccountName, Head, LedgerId, StoreName, TenantState};
use std::collections::BTreeMap;

/// A charge as a line of the ledger tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Charge {
    nanos: i64,
    estimated: bool,
}

/// What happened, or the first thing that is wrong.
pub fn judge(server: &Server) -> Result<Tally, String> {
    if let Some(wrong) = &server.wrong {
        return Err(wrong.clone());
    }
    let mut tally = server.tally.clone();
    let mut charges: BTreeMap<LedgerId, Vec<Charge>> = BTreeMap::new();
    for (tenant, state) in &server.tenants {
        let spent = read_lines(tenant, state, &mut charges, &mut tally)?;
        for (name, account) in state.accounts.iter() {
            if account.held.get() != 0 {
                return Err(format!("{tenant} {name}: {} is held in the end", account.held));
            }
            if account.spent.get() != spent.get(&name.to_string()).copied().unwrap_or(0) {
                return Err(format!("{tenant} {name}: lines do not add up to {account:?}"));
            }
            overspent(server, tenant, name, &mut tally)?;
        }
        if !state.holds.is_empty() {
            return Err(format!("{tenant}: {:?} is open or suspect in the end", state.holds));
        }
    }
    for (id, (_, run)) in &server.upstream {
        as_served(*id, *run, charges.remove(id).as_deref().unwrap_or_default(), &mut tally)?;
    }
    match charges.first_key_value() {
        Some((id, charge)) => Err(format!("{id} is charged {charge:?} and was never sent")),
        None => keys_ran_once(server).map(|()| tally),
    }
}

/// Follows the chain, and adds up what its lines say; what was spent in each account.
fn read_lines(
    tenant: &StoreName,
    state: &TenantState,
    charges: &mut BTreeMap<LedgerId, Vec<Charge>>,
    tally: &mut Tally,
) -> Result<BTreeMap<String, i64>, String> {
    let mut spent = BTreeMap::new();
    let follow = |head: Head, entry| head.follow(entry);
    let head =
        state.entries.iter().try_fold(Head::default(), follow).map_err(|broken| format!("{tenant}: {broken}"))?;
    if head != state.head {
        return Err(format!("{tenant}: the chain ends at {head:?} and not at {:?}", state.head));
    }
    for entry in &state.entries {
        let line: serde_json::Value = serde_json::from_str(&entry.body).map_err(|error| error.to_string())?;
        let has = |flag: &str| line["flags"].as_array().is_some_and(|flags| flags.iter().any(|f| f == flag));
        tally.taken_over += u64::from(has("taken_over"));
        let mut each = Vec::new();
        for moved in line["at"].as_array().into_iter().flatten().filter(|moved| moved[1] == "spent") {
            let nanos: i64 = moved[2].as_str().and_then(|text| text.parse().ok()).ok_or("no amount")?;
            *spent.entry(moved[0].as_str().unwrap_or_default().to_owned()).or_default() += nanos;
            each.push(nanos);
        }
        if line["op"] == "settle" {
            let id = line["id"].as_str().and_then(LedgerId::parse).ok_or("no id")?;
            let [nanos, other] = each[..] else {
                return Err(format!("{id} is charged in {each:?}, not in two budgets"));
            };
            if nanos != other {
                return Err(format!("{id} is charged {nanos} here and {other} there"));
            }
            let estimated = has("estimated");
            tally.estimated += u64::from(estimated);
            charges.entry(id).or_default().push(Charge { nanos, estimated });
        }
    }
    Ok(spent)
}

/// A set-back server may have promised again what it forgot, and what it gave up may have been spent: no more than that.
fn overspent(server: &Server, tenant: &StoreName, name: &AccountName, tally: &mut Tally) -> Result<(), String> {
    let account = server.tenants.get(tenant).and_then(|state| state.accounts.get(name)).copied().unwrap_or_default();
    let limit = if name.base.as_str().starts_with("tight") { 200 } else { 300 };
    let over = i128::from(account.spent.get()) - limit;
    let allowed = server.allowed.get(&(tenant.clone(), name.clone())).copied().unwrap_or(0);
    tally.overspent += u64::from(over > 0);
    if over > allowed {
        Err(format!("{tenant} {name}: overspent by {over}, and by {allowed} at most: {account:?}"))
    } else {
        Ok(())
    }
}

/// Compares the charges of one request with what the upstream wrote down.
fn as_served(id: LedgerId, run: Run, charges: &[Charge], tally: &mut Tally) -> Result<(), String> {
    let estimate = [Charge { nanos: run.floor, estimated: true }];
    let exact = run.cost.map(|nanos| vec![Charge { nanos, estimated: false }]).unwrap_or_default();
    match run.cost {
        Some(_) => tally.served += 1,
        None => tally.not_served += 1,
    }
    let right = match run.stage {
        Stage::Sending => charges.is_empty() || charges == estimate,
        Stage::Sent => charges == estimate,
        Stage::Ending => charges == exact || charges == estimate,
        Stage::Ended => charges == exact,
    };
    if right { Ok(()) } else { Err(format!("{id} is charged {charges:?}, and the upstream has {run:?}")) }
}

/// A key ran once, unless the server forgot it. What the upstream did not serve may be sent again.
fn keys_ran_once(server: &Server) -> Result<(), String> {
    if server.tally.set_back > 0 {
        return Ok(());
    }
    let mut runs: BTreeMap<_, Vec<LedgerId>> = BTreeMap::new();
    for (id, (_, run)) in &server.upstream {
        let ran = run.stage != Stage::Sending && (run.cost.is_some() || run.stage == Stage::Sent);
        if let Some(key) = run.key.filter(|_| ran) {
            runs.entry(key).or_default().push(*id);
        }
    }
    match runs.values().find(|ids| ids.len() > 1) {
        Some(ids) => Err(format!("a key ran more than once: {ids:?}")),
        None => Ok(()),
    }
}
