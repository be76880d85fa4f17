//! The lines of the ledger.

use super::*;

async fn write(store: &dyn Store, count: u128) {
    for number in 0..count {
        settle_one(store, settle(number, 1, &["b"]), after(number as u64)).await;
    }
}

pub async fn lines_are_chained_and_paged(store: &dyn Store) {
    assert_eq!(store.head(&tenant()).await.unwrap(), Head::default());
    assert_eq!(store.entries(&tenant(), 0, 10).await.unwrap(), []);
    write(store, 700).await;
    let (mut head, mut version) = (Head::default(), 0);
    loop {
        let page = store.entries(&tenant(), version, 64).await.unwrap();
        assert!(page.len() <= 64);
        for entry in &page {
            head = head.follow(entry).unwrap();
        }
        if page.is_empty() {
            break;
        }
        version = head.version;
    }
    assert_eq!(head.version, 700);
    assert_eq!(head, store.head(&tenant()).await.unwrap());
    assert_eq!(store.entries(&tenant(), 0, 10_000).await.unwrap().len(), 700);
    assert_eq!(store.entries(&tenant(), 699, 10).await.unwrap().len(), 1);
    assert_eq!(store.entries(&tenant(), u64::MAX, 10).await.unwrap(), []);
    assert_eq!(store.entries(&tenant(), 0, 0).await.unwrap(), []);
}

pub async fn what_is_trimmed_is_gone_and_the_chain_goes_on(store: &dyn Store) {
    write(store, 10).await;
    let head = store.head(&tenant()).await.unwrap();
    assert_eq!(store.archived(&tenant()).await.unwrap(), Head::default());
    let lines = store.entries(&tenant(), 0, 100).await.unwrap();
    let at = |version: u64| Head { version, hash: lines[version as usize - 1].hash.clone() };
    let trim = async |through: &Head| store.trim(&tenant(), through).await.unwrap();
    assert_eq!(
        (trim(&Head::default()).await, trim(&at(4)).await, trim(&at(4)).await),
        (Trim::Superseded, Trim::Done, Trim::Superseded)
    );
    assert_eq!(store.archived(&tenant()).await.unwrap(), at(4), "the chain goes on from there");
    let rest = store.entries(&tenant(), 0, 100).await.unwrap();
    assert_eq!(rest.iter().map(|entry| entry.version).collect::<Vec<_>>(), [5, 6, 7, 8, 9, 10]);
    assert_eq!((trim(&at(2)).await, trim(&at(10)).await), (Trim::Superseded, Trim::Done));
    assert_eq!(store.entries(&tenant(), 0, 100).await.unwrap(), []);
    assert_eq!(store.head(&tenant()).await.unwrap(), head);
    settle_one(store, settle(99, 1, &["b"]), after(99)).await;
    let next = store.entries(&tenant(), 0, 100).await.unwrap().remove(0);
    assert_eq!(head.follow(&next).unwrap(), store.head(&tenant()).await.unwrap());
}

pub async fn what_is_not_this_ledger_trims_nothing(store: &dyn Store) {
    write(store, 5).await;
    let lines = store.entries(&tenant(), 0, 100).await.unwrap();
    let other = |version, hash: &str| Head { version, hash: hash.to_owned() };
    for through in [other(3, GENESIS), other(3, &lines[3].hash), other(6, &lines[4].hash), other(u64::MAX, GENESIS)] {
        assert_eq!(store.trim(&tenant(), &through).await.unwrap(), Trim::OtherLine, "{through:?}");
    }
    assert_eq!(store.entries(&tenant(), 0, 100).await.unwrap(), lines);
    assert_eq!(store.trim(&tenant(), &other(3, &lines[2].hash)).await.unwrap(), Trim::Done);
    assert_eq!(store.trim(&tenant(), &other(3, &lines[3].hash)).await.unwrap(), Trim::OtherLine);
    assert_eq!(store.archived(&tenant()).await.unwrap(), other(3, &lines[2].hash));
}
