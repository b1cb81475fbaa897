//! A server whose data is older than what it acknowledged: the nodes tell it again what it lost.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod support;

use std::time::Duration;

use countersign_registry::{
    Admit, Admitted, Batch, Claim, Claimed, CountOf, Effect, End, EndReason, Holding, Limits, ManualClock,
    News, OnFull, Once, OnceId, OpId, Owner, Question, Registry as _, Rules, SessionRecord, Standing, Target,
    Verdict, View,
};
use countersign_token::SessionId;
use countersign_valkey::{OpenError, Options, ValkeyRegistry};
use support::{ENGINES, Engine, START, Server, patient};

const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];
const SECOND: Duration = Duration::from_secs(1);

fn sid(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

/// A server, and nodes whose clock is a test's.
struct Site {
    server: Server,
    clock: ManualClock,
    nodes: Vec<ValkeyRegistry>,
}

impl Site {
    /// Nodes that have read the feed, so that the registry knows of them.
    async fn of(engine: Engine, nodes: usize) -> Self {
        let clock = ManualClock::at(START);
        let mut site = Self { server: Server::start_with(engine, &DURABLE), clock, nodes: Vec::new() };
        for _ in 0..nodes {
            let node = site.server.registry(patient().clock(site.clock.clone())).await;
            node.configure(Rules { limits: Limits::none().per_site(3, OnFull::Refuse), ..Rules::default() });
            let _ = node.feed(None).await.unwrap();
            site.nodes.push(node);
        }
        site
    }

    /// A moment later, so that whatever happened before was before.
    fn moment(&self) {
        self.clock.advance(SECOND);
    }

    async fn login(&self, node: usize, number: u8, owner: &str) -> SessionRecord {
        match self.nodes[node].admit(Admit::new(sid(number), Owner::new(owner))).await.unwrap() {
            Admitted::Seated(seated) => seated.record,
            other => panic!("a login was answered {other:?}"),
        }
    }

    async fn end(&self, node: usize, target: Target) -> u64 {
        let id = OpId([self.clock_bytes(); 16]);
        self.moment();
        self.nodes[node].end(End { id, target, reason: EndReason::Logout }).await.unwrap().sessions
    }

    /// Another number for each operation.
    fn clock_bytes(&self) -> u8 {
        use countersign_registry::Clock as _;
        (self.clock.now().since(START).as_secs() + 1) as u8
    }

    async fn standing(&self, number: u8) -> Standing {
        self.nodes[0].get(vec![sid(number)]).await.unwrap().remove(0)
    }

    async fn sessions(&self) -> u64 {
        // The first call after a break may find the old connection dead.
        let _ = self.nodes[0].counts(CountOf::Site).await;
        self.nodes[0].counts(CountOf::Site).await.unwrap().sessions
    }

    /// All nodes but the first so many read the feed at once.
    async fn read(&self, but: usize) -> Vec<Batch> {
        let reading = self.nodes[but..].iter().map(async |node| {
            let _ = node.counts(CountOf::Site).await;
            node.feed(None).await.unwrap()
        });
        futures_util::future::join_all(reading).await
    }
}

fn verdict(batch: &Batch, session: &SessionRecord) -> Verdict {
    let view = View::new();
    view.apply_all(&batch.entries);
    let subject = &session.owner.subject;
    view.judge(&Question { session: &session.id, born: session.born, subject, tenant: None, kid: "k" })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_older_copy_of_the_data_lacks_is_told_again() {
    for engine in ENGINES {
        let mut site = Site::of(engine, 2).await;
        let ended = site.login(0, 1, "ada").await;
        let _ = site.login(1, 2, "bob").await;
        site.moment();
        let copy = site.server.copy();
        assert_eq!(site.end(0, Target::Sessions(vec![sid(1)])).await, 1);
        let lost = site.login(1, 3, "cy").await;
        let until = START.after(600 * SECOND);
        let once = |claim| Once { id: OnceId([1; 32]), until, of: None, claim };
        assert_eq!(site.nodes[1].once(once(Claim::UseUp)).await.unwrap(), Claimed::First);
        let gone = site.login(0, 4, "cy").await;
        assert_eq!(site.end(1, Target::Sessions(vec![sid(4)])).await, 1);

        site.server.put_back(&copy, &DURABLE);
        assert_eq!(site.sessions().await, 2, "{engine:?}: the copy is older, and knows no end");
        let early = site.nodes[0].admit(Admit::new(sid(9), Owner::new("ada"))).await.unwrap_err();
        assert_eq!(early.effect, Effect::None, "{engine:?}: nobody is let in before all is told");

        let batches = site.read(0).await;
        assert_eq!(site.standing(1).await, Standing::Ended(Some(EndReason::Logout)), "{engine:?}");
        assert_eq!(site.standing(4).await, Standing::Ended(Some(EndReason::Logout)), "{engine:?}");
        assert!(matches!(site.standing(2).await, Standing::Live(_, Holding::Seat)));
        let Standing::Live(record, Holding::Seat) = site.standing(3).await else {
            panic!("{engine:?}: an admission was lost")
        };
        assert_eq!(SessionRecord { last_activity: lost.last_activity, ..*record }, lost);
        assert_eq!(site.nodes[0].once(once(Claim::LookOnly)).await.unwrap(), Claimed::Spent, "{engine:?}");
        for batch in batches {
            let refused = [&ended, &gone, &lost].map(|session| verdict(&batch, session) != Verdict::Clear);
            assert_eq!(refused, [true, true, false], "{engine:?}: {batch:?}");
            assert!(batch.entries.iter().any(|entry| matches!(entry.news, News::Again(..))));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_comes_late_tells_it_all_the_same() {
    for engine in ENGINES {
        let mut site = Site::of(engine, 2).await;
        let _ = (site.login(0, 1, "ada").await, site.login(0, 2, "bob").await);
        site.moment();
        let copy = site.server.copy();
        // The first node knows all of it, and is away.
        assert_eq!(site.end(0, Target::Sessions(vec![sid(1)])).await, 1);
        let lost = site.login(0, 3, "cy").await;
        site.server.put_back(&copy, &DURABLE);
        let _ = site.nodes[1].counts(CountOf::Site).await;
        let _ = site.nodes[1].counts(CountOf::Site).await.unwrap();
        site.clock.advance(5 * SECOND);
        let batch = site.read(1).await.remove(0);
        assert!(batch.entries.iter().all(|entry| !matches!(entry.news, News::Again(..))));
        let _ = site.nodes[1].get(vec![sid(1)]).await.unwrap();
        assert_eq!(site.sessions().await, 2, "{engine:?}: it is open, and knows no end");

        let batch = site.read(0).await.remove(0);
        assert_eq!(site.standing(1).await, Standing::Ended(Some(EndReason::Logout)), "{engine:?}");
        let Standing::Live(record, holding) = site.standing(3).await else {
            panic!("{engine:?}: an admission was lost")
        };
        assert_eq!((record.owner, holding), (lost.owner, Holding::Nothing), "a seat may be another's by now");
        assert!(batch.entries.iter().any(|entry| matches!(entry.news, News::Again(..))), "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_of_all_hits_whom_it_hit_and_nobody_else() {
    for engine in ENGINES {
        let mut site = Site::of(engine, 2).await;
        let _ = site.login(0, 1, "ada").await;
        site.moment();
        let copy = site.server.copy();
        let before = site.login(1, 2, "ada").await;
        assert_eq!(site.end(0, Target::Owner(Owner::new("ada"), None)).await, 2);
        let after = site.login(1, 3, "ada").await;
        site.server.put_back(&copy, &DURABLE);
        assert_eq!(site.sessions().await, 1, "{engine:?}");
        let batch = site.read(0).await.remove(0);
        let lives = [1, 2, 3].map(async |number| matches!(site.standing(number).await, Standing::Live(..)));
        let lives = futures_util::future::join_all(lives).await;
        assert_eq!(lives, [false, false, true], "{engine:?}");
        assert_ne!(verdict(&batch, &before), Verdict::Clear, "{engine:?}");
        assert_eq!(verdict(&batch, &after), Verdict::Clear, "{engine:?}: a login after the end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_in_mid_recovery_outlives_what_is_restored() {
    let mut site = Site::of(Engine::Redis, 2).await;
    let copy = site.server.copy();
    let lost = site.login(0, 1, "ada").await;
    site.server.put_back(&copy, &DURABLE);
    assert_eq!(site.sessions().await, 0);
    // The other node does not know that this session was there, and ends it.
    let _ = site.nodes[1].counts(CountOf::Site).await;
    assert_eq!(site.end(1, Target::Sessions(vec![sid(1)])).await, 0);
    let batch = site.read(0).await.remove(0);
    assert_eq!(site.standing(1).await, Standing::Ended(Some(EndReason::Logout)));
    assert_ne!(verdict(&batch, &lost), Verdict::Clear);
}

/// The only node that knew of an end is killed together with the server that had it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_killed_tells_what_is_in_its_outbox() {
    for engine in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let mut site = Site::of(engine, 0).await;
        let options = patient().clock(site.clock.clone()).outbox(folder.path().join("outbox"));
        site.nodes.push(site.server.registry(options.clone()).await);
        let _ = site.nodes[0].feed(None).await.unwrap();
        for (number, owner) in [(1, "ada"), (2, "bob"), (3, "cy")] {
            let _ = site.login(0, number, owner).await;
        }
        site.moment();
        let copy = site.server.copy();
        assert_eq!(site.end(0, Target::Sessions(vec![sid(1)])).await, 1);
        assert_eq!(site.end(0, Target::Owner(Owner::new("bob"), None)).await, 1);
        site.nodes.clear();
        site.server.put_back(&copy, &DURABLE);
        site.nodes.push(opened(&site.server, options).await);
        assert_eq!(site.sessions().await, 3, "{engine:?}: the copy is older, and knows no end");
        // Nobody else was there, and the node that was has another id now.
        site.clock.advance(5 * SECOND);
        site.read(0).await;
        let lives = [1, 2, 3].map(async |number| matches!(site.standing(number).await, Standing::Live(..)));
        assert_eq!(futures_util::future::join_all(lives).await, [false, false, true], "{engine:?}");
    }
}

/// A registry whose outbox another one may be about to close.
async fn opened(server: &Server, options: Options) -> ValkeyRegistry {
    loop {
        match ValkeyRegistry::connect_with(&server.url(), options.clone()).await {
            Err(OpenError::Outbox { .. }) => tokio::task::yield_now().await,
            registry => return registry.unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_waits_until_all_is_told() {
    for engine in ENGINES {
        let mut server = Server::start_with(engine, &DURABLE);
        let node = server.registry(patient()).await;
        node.configure(Rules::default());
        let _ = node.feed(None).await.unwrap();
        let copy = server.copy();
        server.put_back(&copy, &DURABLE);
        let _ = node.counts(CountOf::Site).await;
        let (_, recovering) = node.recovery().feed(None).await.unwrap();
        assert!(recovering, "{engine:?}: it knows that the node was there");
        let mut login = node.admit(Admit::new(sid(1), Owner::new("ada")));
        let early = tokio::time::timeout(SECOND, &mut login).await;
        assert!(early.is_err(), "{engine:?}: {early:?}");
        let _ = node.feed(None).await.unwrap();
        assert!(matches!(login.await.unwrap(), Admitted::Seated(_)), "{engine:?}");
    }
}
