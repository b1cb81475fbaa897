//! `sessions end`, `end-user` and `end-dangling`: say how many it hits, ask, end.

use std::time::Duration;

use clap::Args;
use countersign_token::SessionId;
use serde_json::json;

use super::opening::Opened;
use super::seen::{Ended, Preview};
use super::site::Site;
use super::target::Target;
use crate::confirm;
use crate::error::Failure;
use crate::output::{Report, counted, printable, warn};
use crate::progress::Progress;

#[derive(Debug, Args)]
pub(crate) struct Sessions {
    /// Their ids, as `countersign sessions list` shows them.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<SessionId>,
    #[command(flatten)]
    act: Act,
}

#[derive(Debug, Args)]
pub(crate) struct User {
    /// Whose.
    #[arg(value_name = "NAME")]
    subject: String,
    /// The tenant that the person belongs to, where the site has tenants.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    #[command(flatten)]
    act: Act,
}

#[derive(Debug, Args)]
pub(crate) struct Dangling {
    /// Those that hold no seat, and that nobody used for at least this long (2h, 7days).
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    inactive_for: Duration,
    #[command(flatten)]
    act: Act,
}

#[derive(Debug, Args)]
pub(super) struct Act {
    /// Why, for the server's audit (1 to 500 characters).
    #[arg(long, value_name = "WORDS")]
    pub(super) why: Option<String>,
    /// Do not ask.
    #[arg(long, short)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) opened: Opened,
}

impl Sessions {
    pub(crate) async fn run(self) -> Result<Report, Failure> {
        let mut ids = self.ids;
        ids.sort_unstable_by_key(|id| *id.as_bytes());
        ids.dedup();
        self.act.run(Target::Sessions(ids)).await
    }
}

impl User {
    pub(crate) async fn run(self) -> Result<Report, Failure> {
        self.act.run(Target::User { subject: self.subject, tenant: self.tenant }).await
    }
}

impl Dangling {
    pub(crate) async fn run(self) -> Result<Report, Failure> {
        self.act.run(Target::Dangling { inactive_for: self.inactive_for }).await
    }
}

impl Act {
    async fn run(self, target: Target) -> Result<Report, Failure> {
        let mut site = self.opened.open().await?;
        let report = self.end(&mut site, &target).await;
        site.close().await;
        report
    }

    async fn end(&self, site: &mut Site, target: &Target) -> Result<Report, Failure> {
        agree_on_why(self.why.as_deref(), site)?;
        let preview = site.preview(target).await?;
        if preview.sessions == 0 {
            return Ok(done(target, preview, Ended { ended: 0, audit: None }));
        }
        if !self.yes {
            confirm::ask(&question(target, preview))?;
        }
        let progress = Progress::of(preview.sessions);
        let ended = site.end(target, self.why.as_deref(), &progress).await;
        progress.finish();
        Ok(done(target, preview, ended?))
    }
}

/// A server demands a reason; a registry has no place for it.
pub(super) fn agree_on_why(why: Option<&str>, site: &Site) -> Result<(), Failure> {
    match (why, site.keeps_why()) {
        (None, true) => return Err(Failure::NoWhy),
        (Some(_), false) => warn("note: a registry keeps no audit, so --why is kept nowhere; a server does"),
        _ => {}
    }
    Ok(())
}

fn question(target: &Target, preview: Preview) -> String {
    let Preview { sessions, people, includes_you, .. } = preview;
    let whose = match target {
        Target::User { subject, .. } => format!("of {}", printable(subject)),
        _ if people == 1 => "of 1 person".to_owned(),
        _ => format!("of {people} people"),
    };
    let you = if includes_you { "\nThe session of this very command is among them." } else { "" };
    format!(
        "This ends {} {whose}, {}.\n\
         They have to log in again; what is ended stays ended.{you}\n\
         Type `yes` to end them: ",
        counted(sessions, "session"),
        preview.at_work()
    )
}

fn done(target: &Target, preview: Preview, Ended { ended, audit }: Ended) -> Report {
    let text = match target {
        _ if preview.sessions == 0 => "nothing to end: no live session is meant\n".to_owned(),
        Target::Sessions(ids) if ids.len() as u64 > ended => {
            format!("ended {}; the others of the {} were not live\n", counted(ended, "session"), ids.len())
        }
        _ => format!("ended {}\n", counted(ended, "session")),
    };
    Report::done(text, json!({ "ended": ended, "audit": audit }))
}
