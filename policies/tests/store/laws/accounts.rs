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
