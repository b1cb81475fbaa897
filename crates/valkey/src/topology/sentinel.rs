//! The primary that the Sentinels name: more than half of all that there are must agree.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use redis::{Cmd, Value, cmd};
use tokio::time::Instant;

use super::contact::{Contacts, next};
use super::{Lost, Primary};
use crate::address::Host;
use crate::wire::{Dial, Wire};

/// A service that Sentinels watch.
pub(crate) struct Service {
    name: String,
    sentinels: Contacts,
}

/// What one Sentinel says.
struct Voice {
    id: String,
    primary: Host,
    others: usize,
    replicas: u16,
}

impl Service {
    pub(crate) fn new(sentinels: Vec<Host>, name: String, dial: Dial, patience: Duration) -> Self {
        Self { name, sentinels: Contacts::new(sentinels, dial, patience) }
    }

    pub(crate) async fn primary(&self) -> Result<Primary, Lost> {
        match self.count().await {
            // The address may name a few of many; the others count, too.
            Err(Lost::Majority { known, .. }) if known > self.sentinels.len() && self.learn().await => {
                self.count().await
            }
            outcome => outcome,
        }
    }

    /// Counts the voices until enough agree.
    async fn count(&self) -> Result<Primary, Lost> {
        let asked = [self.ask("MASTER"), own_id()];
        let mut answers = self.sentinels.ask(&asked);
        let (mut heard, mut voices) = (HashSet::new(), HashMap::<Host, (usize, u16)>::new());
        let (mut known, mut answered, mut agree) = (self.sentinels.named(), 0, 0);
        while let Some((_, told)) = next(&mut answers, None).await {
            answered += 1;
            let Some(voice) = voice(&told) else { continue };
            known = known.max(voice.others + 1);
            if !heard.insert(voice.id) {
                continue;
            }
            let (for_it, replicas) = voices.entry(voice.primary.clone()).or_default();
            *for_it += 1;
            *replicas = voice.replicas.max(*replicas);
            agree = agree.max(*for_it);
            if *for_it > known / 2 {
                return Ok(Primary { host: voice.primary, replicas: *replicas });
            }
        }
        let service = self.name.clone();
        if answered > 0 && heard.is_empty() {
            return Err(Lost::Service(service));
        }
        Err(Lost::Majority { service, known, answered, agree })
    }

    /// Learns of the Sentinels that the address does not name.
    async fn learn(&self) -> bool {
        let asked = [self.ask("SENTINELS")];
        let mut answers = self.sentinels.ask(&asked);
        let mut found = Vec::new();
        while let Some((_, told)) = next(&mut answers, None).await {
            let Some(Value::Array(others)) = told.into_iter().next() else { continue };
            found.extend(others.iter().filter_map(|other| host(&fields(other))));
        }
        self.sentinels.learn(found)
    }

    fn ask(&self, what: &str) -> Cmd {
        let mut command = cmd("SENTINEL");
        command.arg(what).arg(&self.name);
        command
    }
}

fn own_id() -> Cmd {
    let mut command = cmd("SENTINEL");
    command.arg("MYID");
    command
}

/// Whether a server says that it is a primary.
pub(crate) async fn is_primary(wire: &Wire, deadline: Instant) -> bool {
    let role = wire.ask(&cmd("ROLE"), deadline).await;
    matches!(role, Ok(Value::Array(role)) if role.first().and_then(text).as_deref() == Some("master"))
}

fn voice(told: &[Value]) -> Option<Voice> {
    let [primary, id] = told else { return None };
    let fields = fields(primary);
    let number = |name: &str| fields.get(name)?.parse().ok();
    Some(Voice {
        id: text(id)?,
        primary: host(&fields)?,
        others: usize::from(number("num-other-sentinels")?),
        replicas: number("num-slaves")?,
    })
}

fn host(fields: &HashMap<String, String>) -> Option<Host> {
    Some(Host { name: fields.get("ip")?.clone(), port: fields.get("port")?.parse().ok()? })
}

/// An answer that is a map, or names and values in turn.
fn fields(answer: &Value) -> HashMap<String, String> {
    let pairs = answer.as_map_iter().into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect()
}

pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text.clone()),
        _ => None,
    }
}
