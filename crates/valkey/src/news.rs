//! News of the feed: a connection of its own on which the server tells when the stream has grown.

use std::sync::{Arc, Weak};
use std::time::Duration;

use countersign_registry::RegistryError;
use countersign_token::FeedPosition;
use redis::{Value, cmd};
use tokio::time::{Instant, sleep};

use crate::bytes::garbled;
use crate::caller::Caller;
use crate::feed::place;
use crate::link::Link;
use crate::wire::Failure;

/// How long the server lets us wait for an entry before it says that there is none.
const BLOCK: Duration = Duration::from_secs(5);
/// The pause before a connection is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// Follows the stream until the registry is dropped.
pub(crate) async fn follow(caller: Weak<Caller>, link: Link) {
    loop {
        let Some((stream, known)) = caller.upgrade().map(|caller| start(&caller)) else { return };
        match next(&link, &stream, known).await {
            Ok(Some(position)) => {
                let Some(caller) = caller.upgrade() else { return };
                caller
                    .position
                    .send_if_modified(|known| std::mem::replace(known, position.max(*known)) < position);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "news of the registry's feed are interrupted");
                sleep(PAUSE).await;
            }
        }
    }
}

fn start(caller: &Arc<Caller>) -> (String, FeedPosition) {
    (caller.stream().to_owned(), *caller.position.borrow())
}

/// The position of a later entry, once there is one; nothing if there was none for a while.
async fn next(link: &Link, stream: &str, known: FeedPosition) -> Result<Option<FeedPosition>, RegistryError> {
    let deadline = Instant::now() + 2 * BLOCK;
    let wire = link.wire(deadline).await?;
    let mut command = cmd("XREAD");
    let block = u64::try_from(BLOCK.as_millis()).unwrap_or_default();
    command.arg("COUNT").arg(64).arg("BLOCK").arg(block).arg("STREAMS").arg(stream);
    command.arg(format!("{}-{}", known.epoch, known.seq));
    tokio::select! {
        answer = wire.ask(&command, deadline) => last(answer.map_err(Failure::into_error)?),
        // Nothing more will grow there.
        () = link.topology.another(&wire.host) => Ok(None),
    }
}

/// The last entry of an answer to `XREAD`, which has one stream.
fn last(answer: Value) -> Result<Option<FeedPosition>, RegistryError> {
    let entries = match answer {
        Value::Nil => return Ok(None),
        Value::Map(mut streams) => streams.pop().map(|(_, entries)| entries),
        Value::Array(mut streams) => streams.pop(),
        _ => None,
    };
    let Some(Value::Array(mut entries)) = entries else { return Err(garbled()) };
    match entries.pop() {
        Some(Value::Array(entry)) => match entry.first() {
            Some(Value::BulkString(id)) => place(id).map(Some),
            _ => Err(garbled()),
        },
        _ => Err(garbled()),
    }
}
