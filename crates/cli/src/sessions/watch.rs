//! `sessions watch`: what happens, as it happens, until interrupted.

use std::io::Write as _;

use clap::Args;

use super::event::Event;
use super::opening::Opened;
use crate::error::Failure;
use crate::output::{Format, Report};

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// Only these kinds, with commas between them: login, login-refused, refresh, seat-refused, reuse, end, ends, handoff,
    /// refusal, keys, trouble, unusual, other, audit. A registry tells of end, ends, handoff and keys only.
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    kinds: Vec<String>,
    /// Only this person's.
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
    /// Stop after so many events.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    #[command(flatten)]
    opened: Opened,
}

impl Watch {
    pub(crate) async fn run(self, format: Format) -> Result<Report, Failure> {
        let mut site = self.opened.open().await?;
        let mut left = self.count.unwrap_or(u64::MAX);
        let mut seen = |event: &Event| {
            left = left.saturating_sub(1);
            print(event, format) && left > 0
        };
        let watched = tokio::select! {
            watched = site.watch(&self.kinds, self.subject.as_deref(), &mut seen) => watched,
            _ = tokio::signal::ctrl_c() => Ok(()),
        };
        site.close().await;
        watched.map(|()| Report::told())
    }
}

/// Writes one event, at once. Whether somebody still reads.
fn print(event: &Event, format: Format) -> bool {
    let line = match format {
        Format::Text => event.line(),
        Format::Json => serde_json::to_string(event).unwrap_or_default(),
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).is_ok()
}
