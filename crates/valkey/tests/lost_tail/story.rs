//! A run: people come and go through several nodes while the servers fail over again and again; then everything that was
//! acknowledged is asked about.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use countersign_registry::conformance::checker::{History, Span, Stopwatch};
use countersign_registry::{Limits, OnFull, Registry as _, Rules, Standing};
use countersign_token::SessionId;
use countersign_valkey::Options;
use futures_util::future::join_all;
use tokio::time::timeout;

use crate::client::{Draw, Held, Login, Repeat, log_in};
use crate::place::Place;
use crate::service::{Node, answered};
use crate::support::until;

const NODES: usize = 3;
const PEOPLE: u64 = 6;
const SEATS: u32 = 24;
/// How much is done before each fail-over, and how much of what is done is lost in it.
const WORK: usize = 40;
const LOST_WORK: usize = 12;
const MOMENT: Duration = Duration::from_secs(1);

/// What a run is counted by.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    fail_overs: usize,
    pub(crate) logins: usize,
    pub(crate) refused: usize,
    pub(crate) refreshes: usize,
    pub(crate) updates: usize,
    pub(crate) ends: usize,
    /// Updates that got no answer, and had to be done anew.
    pub(crate) conflicts: usize,
    /// Ended sessions that lived again, and nodes that let them pass.
    pub(crate) revocations_lost: usize,
    /// States that could be replayed after an exclusive update.
    pub(crate) updates_lost: usize,
    /// Sessions that ended though nobody ended them.
    pub(crate) logged_out: Vec<String>,
    /// What the checker of limits found.
    limit: Option<String>,
}

/// Runs a story with so many fail-overs in it.
pub(crate) async fn run(
    place: &mut impl Place,
    options: &Options,
    repeat: Repeat,
    fail_overs: usize,
) -> Tally {
    let rules = Rules {
        // Short, so that tokens are used up.
        race_window: Duration::from_millis(50),
        // Longer than the longest run: a view forgets an end when the last token that it concerns has expired.
        access_lifetime: Duration::from_hours(2),
        limits: Limits::none().per_site(SEATS, OnFull::Refuse),
        ..Rules::default()
    };
    let url = place.url();
    let nodes = join_all((0..NODES).map(|_| Node::start(&url, options.clone(), rules)));
    let nodes: Vec<_> = nodes.await.into_iter().map(Arc::new).collect();
    let course = Arc::new(Course {
        nodes,
        repeat,
        watch: Stopwatch::default(),
        over: AtomicBool::new(false),
        done: AtomicUsize::new(0),
    });
    let people = join_all((0..PEOPLE).map(|seed| Person::new(&course, seed).live()));
    let failing = async {
        for _ in 0..fail_overs {
            course.until_more_is_done(WORK).await;
            place.lose_tail().await;
            // What is acknowledged from here on is to be lost. In the strict mode nothing is.
            let _ = timeout(MOMENT, course.until_more_is_done(LOST_WORK)).await;
            place.fail_over().await;
        }
        course.until_more_is_done(WORK).await;
        course.over.store(true, Ordering::Release);
    };
    let (people, ()) = tokio::join!(people, failing);
    let tally = Tally { fail_overs, ..course.judge(people).await };
    println!("{tally:?}");
    tally
}

struct Course {
    nodes: Vec<Arc<Node>>,
    repeat: Repeat,
    watch: Stopwatch,
    over: AtomicBool,
    done: AtomicUsize,
}

impl Course {
    async fn until_more_is_done(&self, more: usize) {
        let enough = self.done.load(Ordering::Acquire) + more;
        until("people get on with their work", async || self.done.load(Ordering::Acquire) >= enough).await;
    }

    /// Waits until every node has read what there is.
    async fn caught_up(&self) {
        let node = &self.nodes[0];
        let last = answered("the feed was read", async |_| node.registry.feed(None).await).await.complete_to;
        until("all nodes have read the feed", async || {
            self.nodes.iter().all(|node| node.view.position().is_some_and(|known| known >= last))
        })
        .await;
    }

    async fn judge(&self, people: Vec<Person>) -> Tally {
        self.caught_up().await;
        let mut tally = Tally::default();
        let mut history = History::new(SEATS as usize);
        for person in people {
            for (session, call) in &person.came {
                history.admitted(number(session), *call);
            }
            for (held, call) in &person.gone {
                history.left(number(&held.session.id), *call);
                tally.revocations_lost += usize::from(self.lives(held).await);
            }
            for mut held in person.here {
                tally.updates_lost += usize::from(held.can_be_replayed(&self.nodes[0]).await);
                let alive = held.refresh(&self.nodes, &mut Draw::new(1)).await;
                tally.logged_out.extend(alive.err().map(|why| format!("{why} ({:?})", held.session.born)));
            }
            person.refused.iter().for_each(|&call| history.refused(call));
            tally.add(person.tally);
        }
        tally.limit = history.verdict().err().map(|violation| format!("{violation:?}"));
        tally
    }

    /// Whether a session that had ended lives: in the registry, by its refresh token, or in a node's view.
    async fn lives(&self, held: &Held) -> bool {
        let node = &self.nodes[0];
        let id = held.session.id;
        let standing = answered("a session was asked for", async |_| node.registry.get(vec![id]).await).await;
        let passes = self.nodes.iter().any(|node| !node.refuses(&held.session));
        passes || matches!(standing[0], Standing::Live(..)) || held.works(node).await
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.logins += other.logins;
        self.refused += other.refused;
        self.refreshes += other.refreshes;
        self.updates += other.updates;
        self.ends += other.ends;
        self.conflicts += other.conflicts;
        self.revocations_lost += other.revocations_lost;
        self.logged_out.extend(other.logged_out);
    }

    /// A run in which little happened proves little.
    pub(crate) fn assert_busy(&self) {
        let happened = [self.logins, self.refreshes, self.updates, self.ends];
        assert!(happened.iter().all(|&times| times >= self.fail_overs), "{self:?}");
    }

    /// What holds in every mode.
    pub(crate) fn assert_kept(&self) {
        // Of each person one update at most is under way.
        assert!(self.conflicts <= self.fail_overs * PEOPLE as usize, "{self:?}");
        assert_eq!(self.revocations_lost, 0, "{self:?}");
        assert_eq!(self.updates_lost, 0, "{self:?}");
        assert!(self.logged_out.is_empty(), "{self:?}");
        assert_eq!(self.limit, None, "{self:?}");
    }
}

fn number(session: &SessionId) -> u128 {
    u128::from_be_bytes(*session.as_bytes())
}

/// Somebody with several browsers.
struct Person {
    course: Arc<Course>,
    draw: Draw,
    here: Vec<Held>,
    gone: Vec<(Held, Span)>,
    came: Vec<(SessionId, Span)>,
    refused: Vec<Span>,
    tally: Tally,
}

impl Person {
    fn new(course: &Arc<Course>, seed: u64) -> Self {
        let (course, draw) = (course.clone(), Draw::new(seed + 1));
        let (here, gone, came, refused) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { course, draw, here, gone, came, refused, tally: Tally::default() }
    }

    async fn live(mut self) -> Self {
        while !self.course.over.load(Ordering::Acquire) {
            match self.draw.number() % 10 {
                0..3 => self.log_in().await,
                3..6 => self.with_one(Deed::Refresh).await,
                6..8 => self.with_one(Deed::Update).await,
                8 => self.log_out().await,
                _ => self.look_back().await,
            }
            self.course.done.fetch_add(1, Ordering::AcqRel);
        }
        self
    }

    async fn log_in(&mut self) {
        let Course { nodes, watch, repeat, .. } = &*self.course;
        let (session, login, span) = log_in(nodes, &mut self.draw, watch, *repeat).await;
        match login {
            Login::In(held) => {
                self.came.push((session, span));
                self.here.push(*held);
                self.tally.logins += 1;
            }
            Login::Full => {
                self.refused.push(span);
                self.tally.refused += 1;
            }
            // It may hold a seat from the call on, and nobody knows.
            Login::Lost => self.came.push((session, Span { answered: u64::MAX, ..span })),
        }
    }

    async fn with_one(&mut self, deed: Deed) {
        if self.here.is_empty() {
            return;
        }
        let place = self.draw.number() as usize % self.here.len();
        let held = &mut self.here[place];
        let done = match deed {
            Deed::Refresh => held.refresh(&self.course.nodes, &mut self.draw).await.map(|()| true),
            Deed::Update => held.update(&self.course.nodes, &mut self.draw).await,
        };
        match (done, deed) {
            (Ok(_), Deed::Refresh) => self.tally.refreshes += 1,
            (Ok(true), Deed::Update) => self.tally.updates += 1,
            (Ok(false), Deed::Update) => self.tally.conflicts += 1,
            (Err(why), _) => {
                let held = &self.here[place];
                self.tally.logged_out.push(format!("{why} ({:?})", held.session.born));
                self.here.swap_remove(place);
            }
        }
    }

    async fn log_out(&mut self) {
        if self.here.is_empty() {
            return;
        }
        let place = self.draw.number() as usize % self.here.len();
        let held = self.here.swap_remove(place);
        let Course { nodes, watch, .. } = &*self.course;
        let span = held.log_out(nodes, &mut self.draw, watch).await;
        self.gone.push((held, span));
        self.tally.ends += 1;
    }

    /// Tries a token of a session that has ended, as a thief would, while the servers fail.
    async fn look_back(&mut self) {
        if self.gone.is_empty() {
            return;
        }
        let node = self.draw.one_of(&self.course.nodes).clone();
        let (held, _) = self.draw.one_of(&self.gone);
        self.tally.revocations_lost += usize::from(held.works(&node).await);
    }
}

#[derive(Clone, Copy)]
enum Deed {
    Refresh,
    Update,
}
