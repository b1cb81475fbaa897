//! What was put is there again, and what nobody needs goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_registry::{EndReason, Entry, News};
use countersign_token::{FeedPosition, Timestamp};

use super::{Outbox, SWEEP};

fn entry(seq: u64) -> Entry {
    let at = Timestamp::from_secs(1_800_000_000);
    let news = News::EveryoneEnded(EndReason::Logout);
    Entry { position: FeedPosition { epoch: 1, seq }, at, until: at.after(Duration::from_mins(5)), news }
}

#[tokio::test]
async fn what_was_put_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outbox");
    let (outbox, before) = Outbox::open(&path, |_| true).unwrap();
    assert_eq!(before, []);
    let all: Vec<Entry> = (1..200).map(entry).collect();
    let (one, other) = all.split_at(70);
    let (one, other) = tokio::join!(outbox.put(one), outbox.put(other));
    one.and(other).unwrap();
    assert!(Outbox::open(&path, |_| true).is_err(), "two nodes would forget each other's");
    drop(outbox);
    let (_, again) = reopened(&path).await;
    assert_eq!(again, all);
}

#[tokio::test]
async fn what_nobody_needs_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outbox");
    let needed = Arc::new(AtomicU64::new(0));
    let from = needed.clone();
    let (outbox, _) = Outbox::open(&path, move |at| at.seq >= from.load(Ordering::SeqCst)).unwrap();
    for seq in 1..100 {
        outbox.put(&[entry(seq)]).await.unwrap();
    }
    needed.store(99, Ordering::SeqCst);
    for seq in 100..100 + 99_u64.div_ceil(SWEEP as u64) {
        outbox.put(&[entry(seq)]).await.unwrap();
    }
    drop(outbox);
    let (_, again) = reopened(&path).await;
    assert_eq!(again, [entry(99), entry(100), entry(101)]);
}

/// The thread closes the file when it finds that nobody asks any more.
async fn reopened(path: &std::path::Path) -> (Outbox, Vec<Entry>) {
    loop {
        if let Ok(open) = Outbox::open(path, |_| true) {
            return open;
        }
        tokio::task::yield_now().await;
    }
}
