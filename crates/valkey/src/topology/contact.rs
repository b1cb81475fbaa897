//! Those who know where the primary is: Sentinels, and nodes of a cluster. Each is asked on a connection that stays.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use redis::{Cmd, Value};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::address::Host;
use crate::wire::{Dial, Wire};

/// One who is asked.
pub(crate) struct Contact {
    pub(crate) host: Host,
    open: tokio::sync::Mutex<Option<Wire>>,
}

/// Whom we can ask: at most 64. Those of the address stay; of the others, the oldest makes room.
pub(crate) struct Contacts {
    dial: Dial,
    patience: Duration,
    named: usize,
    all: Mutex<VecDeque<Arc<Contact>>>,
}

/// The most that are asked.
const MOST: usize = 64;

impl Contacts {
    pub(crate) fn new(hosts: Vec<Host>, dial: Dial, patience: Duration) -> Self {
        let all: VecDeque<_> = hosts.into_iter().map(Contact::new).collect();
        Self { dial, patience, named: all.len(), all: Mutex::new(all) }
    }

    /// How many the address names.
    pub(crate) fn named(&self) -> usize {
        self.named
    }

    pub(crate) fn len(&self) -> usize {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Takes note of more who can be asked. Whether any of them is new.
    pub(crate) fn learn(&self, hosts: impl IntoIterator<Item = Host>) -> bool {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.len();
        for host in hosts {
            if all.iter().any(|known| known.host == host) {
                continue;
            }
            if all.len() >= MOST && all.len() > self.named {
                all.remove(self.named);
            }
            all.push_back(Contact::new(host));
        }
        all.len() > before
    }

    /// Asks all at once for the same things; their answers, as they come. Whoever is asked is heard out, so that a
    /// connection that is stuck is found to be.
    pub(crate) fn ask(&self, commands: &[Cmd]) -> Answers {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let deadline = Instant::now() + self.patience;
        let asked = all.into_iter().map(|contact| {
            let (dial, commands) = (self.dial.clone(), commands.to_vec());
            tokio::spawn(async move {
                let answers = contact.ask(&dial, &commands, deadline).await?;
                Some((contact.host.clone(), answers))
            })
        });
        asked.collect()
    }
}

/// What those who were asked will say.
pub(crate) type Answers = FuturesUnordered<JoinHandle<Option<(Host, Vec<Value>)>>>;

impl Contact {
    fn new(host: Host) -> Arc<Self> {
        Arc::new(Self { host, open: tokio::sync::Mutex::default() })
    }

    async fn ask(&self, dial: &Dial, commands: &[Cmd], deadline: Instant) -> Option<Vec<Value>> {
        let wire = {
            let mut open = timeout_at(deadline, self.open.lock()).await.ok()?;
            if open.as_ref().is_none_or(Wire::is_broken) {
                *open = None;
                *open = dial.connect(&self.host).await.ok();
            }
            open.clone()?
        };
        let mut answers = Vec::with_capacity(commands.len());
        for command in commands {
            answers.push(wire.ask(command, deadline).await.ok()?);
        }
        Some(answers)
    }
}

/// The next answer; where others have answered, it may take so long and no longer.
pub(crate) async fn next(answers: &mut Answers, within: Option<Duration>) -> Option<(Host, Vec<Value>)> {
    loop {
        let answer = match within {
            Some(within) => timeout(within, answers.next()).await.ok()??,
            None => answers.next().await?,
        };
        if let Ok(Some(answer)) = answer {
            return Some(answer);
        }
    }
}
