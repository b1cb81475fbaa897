//! `--server` or `--registry`: from what was named to a site.
//!
//! A command that opens a registry does not know the rules of the site's nodes, and must not carry out others. A Valkey
//! registry is opened as a guest, which leaves to the nodes whatever rules decide. A file has no other node while we hold
//! it; it is opened with rules under which nobody idles and nobody is refused, and whose ends are told for as long as any
//! access token may live.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use countersign_file::FileRegistry;
use countersign_registry::{Limits, Registry as _, Rules};
use countersign_valkey::{OpenError, Options, Part, Unfit, ValkeyRegistry};

use super::console::Console;
use super::direct::Direct;
use super::site::Site;
use crate::error::Failure;
use crate::http::{Access, Http};

/// Which site, and who asks.
#[derive(Debug, Args)]
pub(crate) struct Opened {
    #[command(flatten)]
    pub(crate) access: Access,
    #[command(flatten)]
    pub(crate) store: Store,
}

/// Which registry.
#[derive(Debug, Args)]
pub(crate) struct Store {
    /// The registry itself, where --server is not given: redis://HOST:PORT (Valkey too), or file:PATH that no process
    /// holds. A URL with a password belongs into the variable.
    #[arg(long, env = "COUNTERSIGN_REGISTRY", value_name = "URL", hide_env_values = true)]
    pub(crate) registry: Option<Named>,
    /// The name of the limit domain in that registry (Valkey).
    #[arg(long, value_name = "NAME", default_value = "site")]
    pub(crate) domain: String,
    /// After how long the site's sessions dangle, to tell them apart in a file, which does not say so itself.
    #[arg(long, env = "COUNTERSIGN_DANGLING_AFTER", value_name = "DURATION", default_value = "30m", value_parser = humantime::parse_duration)]
    pub(crate) dangling_after: Duration,
}

/// A registry as it was named. It is read only where it is opened: the error of an argument that cannot be read shows
/// it, and it may hold a password.
#[derive(Clone)]
pub(crate) struct Named(String);

impl From<String> for Named {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Named(..)")
    }
}

/// Where a registry is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    Valkey(String),
}

/// Not its password.
impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Valkey(url) => match (url.split_once("://"), url.rsplit_once('@')) {
                (Some((scheme, _)), Some((_, host))) => write!(f, "{scheme}://{host}"),
                _ => f.write_str(url),
            },
        }
    }
}

impl std::str::FromStr for Place {
    type Err = &'static str;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        const KNOWN: &str = "use file:PATH or redis://HOST:PORT (see docs/VALKEY.md for its other forms)";
        match url.split_once(':') {
            Some(("memory", _)) => Err("a registry in memory is known to its own process only: use --server"),
            Some(("file", path)) => match path.strip_prefix("//").unwrap_or(path) {
                "" => Err("file: needs a path, such as file:./countersign-data/registry.redb"),
                path => Ok(Self::File(path.into())),
            },
            Some((scheme, rest)) if rest.starts_with("//") && scheme.starts_with("redis") => {
                Ok(Self::Valkey(url.to_owned()))
            }
            _ => Err(KNOWN),
        }
    }
}

impl Store {
    /// What was named.
    pub(crate) fn place(&self) -> Result<Option<Place>, Failure> {
        self.registry.as_ref().map(|named| named.0.parse().map_err(Failure::NoPlace)).transpose()
    }
}

impl Opened {
    /// Opens the site.
    pub(crate) async fn open(&self) -> Result<Site, Failure> {
        if let Some(origin) = &self.access.server {
            let console = Console::enter(Http::new(origin.clone())?, &self.access).await?;
            return Ok(Site::Console(Box::new(console)));
        }
        match self.store.place()? {
            Some(Place::File(path)) => file(&path, self.store.dangling_after).map(Site::Direct),
            Some(Place::Valkey(url)) => Ok(Site::Direct(valkey(&url, &self.store.domain).await?)),
            None => Err(Failure::NoSite),
        }
    }
}

/// Opens a registry's file, which must be there.
pub(crate) fn file(path: &Path, dangling_after: Duration) -> Result<Direct, Failure> {
    if !path.exists() {
        return Err(Failure::NoRegistry(path.into()));
    }
    let registry = FileRegistry::open(path)?;
    registry.configure(rules_of_nobody(dangling_after));
    Ok(Direct::of_file(registry))
}

/// Rules under which a ledger that nobody else uses ends nobody but at their absolute end, and refuses nobody.
fn rules_of_nobody(dangling_after: Duration) -> Rules {
    Rules {
        race_window: Duration::from_mins(1),
        // Only shown: no write marks that a session dangles.
        dangling_after,
        // Longer than any lifetime.
        idle_timeout: Duration::from_hours(100 * 365 * 24),
        // An end that is forgotten before the last token that it concerns has expired would be none.
        access_lifetime: Duration::from_hours(24),
        clock_skew: Duration::from_mins(5),
        limits: Limits::none(),
    }
}

/// Connects to a server's registry, as a guest of its nodes.
pub(crate) async fn valkey(url: &str, domain: &str) -> Result<Direct, OpenError> {
    // What is wrong with its settings is the doctor's to say; whoever must end a session now is not kept from it.
    let options = Options::default().domain(domain).part(Part::Guest).unfit(Unfit::Warn);
    let options = options.deadline(Duration::from_secs(10));
    Ok(Direct::of_server(ValkeyRegistry::connect_with(url, options).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_are_named_by_urls() {
        for (url, shown) in [
            ("file:a.redb", "file:a.redb"),
            ("file:///var/a.redb", "file:/var/a.redb"),
            ("redis://node:secret@host:6379", "redis://host:6379"),
            ("redis+sentinel://a:26379,b/service", "redis+sentinel://a:26379,b/service"),
        ] {
            assert_eq!(url.parse::<Place>().unwrap().to_string(), shown, "{url}");
        }
        for wrong in ["", "memory:", "file:", "file://", "http://host", "redis:host", "registry.redb"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong:?}");
        }
    }
}
