//! `sessions export` and `sessions erase`: what is stored about a person, and that it goes.

use clap::Args;
use serde_json::{Value, json};

use super::ending::{Act, agree_on_why};
use super::list::when;
use super::opening::Opened;
use super::seen::{Erased, Preview, Remainder};
use super::site::Site;
use super::target::Target;
use crate::confirm;
use crate::error::Failure;
use crate::outline::outline;
use crate::output::{Report, counted, printable};
use crate::time::Instant;

/// A person, as the site names them.
#[derive(Debug, Args)]
struct Person {
    /// Whose.
    #[arg(value_name = "USER")]
    subject: String,
    /// The tenant that the person belongs to, where the site has tenants.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    person: Person,
    /// Why, for the server's audit (1 to 500 characters).
    #[arg(long, value_name = "WORDS")]
    why: Option<String>,
    #[command(flatten)]
    opened: Opened,
}

#[derive(Debug, Args)]
pub(crate) struct Erase {
    #[command(flatten)]
    person: Person,
    #[command(flatten)]
    act: Act,
}

impl Export {
    pub(crate) async fn run(self, now: Instant) -> Result<Report, Failure> {
        let mut site = self.opened.open().await?;
        let export = self.read(&mut site).await;
        site.close().await;
        let export = export?;
        Ok(Report::done(outline(&export, now), export))
    }

    async fn read(&self, site: &mut Site) -> Result<Value, Failure> {
        let (Person { subject, tenant }, why) = (&self.person, self.why.as_deref());
        agree_on_why(why, site)?;
        site.export(subject, tenant.as_deref(), why).await
    }
}

impl Erase {
    pub(crate) async fn run(self, now: Instant) -> Result<Report, Failure> {
        let mut site = self.act.opened.open().await?;
        let erased = self.erase(&mut site).await;
        site.close().await;
        let erased = erased?;
        Ok(Report::done(self.person.erased(&erased, now), json!(erased)))
    }

    /// Whoever has no session is erased, too: something else may be left of them.
    async fn erase(&self, site: &mut Site) -> Result<Erased, Failure> {
        let (Person { subject, tenant }, why) = (&self.person, self.act.why.as_deref());
        agree_on_why(why, site)?;
        if !self.act.yes {
            let user = Target::User { subject: subject.clone(), tenant: tenant.clone() };
            confirm::ask(&self.person.question(site.preview(&user).await?))?;
        }
        site.erase(subject, tenant.as_deref(), why).await
    }
}

impl Person {
    fn name(&self) -> String {
        let subject = printable(&self.subject);
        match &self.tenant {
            Some(tenant) => format!("{subject} ({})", printable(tenant)),
            None => subject,
        }
    }

    fn question(&self, preview: Preview) -> String {
        let you = if preview.includes_you { "\nThe session of this very command is among them." } else { "" };
        format!(
            "This erases what is stored about {}, and ends {}, {}.\n\
             They have to log in again; what is erased is gone.{you}\nType `yes` to erase them: ",
            self.name(),
            counted(preview.sessions, "session"),
            preview.at_work()
        )
    }

    fn erased(&self, Erased { sessions, remains, .. }: &Erased, now: Instant) -> String {
        let lines = remains.iter().map(|Remainder { what, until, why }| {
            let until =
                until.map_or_else(|| "no date is known".to_owned(), |at| format!("until {}", when(at, now)));
            format!("- {until}: {}\n  {}\n", printable(what), printable(why))
        });
        format!(
            "erased {}: ended {}\nwhat remains, and why:\n{}",
            self.name(),
            counted(*sessions, "session"),
            lines.collect::<String>()
        )
    }
}
