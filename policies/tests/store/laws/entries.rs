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
    store.trim(&tenant(), 4).await.unwrap();
    store.trim(&tenant(), 4).await.unwrap();
    let rest = store.entries(&tenant(), 0, 100).await.unwrap();
    assert_eq!(rest.iter().map(|entry| entry.version).collect::<Vec<_>>(), [5, 6, 7, 8, 9, 10]);
    store.trim(&tenant(), u64::MAX).await.unwrap();
    assert_eq!(store.entries(&tenant(), 0, 100).await.unwrap(), []);
    assert_eq!(store.head(&tenant()).await.unwrap(), head);
    settle_one(store, settle(99, 1, &["b"]), after(99)).await;
    let next = store.entries(&tenant(), 0, 100).await.unwrap().remove(0);
    assert_eq!(head.follow(&next).unwrap(), store.head(&tenant()).await.unwrap());
}
