//! Addresses: what a registry's URL says of where its server is, and of how to be let in.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::error::OpenError;

/// A registry's URL, understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) place: Place,
    pub(crate) security: Security,
    pub(crate) login: Login,
    pub(crate) database: u16,
    /// How many replicas must have what is proven, where the URL says so.
    pub(crate) replicas: Option<u16>,
}

/// Which server has the sessions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// This one.
    Server(Host),
    /// The one that the Sentinels name.
    Service { sentinels: Vec<Host>, name: String, login: Login },
    /// The node of a cluster that has the domain's slot; these know which.
    Cluster(Vec<Host>),
}

/// Whether connections are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    Plain,
    Tls,
}

/// A name or an IP address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
}

/// Who we are.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
}

const SERVER_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        parts(url).map_err(|why| OpenError::Address { url: shown(url), why })
    }
}

/// Reads a URL; what is wrong is told in words that quote no secret.
fn parts(url: &str) -> Result<Address, String> {
    let (scheme, rest) = url.split_once("://").ok_or("it has no `scheme://`")?;
    let (security, kind) = match scheme.split_once('+').unwrap_or((scheme, "")) {
        ("redis", kind @ ("" | "cluster" | "sentinel")) => (Security::Plain, kind),
        ("rediss", kind @ ("" | "cluster" | "sentinel")) => (Security::Tls, kind),
        _ => {
            return Err(
                "its scheme is none of redis, rediss, redis+cluster, rediss+cluster, redis+sentinel and \
                        rediss+sentinel"
                    .into(),
            );
        }
    };
    if security == Security::Tls && cfg!(not(feature = "tls")) {
        return Err("this build has no TLS: enable the feature `tls` of countersign-valkey".into());
    }
    if rest.contains('#') {
        return Err("a # has no meaning here; in a password it is written %23".into());
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if path.contains('@') {
        return Err("a / in a user's name or password is written %2F".into());
    }
    let (userinfo, hosts) =
        authority.rsplit_once('@').map_or((None, authority), |(user, hosts)| (Some(user), hosts));
    let login = userinfo.map(login).transpose()?.unwrap_or_default();
    let query = Query::read(query, kind)?;
    let default_port = if kind == "sentinel" { SENTINEL_PORT } else { SERVER_PORT };
    let hosts = hosts.split(',').map(|host| self::host(host, default_port)).collect::<Result<Vec<_>, _>>()?;
    let (place, database) = place(kind, hosts, path, query.sentinel)?;
    Ok(Address { place, security, login, database, replicas: query.replicas })
}

fn place(kind: &str, mut hosts: Vec<Host>, path: &str, sentinel: Login) -> Result<(Place, u16), String> {
    match kind {
        "sentinel" => {
            let (name, database) = path.split_once('/').unwrap_or((path, ""));
            let name = decoded(name, "the service's name")?;
            if name.is_empty() {
                return Err("it names no service: write the name that the Sentinels know behind a /".into());
            }
            Ok((Place::Service { sentinels: hosts, name, login: sentinel }, self::database(database)?))
        }
        "cluster" => match self::database(path)? {
            0 => Ok((Place::Cluster(hosts), 0)),
            _ => Err("a cluster has no other database than 0".into()),
        },
        _ => match (hosts.pop(), hosts.is_empty()) {
            (Some(host), true) => Ok((Place::Server(host), self::database(path)?)),
            _ => Err("it names several servers: use redis+cluster:// or redis+sentinel://".into()),
        },
    }
}

fn login(userinfo: &str) -> Result<Login, String> {
    let (user, password) = userinfo.split_once(':').ok_or(
        "it has a user without a password: write user:password@, or :password@ for the default user",
    )?;
    let (user, password) = (decoded(user, "the user's name")?, decoded(password, "the password")?);
    if password.is_empty() {
        return Err("its password is empty".into());
    }
    Ok(Login { user: Some(user).filter(|user| !user.is_empty()), password: Some(password) })
}

fn host(host: &str, default_port: u16) -> Result<Host, String> {
    let (name, port) = match host.strip_prefix('[') {
        Some(bracketed) => {
            let (name, port) = bracketed.split_once(']').ok_or("an IPv6 address lacks its ]")?;
            (name, if port.is_empty() { None } else { Some(port.strip_prefix(':').unwrap_or("")) })
        }
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    if name.is_empty() {
        return Err("the name of a server is missing".into());
    }
    if name.contains(|letter: char| letter.is_whitespace() || letter == '%') {
        return Err(format!("{name:?} is no name of a server"));
    }
    let port = port.map_or(Some(default_port), |port| port.parse().ok().filter(|&port| port > 0));
    // It is not told: it may be the password of a user, before a host that was forgotten.
    let port = port.ok_or("what stands behind the : of a server is no port")?;
    Ok(Host { name: name.to_owned(), port })
}

fn database(path: &str) -> Result<u16, String> {
    if path.is_empty() {
        return Ok(0);
    }
    path.parse().map_err(|_| format!("{path:?} is no number of a database"))
}

/// What stands behind the question mark.
#[derive(Default)]
struct Query {
    replicas: Option<u16>,
    sentinel: Login,
}

impl Query {
    fn read(query: &str, kind: &str) -> Result<Self, String> {
        let mut read = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let twice = match (name, kind) {
                ("replicas", _) => {
                    let count = value.parse().map_err(|_| "replicas= takes a number");
                    read.replicas.replace(count?).is_some()
                }
                ("sentinel_user", "sentinel") => {
                    read.sentinel.user.replace(decoded(value, "the Sentinels' user")?).is_some()
                }
                ("sentinel_password", "sentinel") => {
                    read.sentinel.password.replace(decoded(value, "the Sentinels' password")?).is_some()
                }
                ("sentinel_user" | "sentinel_password", _) => {
                    return Err(format!("{name}= has a meaning for Sentinels only"));
                }
                // It may be a piece of a password, so it is not told.
                _ => {
                    return Err(
                        "it has an unknown parameter behind the ? (a ? in a password is written %3F)".into(),
                    );
                }
            };
            if twice {
                return Err(format!("{name}= is there twice"));
            }
        }
        if read.sentinel.user.is_some() && read.sentinel.password.is_none() {
            return Err("it has a sentinel_user= without a sentinel_password=".into());
        }
        Ok(read)
    }
}

/// Text in which `%40` is an `@`.
fn decoded(text: &str, what: &str) -> Result<String, String> {
    let digits =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    if !text.split('%').skip(1).all(digits) {
        return Err(format!("{what} has a % without two hexadecimal digits; a % itself is written %25"));
    }
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| format!("{what} is no UTF-8"))?;
    Ok(decoded.into_owned())
}

/// A URL without its secrets: without user and password, and without what stands behind the question mark.
fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return if url.contains('@') { "…".into() } else { url.into() };
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    // Behind an @ at another place, nobody knows where a password ends.
    if rest[authority.len()..].contains('@') {
        return format!("{scheme}://…");
    }
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let (_, port) = hosts.rsplit_once(':').unwrap_or_default();
    if hosts == authority && port.parse::<u16>().is_err() && !port.is_empty() && !hosts.ends_with(']') {
        return format!("{scheme}://…");
    }
    let path = rest[authority.len()..].split(['?', '#']).next().unwrap_or("");
    format!("{scheme}://{hosts}{path}")
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, port } = self;
        if name.contains(':') { write!(f, "[{name}]:{port}") } else { write!(f, "{name}:{port}") }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
