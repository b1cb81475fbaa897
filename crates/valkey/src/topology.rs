//! Which server is the primary: the one that was named, that the Sentinels name, or that has the domain's slot.

mod cluster;
mod contact;
mod sentinel;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_registry::{Effect, RegistryError};
use tokio::sync::watch;
use tokio::time::Instant;

use self::cluster::Slots;
use self::sentinel::Service;
use crate::address::{Address, Host, Place, Security};
use crate::error::OpenError;
use crate::options::Options;
use crate::tls::Connector;
use crate::wire::{Dial, Wire};

/// How long a primary is believed to be the one while it is used.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Where a registry's primary is found, and who it was last time.
pub(crate) struct Topology {
    dial: Dial,
    place: Found,
    shown: String,
    replicas: Option<u16>,
    primary: watch::Sender<Option<Primary>>,
    began: Instant,
    /// When the primary is looked for again, in milliseconds since the beginning.
    look_at: AtomicU64,
}

enum Found {
    Server(Host),
    Service(Service),
    Slot(Slots),
}

/// The server that has the sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Primary {
    pub(crate) host: Host,
    /// How many replicas there are, in whatever state.
    pub(crate) replicas: u16,
}

/// What kind of place has the sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Server,
    Service,
    Cluster,
}

/// The primary was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Lost {
    #[error(
        "{answered} of {known} Sentinels answered, and {agree} agree on a primary of {service:?}; a majority must"
    )]
    Majority { service: String, known: usize, answered: usize, agree: usize },
    #[error("no Sentinel knows a service {0:?}")]
    Service(String),
    #[error("none of the cluster's nodes that we know answers")]
    Nodes,
    #[error("no node of the cluster has the slot of this limit domain")]
    Owner,
    #[error("{0} is no primary (yet)")]
    Demoted(Host),
}

impl Topology {
    /// Nothing is asked yet.
    pub(crate) fn new(url: &str, options: &Options, key: &str) -> Result<Arc<Self>, OpenError> {
        let Address { place, security, login, database, replicas } = Address::parse(url)?;
        let connector = match security {
            Security::Plain => None,
            Security::Tls => Some(Connector::new(&options.credentials)?),
        };
        // So that a second attempt fits into an operation's time.
        let patience = options.deadline / 2;
        let dial = Dial::new(&login, database, connector.clone(), patience);
        let (place, shown) = match place {
            Place::Server(host) => (Found::Server(host.clone()), host.to_string()),
            Place::Service { sentinels, name, login } => {
                let shown = format!("{name} of the Sentinels at {}", list(&sentinels));
                let dial = Dial::new(&login, 0, connector, patience);
                (Found::Service(Service::new(sentinels, name, dial, patience)), shown)
            }
            Place::Cluster(seeds) => {
                let shown = format!("the cluster at {}", list(&seeds));
                let by_name = security == Security::Tls;
                (Found::Slot(Slots::new(seeds, key.to_owned(), by_name, dial.clone(), patience)), shown)
            }
        };
        Ok(Arc::new(Self {
            dial,
            place,
            shown,
            replicas,
            primary: watch::Sender::new(None),
            began: Instant::now(),
            look_at: AtomicU64::new(0),
        }))
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.place {
            Found::Server(_) => Kind::Server,
            Found::Service(_) => Kind::Service,
            Found::Slot(_) => Kind::Cluster,
        }
    }

    /// Finds the primary, and lets all connections to another one be given up.
    pub(crate) async fn find(&self) -> Result<Primary, Lost> {
        let mut found = match &self.place {
            Found::Server(host) => Primary { host: host.clone(), replicas: 0 },
            Found::Service(service) => service.primary().await?,
            Found::Slot(slots) => slots.primary().await?,
        };
        found.replicas = self.replicas.unwrap_or(found.replicas);
        self.look_at.store(self.elapsed() + millis(LOOK_AGAIN), Ordering::Relaxed);
        self.primary.send_if_modified(|known| {
            let changed = known.as_ref() != Some(&found);
            if let Some(known) = known.as_ref().filter(|known| known.host != found.host) {
                tracing::info!("the session registry's primary was {}, and is {}", known.host, found.host);
            }
            *known = Some(found.clone());
            changed
        });
        Ok(found)
    }

    /// A new connection to the primary, which was one when it was asked.
    pub(crate) async fn connect(&self) -> Result<Wire, RegistryError> {
        let nothing = |error: &dyn fmt::Display| RegistryError::new(Effect::None, error.to_string());
        let primary = self.find().await.map_err(|lost| nothing(&lost))?;
        let wire = self
            .dial
            .connect(&primary.host)
            .await
            .map_err(|error| RegistryError::new(Effect::None, format!("{}: {error}", primary.host)))?;
        // Sentinels name a server a moment before it knows.
        if self.kind() == Kind::Service && !sentinel::is_primary(&wire, Instant::now() + LOOK_AGAIN).await {
            return Err(nothing(&Lost::Demoted(primary.host)));
        }
        Ok(wire)
    }

    /// Whether a connection leads to the primary, as far as we know. While it is used, that is looked at every second.
    pub(crate) fn leads_there(self: &Arc<Self>, wire: &Wire) -> bool {
        if self.kind() != Kind::Server {
            let (now, due) = (self.elapsed(), self.look_at.load(Ordering::Relaxed));
            let next = now + millis(LOOK_AGAIN);
            if due <= now
                && self.look_at.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            {
                let topology = self.clone();
                tokio::spawn(async move { topology.find().await.map(drop) });
            }
        }
        !wire.is_broken() && self.primary.borrow().as_ref().is_none_or(|primary| primary.host == wire.host)
    }

    /// Resolves once another server is the primary.
    pub(crate) async fn another(&self, than: &Host) {
        let mut primary = self.primary.subscribe();
        let changed =
            primary.wait_for(|primary| primary.as_ref().is_some_and(|primary| primary.host != *than));
        // The sender lives as long as this topology, so waiting cannot fail.
        let _ = changed.await;
    }

    /// How many replicas there are, as far as we know.
    pub(crate) fn replicas(&self) -> u16 {
        self.primary.borrow().as_ref().map_or(self.replicas.unwrap_or(0), |primary| primary.replicas)
    }

    /// Whether a server's replicas were named in the address.
    pub(crate) fn names_replicas(&self) -> bool {
        self.replicas.is_some()
    }

    fn elapsed(&self) -> u64 {
        millis(self.began.elapsed())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn list(hosts: &[Host]) -> String {
    hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
