//! What operators see and change.

use super::*;

pub async fn an_operators_limit_holds_until_it_is_taken_back(store: &dyn Store) {
    let set = |version, limit| SetLimit { base: name("b"), limit, version, note: Note::default() };
    let change = async |version, limit| store.set_limit(&tenant(), &set(version, limit), after(1)).await.unwrap();
    let amount = |nanos| LimitChange::Amount(Nanos::new(nanos));
    assert_eq!(change(2, amount(10)).await, Change::Done);
    assert_eq!(change(2, amount(11)).await, Change::Superseded);
    assert_eq!(change(1, LimitChange::Unlimited).await, Change::Superseded);
    assert_eq!(store.admit(&tenant(), &admit(1, vec![part("b", 100, 11)]), after(3)).await.unwrap(), budget(0, 10));
    assert_eq!(change(3, LimitChange::Configured).await, Change::Done);
    assert_eq!(let_in(store, &admit(1, vec![part("b", 100, 11)]), after(4)).await.available, [Some(Nanos::new(89))]);
    assert_eq!(change((1 << 53) + 2, LimitChange::Unlimited).await, Change::Done);
    assert_eq!(change((1 << 53) + 1, amount(1)).await, Change::Superseded);
    assert_eq!(let_in(store, &admit(2, vec![part("b", 100, 900)]), after(5)).await.available, [None]);
    assert_eq!(change(u64::MAX, amount(-5)).await, Change::Done);
    assert_eq!(store.admit(&tenant(), &admit(3, vec![part("b", 100, 1)]), after(6)).await.unwrap(), budget(0, -916));
}

pub async fn a_credit_counts_once(store: &dyn Store) {
    let_in(store, &admit(1, vec![part("b", 100, 60)]), after(1)).await;
    let credit = |text: &str, kind, amount| Credit {
        name: name(text),
        account: account("b"),
        kind,
        amount: Nanos::new(amount),
        note: Note::new(r#"{"by":"ops"}"#).unwrap(),
    };
    let change =
        async |text, kind, amount| store.credit(&tenant(), &credit(text, kind, amount), after(2)).await.unwrap();
    assert_eq!(change("t1", CreditKind::TopUp, 50).await, Change::Done);
    assert_eq!(change("t1", CreditKind::TopUp, 50).await, Change::Superseded);
    assert_eq!(change("t2", CreditKind::TopUp, i64::MAX).await, Change::Overflow);
    let seen = store.account(&tenant(), &account("b")).await.unwrap().unwrap();
    assert_eq!(seen.available(), Some(Nanos::new(90)));
    settle_one(store, settle(1, 60, &["b"]), after(5)).await;
    assert_eq!(change("r1", CreditKind::Refund, 20).await, Change::Done);
    assert_eq!(change("t2", CreditKind::TopUp, -70).await, Change::Done);
    let seen = store.account(&tenant(), &account("b")).await.unwrap().unwrap();
    let (topped, spent) = (Nanos::new(-20), Nanos::new(40));
    assert_eq!(seen, Account { limit: Some(Nanos::new(100)), topped, held: Nanos::ZERO, spent });
}

pub async fn tenants_do_not_meet(store: &dyn Store) {
    let tenants = ["one", "two"].map(name);
    for (spent, tenant) in (1..).zip(&tenants) {
        let first = store.admit(tenant, &keyed(1, 1), after(1)).await.unwrap();
        assert!(matches!(first, Admission::Admitted(_)), "{first:?}");
        let settle =
            Settle { mark: Some(Mark { gateway: name("g"), sequence: 1, previous: 0 }), ..settle(1, spent, &[]) };
        let done = store.finish(tenant, &endings_of(settle), after(2)).await.unwrap();
        assert_eq!(done, [charged(spent, Timing::InTime)]);
    }
    for (spent, tenant) in (1..).zip(&tenants) {
        let account = store.account(tenant, &account("k")).await.unwrap().unwrap();
        assert_eq!(account.spent, Nanos::new(spent));
        assert_eq!(store.head(tenant).await.unwrap().version, 2);
    }
    let mut known = store.tenants().await.unwrap();
    known.retain(|name| tenants.contains(name));
    assert_eq!(known.len(), 2);
}

pub async fn accounts_are_listed_in_pages_by_name(store: &dyn Store) {
    // a text of base and window sorts otherwise than base, then window
    let bases = ["a", "a.b", "a:b", "a-b", "a_b", "ab", "A", "a b", "é"];
    let mut names = Vec::new();
    for (number, base) in (0..).zip(bases) {
        for window in ["2026-11", "2026-10", "h.1"] {
            let account = AccountName { base: name(base), window: name(window) };
            let part = Part { account: account.clone(), ..part("x", 10, 1) };
            let_in(store, &admit(number * 3 + names.len() as u128 * 100, vec![part]), after(1)).await;
            names.push(account);
        }
    }
    names.sort();
    let all = store.accounts(&tenant(), None, 1000).await.unwrap();
    assert_eq!(all.iter().map(|(name, _)| name).collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
    let (mut paged, mut last) = (Vec::new(), None);
    loop {
        let page = store.accounts(&tenant(), last.as_ref(), 4).await.unwrap();
        assert!(page.len() <= 4);
        let Some((name, _)) = page.last() else { break };
        last = Some(name.clone());
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert_eq!(store.accounts(&tenant(), None, 0).await.unwrap(), []);
}

pub async fn names_of_any_bytes_do_no_harm(store: &dyn Store) {
    let hostile: Vec<String> = (0..=255_u8)
        .map(|byte| char::from(byte).to_string())
        .chain(["}:{", "**", "a\r\nFLUSHALL\r\n", "%00", "'\"]]", &"x".repeat(5000), "rg1:tenants"].map(str::to_owned))
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    for (number, text) in (0..).zip(&hostile) {
        let whose = name(text);
        assert!(seen.insert(whose.clone()), "{text:?} is another's name");
        let account = AccountName { base: whose.clone(), window: whose.clone() };
        let admit = Admit {
            slots: vec![Slot { name: whose.clone(), count_max: 1 }],
            rates: vec![RateUse { name: whose.clone(), step: RateStep::of(1, 1, SECOND) }],
            ..admit(number, vec![Part { account: account.clone(), ..part("x", 10, 7) }])
        };
        let admission = store.admit(&whose, &admit, after(1)).await.unwrap();
        assert!(matches!(admission, Admission::Admitted(_)), "{text:?}: {admission:?}");
        assert_eq!(store.account(&whose, &account).await.unwrap().unwrap().held, Nanos::new(7), "{text:?}");
    }
    let known: std::collections::BTreeSet<_> = store.tenants().await.unwrap().into_iter().collect();
    assert!(seen.is_subset(&known));
}

const DAY: u64 = 86_400 * SECOND;

fn in_window(base: &str, window: &str) -> AccountName {
    AccountName { base: name(base), window: name(window) }
}

async fn drop_past(store: &dyn Store, after_account: Option<AccountName>, now: Now) -> Dropped {
    let drop = DropPast { after: after_account, looked_max: LOOKED_MAX, grace_micros: 35 * DAY };
    store.drop_past(&tenant(), &drop, now).await.unwrap()
}

pub async fn accounts_of_past_windows_are_dropped(store: &dyn Store) {
    // it is 25 November 2025
    let windows = ["2025-09", "2025-10-15", "2025-10-15T23+0530", "2025-11", "2025-11-25", "2026-11", "total"];
    for (number, window) in (1..).zip(windows) {
        let settle = Settle { accounts: vec![in_window("b", window)], ..settle(number, 7, &[]) };
        settle_one(store, settle, after(1)).await;
    }
    let running = admit(90, vec![Part { account: in_window("held", "2025-09"), ..part("held", 100, 10) }]);
    let_in(store, &running, after(1)).await;
    let left = async || {
        let all = store.accounts(&tenant(), None, 100).await.unwrap();
        all.into_iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>()
    };
    let version = store.head(&tenant()).await.unwrap().version;
    assert_eq!(drop_past(store, None, after(2)).await, Dropped { count: 3, next: None });
    let due = ["b@2025-11", "b@2025-11-25", "b@2026-11", "b@total", "held@2025-09"];
    assert_eq!(left().await, due, "what is held, or is over for less than the grace, or has no end, stays");
    let line = store.entries(&tenant(), version, 9).await.unwrap();
    let told =
        r#""at":[["b@2025-09","spent","-7"],["b@2025-10-15","spent","-7"],["b@2025-10-15T23%2B0530","spent","-7"]]"#;
    assert!(line.len() == 1 && line[0].body.contains(told), "{line:?}");
    assert_eq!(drop_past(store, None, after(3)).await, Dropped { count: 0, next: None });
    assert_eq!(store.head(&tenant()).await.unwrap().version, version + 1, "nothing to tell is not told");
    let year = after(700 * DAY);
    assert_eq!(drop_past(store, None, year).await.count, 3);
    settle_one(store, settle(90, 4, &[]), year).await;
    assert_eq!(drop_past(store, Some(in_window("b", "zzz")), year).await.count, 1);
    assert_eq!(left().await, ["b@total"]);
}

pub async fn a_cost_that_comes_after_its_account_was_dropped_is_charged(store: &dyn Store) {
    let account = in_window("b", "2025-09");
    let late = |number| Settle { accounts: vec![account.clone()], ..settle(number, 7, &[]) };
    settle_one(store, late(1), after(1)).await;
    let top_up = |text: &str| Credit {
        name: name(text),
        account: account.clone(),
        kind: CreditKind::TopUp,
        amount: Nanos::new(5),
        note: Note::default(),
    };
    store.credit(&tenant(), &top_up("t"), after(1)).await.unwrap();
    let set =
        SetLimit { base: name("b"), limit: LimitChange::Amount(Nanos::new(9)), version: 3, note: Note::default() };
    store.set_limit(&tenant(), &set, after(1)).await.unwrap();
    assert_eq!(drop_past(store, None, after(2)).await.count, 1);
    assert_eq!(store.account(&tenant(), &account).await.unwrap(), None);
    assert_eq!(
        settle_one(store, late(1), after(3)).await,
        Settlement::Duplicate(Finish::Settled { charge: Nanos::new(7) })
    );
    assert_eq!(settle_one(store, late(2), after(3)).await, charged(7, Timing::Late));
    let anew = store.account(&tenant(), &account).await.unwrap().unwrap();
    assert_eq!(anew, Account { spent: Nanos::new(7), ..Account::default() });
    assert_eq!(
        store.credit(&tenant(), &top_up("t"), after(3)).await.unwrap(),
        Change::Superseded,
        "a credit counts once"
    );
    assert_eq!(store.set_limit(&tenant(), &set, after(3)).await.unwrap(), Change::Superseded);
    let asks = admit(9, vec![Part { account: in_window("b", "2025-11"), ..part("b", 100, 10) }]);
    assert_eq!(store.admit(&tenant(), &asks, after(4)).await.unwrap(), budget(0, 9), "an operator's limit stays");
    // 7 twice and a top-up of 5 were charged in all, and the lines say so
    let mut sums = std::collections::BTreeMap::new();
    for line in store.entries(&tenant(), 0, 100).await.unwrap() {
        let line: serde_json::Value = serde_json::from_str(&line.body).unwrap();
        for change in line["at"].as_array().unwrap().iter().filter(|_| line["op"] != "drop") {
            let amount: i64 = change[2].as_str().unwrap().parse().unwrap();
            *sums.entry(change[1].as_str().unwrap().to_owned()).or_insert(0) += amount;
        }
    }
    assert_eq!((sums["spent"], sums["topped"]), (14, 5));
}

pub async fn as_many_are_dropped_at_once_as_one_record_holds(store: &dyn Store) {
    let count = 2 * DROPPED_MAX + 5;
    for number in 0..count {
        let account = in_window(&format!("b{number:03}"), "2025-09");
        settle_one(store, Settle { accounts: vec![account], ..settle(number.into(), 1, &[]) }, after(1)).await;
    }
    let (mut next, mut counts) = (None, Vec::new());
    loop {
        let dropped = drop_past(store, next, after(2)).await;
        counts.push(dropped.count);
        next = dropped.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(counts, [DROPPED_MAX, DROPPED_MAX, 5]);
    assert_eq!(store.accounts(&tenant(), None, 10).await.unwrap(), []);
    let beyond = DropPast { after: None, looked_max: LOOKED_MAX + 1, grace_micros: 0 };
    assert!(store.drop_past(&tenant(), &beyond, after(3)).await.is_err());
}
