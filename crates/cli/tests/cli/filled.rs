//! The registry that each transcript finds in its folder, `registry.redb`: sessions of known ids that began days ago, at
//! half hours, so that what is told of their age is the same in each run.

use std::path::Path;
use std::time::Duration;

use countersign_file::{FileRegistry, Options};
use countersign_registry::{
    Admit, Admitted, Clock as _, Filter, Holding, Lifetime, List, ManualClock, Order, Owner, Registry, Rules,
    SessionRecord, SystemClock, Touch,
};
use countersign_token::SessionId;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A site where a session may idle for longer than by default, so that a command with the default rules would end some.
const RULES: Rules = Rules {
    race_window: Duration::from_mins(1),
    dangling_after: Duration::from_hours(48),
    idle_timeout: Duration::from_hours(30 * 24),
    access_lifetime: Duration::from_mins(5),
    clock_skew: Duration::ZERO,
    limits: countersign_registry::Limits::none(),
};

/// Every session of the registry, and whether it holds a seat, as a server of that site sees it.
pub(crate) fn sessions(folder: &Path) -> Vec<(SessionRecord, Holding)> {
    let registry = FileRegistry::open(folder.join("registry.redb")).unwrap();
    registry.configure(RULES);
    let all = List { filter: Filter::default(), order: Order::Oldest, after: None, limit: 1000 };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(registry.list(all)).unwrap().sessions
}

/// Adds a crowd that was last here two days ago, to a registry of its own.
pub(crate) fn crowd(folder: &Path, size: u16) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let clock = ManualClock::at(SystemClock.now().before(2 * DAY));
    let path = folder.join("registry.redb");
    let registry = FileRegistry::open_with(&path, Options::default().clock(clock)).unwrap();
    registry.configure(Rules { dangling_after: HOUR, ..RULES });
    runtime.block_on(async {
        let all = (0..size).map(|n| {
            let mut id = [7; 16];
            id[..2].copy_from_slice(&n.to_be_bytes());
            let mut admit = Admit::new(SessionId::from_bytes(id), Owner::new(format!("user {n}")));
            admit.lifetime = Lifetime::For(60 * DAY);
            registry.admit(admit)
        });
        // Together, so that they share the disk's turns.
        for admitted in futures_util::future::join_all(all).await {
            assert!(matches!(admitted, Ok(Admitted::Seated(_))), "{admitted:?}");
        }
        registry.flush().await.unwrap();
    });
}

/// Makes the registry.
pub(crate) fn fill(folder: &Path) {
    let half = HOUR / 2;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let now = SystemClock.now();
    let clock = ManualClock::at(now.before(9 * DAY + 2 * HOUR + half));
    let path = folder.join("registry.redb");
    let registry = FileRegistry::open_with(&path, Options::default().clock(clock.clone())).unwrap();
    registry.configure(RULES);
    let admit = |n: u8, owner: Owner, device: &str| {
        let mut admit = Admit::new(SessionId::from_bytes([n; 16]), owner);
        admit.device = Some(device.into());
        admit.lifetime = Lifetime::For(60 * DAY);
        let admitted = runtime.block_on(registry.admit(admit)).unwrap();
        assert!(matches!(admitted, Admitted::Seated(_)), "{admitted:?}");
    };
    admit(1, Owner::new("alice"), "Firefox on Linux");
    admit(2, Owner::new("bob").of_tenant("acme"), "Safari on iPhone");
    clock.advance(4 * DAY);
    admit(
        3,
        Owner::new("alice"),
        "\u{1b}[2JChrome on \u{202e}Windows, with a name that is far too long for a column",
    );
    admit(4, Owner::new("<b>eve</b>\r\n"), "curl");
    for _ in 0..4 {
        clock.advance(DAY);
        let mark = Touch { session: SessionId::from_bytes([3; 16]), age: Duration::ZERO };
        runtime.block_on(registry.touch(vec![mark])).unwrap();
    }
    runtime.block_on(registry.flush()).unwrap();
}
