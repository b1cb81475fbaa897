//! `countersign sessions`: who is working on a site, through a running server's console or straight at its registry.
//!
//! - `site`: the two ways to a site, as one;
//! - `console`: through a server; `direct` and `feed`: at a registry; `opening`: which of them, and how;
//! - `seen`: what is shown of a session, `query` which of them, `target` which end;
//! - `list`, `ending`, `people`, `watch`, `stats`: the commands.

mod console;
mod direct;
mod ending;
mod event;
mod feed;
mod list;
mod opening;
mod people;
mod query;
mod seen;
mod site;
mod stats;
mod target;
mod watch;

use clap::Subcommand;

pub(crate) use self::direct::Direct;
pub(crate) use self::opening::{Opened, Place, Store, file as open_file, valkey as open_valkey};
use crate::error::Failure;
use crate::output::{Format, Report};
use crate::time::Instant;

/// See who is working on a site, and end sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List live sessions.
    List(list::List),
    /// Show one session.
    Show(list::Show),
    /// End sessions by their ids.
    End(ending::Sessions),
    /// End all sessions of a person.
    EndUser(ending::User),
    /// End all dangling sessions that nobody used for a while.
    EndDangling(ending::Dangling),
    /// Show everything that is stored about a person.
    Export(people::Export),
    /// Erase a person: end all their sessions, with which what is stored about them goes.
    Erase(people::Erase),
    /// Follow what happens, until interrupted.
    Watch(watch::Watch),
    /// Show how many sessions and seats there are, against the limits.
    Stats(stats::Stats),
}

impl Command {
    pub(crate) fn run(self, now: Instant, format: Format) -> Result<Report, Failure> {
        crate::runtime()?.block_on(async {
            match self {
                Self::List(list) => list.run(now).await,
                Self::Show(show) => show.run(now).await,
                Self::End(end) => end.run().await,
                Self::EndUser(end) => end.run().await,
                Self::EndDangling(end) => end.run().await,
                Self::Export(export) => export.run(now).await,
                Self::Erase(erase) => erase.run(now).await,
                Self::Watch(watch) => watch.run(format).await,
                Self::Stats(stats) => stats.run(now).await,
            }
        })
    }
}
