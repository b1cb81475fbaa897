//! Servers that stop, restart, forget or refuse: what callers hear, and what nodes find out.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod support;

use std::time::Duration;

use countersign_registry::{
    Admit, Admitted, BatchKind, CountOf, Effect, End, EndReason, News, OpId, Owner, Registry, RegistryError,
    Rules, Standing, Target,
};
use countersign_token::SessionId;
use countersign_valkey::{OpenError, Options, Unfit, ValkeyRegistry};
use support::proxy::Proxy;
use support::{ENGINES, Engine, Server, patient};

/// The only setting with which a server that is killed forgets nothing.
const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];
const DEADLINE: Duration = Duration::from_millis(2500);

fn sid(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

async fn registry(server: &Server) -> ValkeyRegistry {
    let registry = server.registry(patient()).await;
    registry.configure(Rules::default());
    registry
}

/// One that does not wait for long.
async fn hasty(server: &Server) -> ValkeyRegistry {
    let registry = server.registry(Options::default().deadline(DEADLINE)).await;
    registry.configure(Rules::default());
    registry
}

async fn login(registry: &ValkeyRegistry, number: u8) -> Result<Admitted, RegistryError> {
    registry.admit(Admit::new(sid(number), Owner::new("ada"))).await
}

fn logout(number: u8) -> End {
    End { id: OpId([number; 16]), target: Target::Sessions(vec![sid(number)]), reason: EndReason::Logout }
}

async fn lives(registry: &ValkeyRegistry, number: u8) -> bool {
    matches!(registry.get(vec![sid(number)]).await.unwrap()[0], Standing::Live(..))
}

async fn effect(registry: &ValkeyRegistry) -> Effect {
    registry.counts(CountOf::Site).await.unwrap_err().effect
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_begins_another_epoch_and_forgets_nothing() {
    for engine in ENGINES {
        let mut server = Server::start_with(engine, &DURABLE);
        let registry = registry(&server).await;
        let _ = (login(&registry, 1).await.unwrap(), login(&registry, 2).await.unwrap());
        let ended = registry.end(logout(1)).await.unwrap();
        server.restart(&DURABLE);
        let batch = reconnected(&registry, async || registry.feed(Some(ended.position)).await).await;
        assert!(batch.complete_to.epoch > ended.position.epoch, "{engine:?}: a restart was not noticed");
        assert_eq!(batch.kind, BatchKind::Snapshot, "positions of the old epoch have no tail in the new one");
        assert!(batch.entries.contains(&ended.entries[0]), "{engine:?}: a revocation was forgotten");
        assert!(lives(&registry, 2).await && !lives(&registry, 1).await);
        let again = registry.end(logout(1)).await.unwrap();
        assert_eq!(
            (again.sessions, again.position),
            (1, ended.position),
            "a repetition is known across a restart"
        );
    }
}

/// The first call after a break may find the old connection dead.
async fn reconnected<T>(registry: &ValkeyRegistry, call: impl AsyncFn() -> Result<T, RegistryError>) -> T {
    let _ = registry.counts(CountOf::Site).await;
    call().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lost_everything_has_ended_everyone() {
    for engine in ENGINES {
        let mut server = Server::start(engine);
        let registry = registry(&server).await;
        let _ = login(&registry, 1).await.unwrap();
        let mut last = registry.feed(None).await.unwrap().complete_to;
        for restarts in [true, false] {
            if restarts {
                server.kill();
                server.lose_everything();
                server.restart(&["--appendonly", "yes"]);
            } else {
                server.ask(&["FLUSHALL"]).await;
            }
            let batch = reconnected(&registry, async || registry.feed(Some(last)).await).await;
            assert!(batch.complete_to.epoch > last.epoch, "{engine:?}: a loss was not noticed");
            let news: Vec<News> = batch.entries.into_iter().map(|entry| entry.news).collect();
            let everyone = News::EveryoneEnded(EndReason::EndedByAdmin);
            assert_eq!((batch.kind, &news[0]), (BatchKind::Snapshot, &everyone), "{engine:?}");
            // What the node had heard before, it told again.
            let again = |news: &News| matches!(news, News::Again(..)) && news.told() == &everyone;
            assert!(news[1..].iter().all(again), "{engine:?}: {news:?}");
            let Admitted::Seated(seated) = login(&registry, 1).await.unwrap() else {
                panic!("the site is empty")
            };
            assert_eq!(seated.record.born, batch.complete_to, "who logs in now is born after it");
            last = batch.complete_to;
        }
    }
}

/// A node that saw a later history than the server's knows that the server lost it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_history_is_not_taken_for_the_later_one() {
    let server = Server::start(Engine::Redis);
    let registry = registry(&server).await;
    let last = registry.feed(None).await.unwrap().complete_to;
    server.ask(&["HSET", "countersign:{site}:meta", "epoch", "7"]).await;
    let batch = registry.feed(Some(last)).await.unwrap();
    assert!(batch.complete_to.epoch > last.epoch && batch.kind == BatchKind::Snapshot, "{batch:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forgotten_scripts_and_cut_connections_are_made_up_for() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let registry = registry(&server).await;
        let _ = login(&registry, 1).await.unwrap();
        server.ask(&["SCRIPT", "FLUSH"]).await;
        assert!(lives(&registry, 1).await);
        let _ = login(&registry, 2).await.unwrap();
        server.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
        assert!(reconnected(&registry, async || Ok(lives(&registry, 2).await)).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_tell_whether_something_may_have_happened() {
    for engine in ENGINES {
        let mut server = Server::start(engine);
        let registry = hasty(&server).await;
        let _ = login(&registry, 1).await.unwrap();

        server.ask(&["CONFIG", "SET", "maxmemory", "1"]).await;
        assert_eq!(login(&registry, 2).await.unwrap_err().effect, Effect::None, "{engine:?}: out of memory");
        server.ask(&["CONFIG", "SET", "maxmemory", "0"]).await;
        server.ask(&["REPLICAOF", "127.0.0.1", "1"]).await;
        assert_eq!(login(&registry, 2).await.unwrap_err().effect, Effect::None, "{engine:?}: a replica");
        server.ask(&["REPLICAOF", "NO", "ONE"]).await;
        assert!(
            !lives(&registry, 2).await && lives(&registry, 1).await,
            "{engine:?}: what was refused has not happened"
        );

        // (A script that the server has yet to be given would not have begun.)
        let _ = registry.counts(CountOf::Site).await.unwrap();
        server.signal("STOP");
        assert_eq!(effect(&registry).await, Effect::Unknown, "{engine:?}: no answer");
        server.signal("CONT");
        assert!(lives(&registry, 1).await, "{engine:?}: the next call finds a new connection");

        server.kill();
        let _ = registry.counts(CountOf::Site).await;
        assert_eq!(effect(&registry).await, Effect::None, "{engine:?}: nobody there");
    }
}

/// A wire that went dead without an end: the call that waits for it finds out, and the next one has another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_connection_is_replaced() {
    let server = Server::start(Engine::Redis);
    let proxy = Proxy::before(server.port).await;
    let url = format!("redis://127.0.0.1:{}", proxy.port);
    let registry = ValkeyRegistry::connect_with(&url, Options::default().deadline(DEADLINE)).await.unwrap();
    let _ = registry.counts(CountOf::Site).await.unwrap();
    proxy.hold();
    assert_eq!(effect(&registry).await, Effect::Unknown);
    let _ = registry.counts(CountOf::Site).await.unwrap();
}

/// An answer that was lost: the operation happened, and its repetition is the same operation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_timed_out_may_be_repeated() {
    let server = Server::start(Engine::Redis);
    let registry = hasty(&server).await;
    let _ = (login(&registry, 1).await.unwrap(), login(&registry, 3).await.unwrap());
    let _ = registry.end(logout(3)).await.unwrap();
    server.signal("STOP");
    let (first, second) = tokio::join!(login(&registry, 2), registry.end(logout(1)));
    assert_eq!((first.unwrap_err().effect, second.unwrap_err().effect), (Effect::Unknown, Effect::Unknown));
    server.signal("CONT");
    let _ = login(&registry, 2).await.unwrap();
    assert_eq!(registry.end(logout(1)).await.unwrap().sessions, 1);
    let counts = registry.counts(CountOf::Site).await.unwrap();
    assert_eq!((counts.sessions, counts.seats), (1, 1), "each happened once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_loads_its_data_has_done_nothing() {
    for engine in ENGINES {
        let mut server = Server::start_with(engine, &DURABLE);
        let (hasty, registry) = (hasty(&server).await, registry(&server).await);
        let _ = login(&registry, 1).await.unwrap();
        // It listens to clients once in 1024 of the commands that it has written.
        server.ask(&["EVAL", "for i = 1, 40000 do redis.call('SET', KEYS[1], i) end", "1", "x"]).await;
        server.kill();
        server.begin_again(&[&DURABLE[..], &["--key-load-delay", "150"]].concat());
        let refused = loop {
            match login(&hasty, 2).await {
                Err(error) if told_loading(&error) => break error,
                Err(error) => assert_eq!(error.effect, Effect::None, "{engine:?}: {error:?}"),
                Ok(_) => panic!("{engine:?}: it had loaded its data before it was asked"),
            }
        };
        assert_eq!(refused.effect, Effect::None, "{engine:?}");
        // Who has the time waits until it is ready.
        let _ = login(&registry, 3).await.unwrap();
        assert!(lives(&registry, 1).await && !lives(&registry, 2).await, "{engine:?}");
    }
}

fn told_loading(error: &RegistryError) -> bool {
    format!("{error:?}").to_lowercase().contains("loading")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_fits_is_refused_at_once() {
    let server = Server::start(Engine::Redis);
    let registry = server.registry(patient()).await;
    let registry = std::sync::Arc::new(registry);
    server.signal("STOP");
    let calls: Vec<_> = (0..16385)
        .map(|_| {
            let registry = registry.clone();
            tokio::spawn(async move { registry.counts(CountOf::Site).await })
        })
        .collect();
    // One is one too many, and hears so while the others still wait.
    let (first, _, others) = futures_util::future::select_all(calls).await;
    assert_eq!(first.unwrap().unwrap_err().effect, Effect::None);
    server.signal("CONT");
    for call in others {
        assert!(call.await.unwrap().is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_would_forget_is_refused() {
    let keeps = ["--appendonly", "yes"];
    for engine in ENGINES {
        let forgetful = Server::start_with(engine, &[]);
        let refused = ValkeyRegistry::connect(&forgetful.url()).await.unwrap_err();
        assert!(refused.to_string().contains("`appendonly yes`"), "{engine:?}: {refused}");
        server_is_used_all_the_same(&forgetful).await;

        let evicting = [&keeps[..], &["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]].concat();
        let evicting = Server::start_with(engine, &evicting);
        let refused = ValkeyRegistry::connect(&evicting.url()).await.unwrap_err();
        assert!(refused.to_string().contains("`maxmemory-policy noeviction`"), "{engine:?}: {refused}");

        let replica = Server::start(engine);
        replica.ask(&["REPLICAOF", "127.0.0.1", "1"]).await;
        let refused = ValkeyRegistry::connect(&replica.url()).await.unwrap_err();
        assert!(
            matches!(&refused, OpenError::Unfit { why, .. } if why.contains("primary")),
            "{engine:?}: {refused}"
        );
    }
}

async fn server_is_used_all_the_same(server: &Server) {
    let registry = server.registry(Options::default().unfit(Unfit::Warn)).await;
    assert!(login(&registry, 1).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_leads_nowhere_is_an_error_without_its_password() {
    for url in ["http://user:secret@localhost", "redis://user:secret@local host:x", "redis://user:secret"] {
        let error = ValkeyRegistry::connect(url).await.unwrap_err();
        assert!(matches!(error, OpenError::Address { .. }), "{url}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
    let error = ValkeyRegistry::connect("redis://user:secret@127.0.0.1:1").await.unwrap_err();
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}

/// One round trip: a refresh, a login and a logout are one command each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_is_one_command() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let registry = registry(&server).await;
        let _ = (login(&registry, 1).await.unwrap(), registry.end(logout(1)).await.unwrap());
        let before = commands(&server).await;
        for number in 2..12 {
            let _ = (login(&registry, number).await.unwrap(), registry.end(logout(number)).await.unwrap());
        }
        assert_eq!(commands(&server).await - before, 20, "{engine:?}: twenty operations");
    }
}

/// How many scripts clients have called or loaded, by the server's count.
async fn commands(server: &Server) -> u64 {
    let info = server.info("commandstats").await;
    let of = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(&format!("cmdstat_{name}:")));
        line.map_or(0, |line| {
            line.split("calls=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap()
        })
    };
    of("evalsha") + of("script|load") + of("eval")
}
