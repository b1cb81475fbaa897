//! Looks at the primary before the first operation: what it is, and how it is set.

use std::collections::HashMap;

use redis::{Value, cmd};

use crate::caller::Caller;
use crate::error::OpenError;
use crate::options::Unfit;
use crate::settings::{ASKED, Fitness, Settings, info};
use crate::topology::Kind;
use crate::wire::Failure;

/// Refuses a server that would not keep sessions, and warns of what should be known.
pub(crate) async fn examine(caller: &Caller, unfit: Unfit) -> Result<(), OpenError> {
    let Fitness { faults, mut doubts } = look(caller).await?;
    let address = caller.link.topology.to_string();
    if unfit == Unfit::Refuse && !faults.is_empty() {
        return Err(OpenError::Unfit { address, why: faults.join("; ") });
    }
    doubts.extend(faults);
    for doubt in doubts {
        tracing::warn!("the session registry's server at {address}: {doubt}");
    }
    Ok(())
}

/// What a server's settings are worth.
pub(crate) async fn look(caller: &Caller) -> Result<Fitness, OpenError> {
    let topology = &caller.link.topology;
    let (address, deadline) = (topology.to_string(), caller.deadline());
    let unreachable = |error| OpenError::unreachable(&address, error);
    let wire = caller.link.first_wire(deadline).await.map_err(unreachable)?;
    let told = wire.ask(&cmd("INFO"), deadline).await.map_err(Failure::into_error).map_err(unreachable)?;
    let told = text(&told);
    let mut command = cmd("CONFIG");
    command.arg("GET").arg(&ASKED);
    // Who may not ask is warned, not refused.
    let config = wire.ask(&command, deadline).await.ok().and_then(|answer| pairs(&answer));
    let known = topology.kind() != Kind::Server || topology.names_replicas();
    let settings = Settings {
        info: info(&told),
        config,
        kind: topology.kind(),
        replicas: known.then(|| topology.replicas()),
        acknowledge: caller.acknowledge,
    };
    if let Some(timeout) = settings.node_timeout() {
        caller.prover.set_node_timeout(timeout);
    }
    Ok(Fitness { faults: settings.faults(), doubts: settings.doubts() })
}

fn text(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::VerbatimString { text, .. } | Value::SimpleString(text) => text.clone(),
        _ => String::new(),
    }
}

/// Names and values.
fn pairs(answer: &Value) -> Option<HashMap<String, String>> {
    let pairs = answer.as_map_iter()?;
    Some(pairs.map(|(name, value)| (text(name), text(value))).collect())
}
