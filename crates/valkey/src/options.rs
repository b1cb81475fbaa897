//! How a registry uses its servers.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use countersign_registry::Clock;

use crate::tls::Credentials;
#[cfg(feature = "tls")]
use crate::tls::Own;

/// How a registry's server is used.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The limit domain's name: registries of one name on one server are one. `site` by default.
    pub domain: String,
    /// How long an operation may take, connecting and finding another primary included; two seconds by default.
    pub deadline: Duration,
    /// When an operation is acknowledged.
    pub acknowledge: Acknowledge,
    /// What becomes of a server that [cannot keep](crate::OpenError::Unfit) sessions.
    pub unfit: Unfit,
    /// What this process is to the registry: a node by default.
    pub part: Part,
    /// A file of this node's own, in which it keeps what it has ended until that cannot be lost any more.
    pub outbox: Option<PathBuf>,
    /// A clock instead of the server's, for tests.
    pub clock: Option<Arc<dyn Clock>>,
    pub(crate) credentials: Credentials,
}

/// When a login, a refresh, an exclusive update, an end or the use of a one-time id is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Acknowledge {
    /// Once the primary has written it. A fail-over may lose the last moments: ends are published again by the nodes
    /// that know them, and admissions restored.
    #[default]
    Written,
    /// Once all replicas have it, too: no acknowledged login can be lost, so a limit is exact across a fail-over. While
    /// a replica is away, these operations fail: an admission is taken back, anything else may have happened. An address
    /// of one server must say how many replicas there are (`?replicas=2`), or it is [refused](Unfit::Refuse).
    Replicated,
}

/// What becomes of a server whose settings break the registry's promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Unfit {
    /// It is refused.
    #[default]
    Refuse,
    /// It is used all the same, with a warning in the log.
    Warn,
}

/// What a process is to a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Part {
    /// It holds the rules, and carries out with each operation what they and time have brought.
    #[default]
    Node,
    /// It knows no rules, such as a tool that looks at the registry of a running site: it can list, count, look up, read
    /// the feed and end. It never ends a session or frees a seat because of time, changes no limit, and begins no history
    /// where there is none. No recovery waits for it, and what it reads is not proven fresh. What else is asked of it is
    /// refused without effect.
    Guest,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            domain: "site".into(),
            deadline: Duration::from_secs(2),
            acknowledge: Acknowledge::Written,
            unfit: Unfit::Refuse,
            part: Part::Node,
            outbox: None,
            clock: None,
            credentials: Credentials::default(),
        }
    }
}

impl Options {
    /// The same for another limit domain.
    pub fn domain(self, domain: impl Into<String>) -> Self {
        Self { domain: domain.into(), ..self }
    }

    /// The same with another deadline.
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The same with another mind about when an operation is done.
    pub fn acknowledge(self, acknowledge: Acknowledge) -> Self {
        Self { acknowledge, ..self }
    }

    /// The same with another mind about unfit servers.
    pub fn unfit(self, unfit: Unfit) -> Self {
        Self { unfit, ..self }
    }

    /// The same in another part.
    pub fn part(self, part: Part) -> Self {
        Self { part, ..self }
    }

    /// The same with an outbox: an end is acknowledged once it is on this machine's disk, too. Where a fail-over loses it
    /// and this node is killed before it has told it again, it does so when it is started with this file. (Other nodes
    /// that have read it tell it again in any case.)
    pub fn outbox(self, path: impl Into<PathBuf>) -> Self {
        Self { outbox: Some(path.into()), ..self }
    }

    /// The same on a clock of a test's.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Some(Arc::new(clock)), ..self }
    }

    /// The same, trusting the servers whose certificates lead to one of these (PEM), and no others. Without it, those
    /// that the operating system trusts.
    #[cfg(feature = "tls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.credentials.roots = Some(pem.into().into());
        self
    }

    /// The same, showing servers a certificate of our own, whose chain and private key are PEM.
    #[cfg(feature = "tls")]
    pub fn client_certificate(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.credentials.own = Some(Own { chain: chain.into().into(), key: key.into().into() });
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("domain", &self.domain)
            .field("deadline", &self.deadline)
            .field("acknowledge", &self.acknowledge)
            .finish_non_exhaustive()
    }
}
