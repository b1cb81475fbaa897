//! The view and a naive list of entries give the same verdicts, whatever is applied, repeated, loaded and dropped.

use std::collections::HashMap;
use std::time::Duration;

use countersign_token::{FeedPosition, SessionId, Timestamp};
use proptest::prelude::*;

use super::{NOW, at, reading, seconds, session};
use crate::contract::{Batch, BatchKind};
use crate::fact::{EndReason, Entry, News};
use crate::op::Owner;
use crate::view::{Floor, Loaded, Question, Verdict, View};

/// What was applied, and not dropped yet, in a list.
#[derive(Default)]
struct Model(Vec<Entry>);

impl Model {
    fn apply(&mut self, entry: &Entry) {
        if !self.0.contains(entry) {
            self.0.push(entry.clone());
        }
    }

    /// What is said of one thing is kept until the last of it is due.
    fn expire(&mut self, now: Timestamp) {
        let mut until = HashMap::new();
        for entry in &self.0 {
            let latest = until.entry(about(entry)).or_insert(Timestamp::ZERO);
            *latest = (*latest).max(kept_until(entry));
        }
        self.0.retain(|entry| until[&about(entry)] > now || until[&about(entry)] == Timestamp::MAX);
    }

    fn judge(&self, q: &Question<'_>) -> Verdict {
        let of = |rank| self.0.iter().filter_map(move |entry| hit(entry, q).filter(|hit| hit.0 == rank));
        let best = |rank| of(rank).max_by_key(|(_, order, _)| *order).map(|(_, _, reason)| reason);
        (0..5).find_map(best).map_or(Verdict::Clear, Verdict::Ended)
    }

    fn floor(&self, of: &SessionId) -> Option<Floor> {
        let floors = self.0.iter().filter_map(|entry| match *entry.news.told() {
            News::Floor(session, exclusive) if session == *of => Some(Floor { exclusive, at: entry.at }),
            _ => None,
        });
        floors.max_by_key(|floor| (floor.exclusive, floor.at))
    }
}

/// Session ends are kept in ticks of 16 s, rounded up.
fn kept_until(entry: &Entry) -> Timestamp {
    match (entry.news.told(), entry.until) {
        (_, Timestamp::MAX) => Timestamp::MAX,
        (News::Ended(..), until) => Timestamp::from_millis(until.as_millis().div_ceil(16_000) * 16_000),
        (_, until) => until,
    }
}

fn about(entry: &Entry) -> String {
    match entry.news.told() {
        News::Ended(session, _) => format!("ended {session}"),
        News::OwnerEnded(owner, ..) => format!("owner {owner:?}"),
        News::TenantEnded(tenant, _) => format!("tenant {tenant}"),
        News::EveryoneEnded(_) => "everyone".into(),
        News::KeyRemoved(kid) => format!("key {kid}"),
        News::Floor(session, _) => format!("floor {session}"),
        News::HandedOver(session, _) => format!("handed over {session}"),
        News::Again(..) => unreachable!(),
    }
}

/// A session of an epoch in which it was told, or of an earlier one, compares with where it was told there.
fn born_before(entry: &Entry, born: FeedPosition) -> bool {
    match entry.news.earlier().into_iter().find(|earlier| born.epoch <= earlier.epoch) {
        Some(earlier) => born < earlier,
        None => born < entry.position,
    }
}

/// Whether the entry ends the session; which kind speaks first, and which entry of one kind.
fn hit(entry: &Entry, q: &Question<'_>) -> Option<(usize, (u64, u8), EndReason)> {
    let before = born_before(entry, q.born);
    let by_position = (entry.position.epoch * 100 + entry.position.seq, 0);
    match entry.news.told() {
        News::Ended(session, reason) if session == q.session => {
            Some((0, (kept_until(entry).as_millis(), *reason as u8), *reason))
        }
        News::OwnerEnded(owner, except, reason)
            if before
                && *except != Some(*q.session)
                && (owner.tenant.as_deref(), &*owner.subject) == (q.tenant, q.subject) =>
        {
            Some((1, by_position, *reason))
        }
        News::TenantEnded(tenant, reason) if before && q.tenant == Some(&**tenant) => {
            Some((2, by_position, *reason))
        }
        News::EveryoneEnded(reason) if before => Some((3, by_position, *reason)),
        News::KeyRemoved(kid) if **kid == *q.kid => Some((4, (0, 0), EndReason::KeyRemoved)),
        _ => None,
    }
}

#[derive(Clone, Debug)]
enum Step {
    Apply(prop::sample::Index),
    Snapshot(Vec<prop::sample::Index>, u64),
    Expire(u64),
}

fn reasons() -> impl Strategy<Value = EndReason> {
    prop_oneof![Just(EndReason::Logout), Just(EndReason::RefreshReused), Just(EndReason::Limit)]
}

fn owners() -> impl Strategy<Value = Owner> {
    (0..2_u8, prop::option::of(0..2_u8)).prop_map(|(subject, tenant)| Owner {
        tenant: tenant.map(|tenant| format!("t{tenant}").into()),
        subject: format!("s{subject}").into(),
    })
}

fn news() -> impl Strategy<Value = News> {
    let except = prop::option::of((0..4_u64).prop_map(session));
    prop_oneof![
        4 => (0..4_u64, reasons()).prop_map(|(n, reason)| News::Ended(session(n), reason)),
        4 => (owners(), except, reasons()).prop_map(|(owner, but, reason)| News::OwnerEnded(owner, but, reason)),
        1 => (0..2_u8, reasons()).prop_map(|(n, reason)| News::TenantEnded(format!("t{n}").into(), reason)),
        1 => reasons().prop_map(News::EveryoneEnded),
        1 => (0..2_u8).prop_map(|n| News::KeyRemoved(format!("k{n}").into())),
        2 => (0..4_u64, 1..5_u64).prop_map(|(n, exclusive)| News::Floor(session(n), exclusive)),
        1 => (0..4_u64).prop_map(|n| News::HandedOver(session(n), None)),
    ]
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let until = prop_oneof![9 => (1..100_u64).prop_map(seconds), 1 => Just(Timestamp::MAX)];
    prop::collection::vec((news(), 0..50_u64, until), 1..14)
        .prop_map(|drawn| {
            let numbered = drawn.into_iter().zip(1..);
            let first: Vec<Entry> = numbered
                .map(|((news, age, until), seq)| Entry {
                    position: at(1, seq),
                    at: seconds(age),
                    until,
                    news,
                })
                .collect();
            first
        })
        .prop_flat_map(|first| {
            let again = prop::collection::vec(any::<prop::sample::Index>(), 0..7);
            (Just(first), again.clone(), again).prop_map(|(mut all, second, third)| {
                for (epoch, again) in [(2, second), (3, third)] {
                    let told: Vec<Entry> = again.iter().map(|which| which.get(&all).clone()).collect();
                    let told = told.into_iter().filter(|entry| entry.position.epoch < epoch).zip(1..);
                    all.extend(told.map(|(before, seq)| Entry {
                        position: at(epoch, seq),
                        news: News::Again(before.position, Box::new(before.news)),
                        ..before
                    }));
                }
                all
            })
        })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    prop::collection::vec(
        prop_oneof![
            8 => index().prop_map(Step::Apply),
            1 => (prop::collection::vec(index(), 0..10), 0..120_u64).prop_map(|(some, now)| Step::Snapshot(some, now)),
            2 => (0..120_u64).prop_map(Step::Expire),
        ],
        1..40,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn judges_as_a_naive_list_does(entries in entries(), steps in steps()) {
        let (view, mut model) = (View::new(), Model::default());
        for step in &steps {
            match step {
                Step::Apply(which) => {
                    view.apply(which.get(&entries));
                    model.apply(which.get(&entries));
                }
                Step::Expire(now) => {
                    view.expire(seconds(*now));
                    model.expire(seconds(*now));
                }
                Step::Snapshot(which, now) => {
                    let some: Vec<Entry> = which.iter().map(|which| which.get(&entries).clone()).collect();
                    for entry in &some {
                        model.apply(entry);
                    }
                    model.expire(seconds(*now));
                    let (complete_to, kind) = (at(3, 99), BatchKind::Snapshot);
                    let batch = Batch { complete_to, kind, entries: some, at: NOW, behind: Duration::ZERO };
                    assert_eq!(view.load(&batch, reading(0, 0), seconds(*now)), Loaded::Complete);
                }
            }
            compare(&view, &model);
        }
    }
}

fn compare(view: &View, model: &Model) {
    let births = [at(1, 0), at(1, 3), at(1, 7), at(1, 13), at(2, 0), at(2, 2), at(2, 5), at(3, 1), at(3, 4)];
    for (n, born) in (0..5).flat_map(|n| births.map(|born| (n, born))) {
        let id = session(n);
        assert_eq!(view.floor(&id), model.floor(&id));
        for (subject, tenant, kid) in
            [("s0", None, "k0"), ("s0", Some("t0"), "k1"), ("s1", Some("t1"), "k2"), ("s1", None, "k2")]
        {
            let question = Question { session: &id, born, subject, tenant, kid };
            assert_eq!(view.judge(&question), model.judge(&question), "{question:?} {:?}", model.0);
        }
    }
}
