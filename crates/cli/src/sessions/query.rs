//! Which sessions to list, in which order: the same words for a server's query and for a registry's list.

use std::time::Duration;

use clap::{Args, ValueEnum};
use countersign_registry::{Cursor, Filter, Holding, List, Order, Owner, Whose};
use countersign_token::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::Failure;

/// Filters and order, as flags.
#[derive(Clone, Debug, Args)]
pub(crate) struct Query {
    /// Only this person's, in whatever tenant.
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Option<String>,
    /// Only this tenant's.
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// Only those that hold a seat, or only those that hold nothing (dangling).
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) holding: Option<Holds>,
    /// Only those that nobody used for at least this long (90s, 45m, 2h, 7days).
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) inactive_for: Option<Duration>,
    /// Which come first.
    #[arg(long, value_enum, value_name = "ORDER", default_value = "last-activity")]
    pub(crate) order: By,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    /// Go on where an earlier list stopped: its `next`.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

/// What a session holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Holds {
    /// A seat of the limits.
    Seat,
    /// None: nobody used it for a while.
    Nothing,
}

/// Orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// The last active first.
    LastActivity,
    /// The one that was not active for longest first.
    LeastRecent,
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
}

impl Query {
    /// One page of it, as a server's query.
    pub(crate) fn to_server(&self, after: Option<&str>, limit: usize) -> String {
        let spelt = |value: &dyn ToPossible| value.spelling();
        let seconds = self.inactive_for.map(|time| time.as_secs().to_string());
        let limit = limit.to_string();
        let pairs = [
            ("subject", self.subject.clone()),
            ("tenant", self.tenant.clone()),
            ("holding", self.holding.map(|holding| spelt(&holding))),
            ("inactive_for", seconds),
            ("order", Some(spelt(&self.order))),
            ("limit", Some(limit)),
            ("after", after.map(str::to_owned)),
        ];
        let given = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given.map(|(name, value)| format!("{name}={}", encoded(&value))).collect::<Vec<_>>().join("&")
    }

    /// One page of it, as a registry's list. Where a person and a tenant are named, it is that one owner's.
    pub(crate) fn to_registry(&self, after: Option<&str>, limit: usize) -> Result<List, Failure> {
        let whose = match (&self.subject, &self.tenant) {
            (Some(subject), Some(tenant)) => Whose::Owner(Owner::new(&**subject).of_tenant(&**tenant)),
            (Some(subject), None) => Whose::Subject(subject.as_str().into()),
            (None, Some(tenant)) => Whose::Tenant(tenant.as_str().into()),
            (None, None) => Whose::Anyone,
        };
        let holding = self.holding.map(|holding| match holding {
            Holds::Seat => Holding::Seat,
            Holds::Nothing => Holding::Nothing,
        });
        let order = match self.order {
            By::LastActivity => Order::LastActivity,
            By::LeastRecent => Order::LeastRecent,
            By::Newest => Order::Started,
            By::Oldest => Order::Oldest,
        };
        let filter = Filter { whose, holding, inactive_for: self.inactive_for };
        Ok(List { filter, order, after: after.map(cursor).transpose()?, limit })
    }
}

/// How a flag's value is spelt.
trait ToPossible {
    fn spelling(&self) -> String;
}

impl<T: ValueEnum> ToPossible for T {
    fn spelling(&self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// A text as one part of a path, or one value of a query.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A cursor of ours: the instant in milliseconds, and the id.
pub(crate) fn written(cursor: &Cursor) -> String {
    format!("{}.{}", cursor.at.as_millis(), cursor.id)
}

fn cursor(text: &str) -> Result<Cursor, Failure> {
    let parts = text.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    let (at, id) = parts.ok_or(Failure::NoCursor)?;
    Ok(Cursor { at: Timestamp::from_millis(at), id })
}
