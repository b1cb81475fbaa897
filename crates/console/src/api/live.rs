//! What happens, as it happens: server-sent events, until the administrator's session ends or the host's rule admits it no
//! longer.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign::{Ending, Refusal, Session};
use futures_util::{StreamExt as _, stream};
use http::{HeaderName, HeaderValue};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

use crate::answer::{self, Answer};
use crate::console::{Call, Shared};
use crate::guard::Access;
use crate::happening::{Happening, Kind};
use crate::monitor::Monitor;
use crate::query::Query;

/// How long nothing is said at most: proxies close connections on which nothing moves. So often the rule is asked again.
const QUIET: Duration = Duration::from_secs(15);

/// Asks proxies of the nginx family not to wait for more before they pass on what there is.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(super) fn live(call: Call<'_>) -> Result<Answer, Refusal> {
    let query = Query::read(call.query(), &["kinds", "subject"])?;
    let monitor = call.shared().monitor.clone();
    let wanted = Wanted::read(&query)?;
    let over: Over = Box::pin(call.session.ended());
    let watching = Watching {
        live: monitor.watch(),
        monitor,
        wanted,
        shared: call.shared().clone(),
        session: call.session,
        until: Instant::now() + QUIET,
    };
    let told = stream::unfold(watching, next);
    let told = stream::iter([Bytes::from_static(b": here\n\n")]).chain(told);
    let mut answer = answer::typed("text/event-stream", answer::stream(told.take_until(over)));
    answer.headers_mut().insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(answer)
}

type Over = Pin<Box<dyn Future<Output = Ending> + Send>>;

/// Which happenings somebody wants to see.
struct Wanted {
    kinds: Option<HashSet<Kind>>,
    subject: Option<String>,
}

impl Wanted {
    fn read(query: &Query) -> Result<Self, Refusal> {
        let what = "kinds of happenings with commas between them";
        let kinds =
            query.parsed("kinds", what, |text| text.split(',').map(Kind::of).collect::<Option<_>>())?;
        Ok(Self { kinds, subject: query.text("subject").filter(|text| !text.is_empty()).map(Into::into) })
    }

    fn has(&self, happening: &Happening) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&happening.kind))
            && self.subject.as_ref().is_none_or(|subject| happening.subject.as_deref() == Some(&**subject))
    }
}

struct Watching {
    live: Receiver<Arc<Happening>>,
    monitor: Monitor,
    wanted: Wanted,
    shared: Arc<Shared>,
    session: Session,
    /// When the rule is asked again.
    until: Instant,
}

/// The next thing to say.
async fn next(mut watching: Watching) -> Option<(Bytes, Watching)> {
    loop {
        if Instant::now() >= watching.until {
            watching.shared.admit(&watching.session, Access::Look).ok()?;
            watching.until = Instant::now() + QUIET;
        }
        let said = match timeout_at(watching.until, watching.live.recv()).await {
            Err(_) => Bytes::from_static(b": still here\n\n"),
            Ok(Ok(happening)) if watching.wanted.has(&happening) => event(&happening),
            Ok(Ok(_)) => continue,
            Ok(Err(RecvError::Lagged(missed))) => {
                watching.monitor.note_dropped(missed);
                format!("event: dropped\ndata: {{\"events\":{missed}}}\n\n").into()
            }
            Ok(Err(RecvError::Closed)) => return None,
        };
        return Some((said, watching));
    }
}

fn event(happening: &Happening) -> Bytes {
    // JSON has no line breaks but in strings, where they are escaped.
    let data = serde_json::to_string(happening).unwrap_or_default();
    format!("id: {}\nevent: {}\ndata: {data}\n\n", happening.seq, happening.kind.as_str()).into()
}
