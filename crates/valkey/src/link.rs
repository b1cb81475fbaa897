//! The link to the primary: one connection that all operations share, made again when it breaks or leads elsewhere.

use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use countersign_registry::{Effect, RegistryError};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout_at};

use crate::topology::Topology;
use crate::wire::Wire;

/// Between two attempts at a connection.
const PAUSE: Duration = Duration::from_millis(50);

/// Holds at most one connection. All that wait for a new one wait for the same attempt.
pub(crate) struct Link {
    pub(crate) topology: Arc<Topology>,
    open: Mutex<Option<Wire>>,
    /// Why the last attempt failed.
    trouble: Lock<Option<String>>,
}

impl Link {
    /// A link to a server that is not looked for yet.
    pub(crate) fn new(topology: Arc<Topology>) -> Self {
        Self { topology, open: Mutex::new(None), trouble: Lock::default() }
    }

    /// The connection to the primary, made if there is none: attempted until it is there or time is up.
    pub(crate) async fn wire(&self, deadline: Instant) -> Result<Wire, RegistryError> {
        let Ok(mut open) = timeout_at(deadline, self.open.lock()).await else { return Err(self.late()) };
        if let Some(wire) = open.as_ref().filter(|wire| self.topology.leads_there(wire)) {
            return Ok(wire.clone());
        }
        // Whoever asked may go away; whoever waits behind them begins anew.
        *open = None;
        let Ok(wire) = timeout_at(deadline, self.attempts()).await else { return Err(self.late()) };
        *open = Some(wire.clone());
        Ok(wire)
    }

    /// One attempt at a connection, for those who want to know at once what is wrong.
    pub(crate) async fn first_wire(&self, deadline: Instant) -> Result<Wire, RegistryError> {
        let mut open = self.open.lock().await;
        let wire = timeout_at(deadline, self.topology.connect()).await.map_err(|_| self.late())??;
        *open = Some(wire.clone());
        Ok(wire)
    }

    async fn attempts(&self) -> Wire {
        loop {
            match self.topology.connect().await {
                Ok(wire) => {
                    self.note(None);
                    return wire;
                }
                Err(error) => self.note(Some(told(&error))),
            }
            sleep(PAUSE).await;
        }
    }

    fn note(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn late(&self) -> RegistryError {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let trouble = trouble.map(|trouble| format!(": {trouble}")).unwrap_or_default();
        RegistryError::new(Effect::None, format!("no connection to {} in time{trouble}", self.topology))
    }
}

fn told(error: &RegistryError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
