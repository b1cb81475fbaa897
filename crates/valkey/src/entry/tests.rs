//! Entries are written as they are read.

use std::time::Duration;

use countersign_registry::{EndReason, Entry, News, Owner};
use countersign_token::{FeedPosition, SessionId, Timestamp};

use super::{bytes, entry};

#[test]
fn every_kind_is_read_as_it_was_written() {
    let id = SessionId::from_bytes([7; 16]);
    let acme = Owner::new("ada").of_tenant("acme");
    let reason = EndReason::RefreshReused;
    let kinds = [
        News::Ended(id, reason),
        News::OwnerEnded(acme.clone(), Some(id), reason),
        News::OwnerEnded(Owner::new(""), None, EndReason::Logout),
        News::TenantEnded("acme".into(), reason),
        News::EveryoneEnded(EndReason::KeyRemoved),
        News::KeyRemoved("kid".into()),
        News::Floor(id, 12),
        News::HandedOver(id, Some("iPad".into())),
        News::HandedOver(id, None),
    ];
    let now = Timestamp::from_secs(1_800_000_000);
    for news in kinds {
        let at = |epoch, seq| FeedPosition { epoch, seq };
        let first = Entry { position: at(1, 2), at: now, until: now.after(Duration::from_mins(5)), news };
        let second = News::Again(first.position, Box::new(first.news.clone()));
        let third = News::Again(at(3, 4), Box::new(second.clone()));
        for news in [first.news.clone(), second, third] {
            let entry_ = Entry { position: at(5, 6), news, ..first.clone() };
            assert_eq!(entry(&bytes(&entry_).unwrap()).unwrap(), entry_);
        }
    }
}
