//! Which sessions an administrator means.

use std::sync::Arc;
use std::time::Duration;

use countersign::{Filter, Holding, Owner, Refusal, Session, SessionId, Whose};
use serde::{Deserialize, Serialize};

use crate::query::expected;

/// As a request says it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Asked {
    Sessions(Vec<String>),
    User { subject: Arc<str>, tenant: Option<Arc<str>> },
    Tenant(Arc<str>),
    Dangling { inactive_for: u64 },
    Everyone,
}

/// Which sessions.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// At most 256.
    Sessions(Vec<SessionId>),
    /// All that pass.
    Filter(Filter),
    /// All that pass and hold no seat, one by one: no end by scope says it.
    Dangling(Filter),
}

const AT_MOST: usize = 256;
/// Bytes of a name: audit records are kept in memory.
pub(super) const LONGEST: usize = 1024;

impl Asked {
    pub(super) fn target(&self) -> Result<Target, Refusal> {
        let whose = |whose| Filter { whose, ..Filter::default() };
        self.check_names()?;
        Ok(match self {
            Self::Sessions(ids) => Target::Sessions(sessions(ids)?),
            Self::User { subject, tenant } => Target::Filter(whose(Whose::Owner(Owner {
                tenant: tenant.clone(),
                subject: subject.clone(),
            }))),
            Self::Tenant(tenant) => Target::Filter(whose(Whose::Tenant(tenant.clone()))),
            Self::Dangling { inactive_for } => Target::Dangling(Filter {
                holding: Some(Holding::Nothing),
                inactive_for: Some(Duration::from_secs(*inactive_for)),
                ..Filter::default()
            }),
            Self::Everyone => Target::Filter(Filter::default()),
        })
    }

    fn check_names(&self) -> Result<(), Refusal> {
        let (subject, tenant) = match self {
            Self::User { subject, tenant } => (Some(subject), tenant.as_ref()),
            Self::Tenant(tenant) => (None, Some(tenant)),
            _ => (None, None),
        };
        let is_long = |name: Option<&Arc<str>>| name.is_some_and(|name| name.len() > LONGEST);
        if is_long(subject) || is_long(tenant) {
            return Err(expected("target", "names of at most 1024 bytes"));
        }
        Ok(())
    }
}

fn sessions(ids: &[String]) -> Result<Vec<SessionId>, Refusal> {
    let what = "1 to 256 ids of sessions";
    if ids.is_empty() || ids.len() > AT_MOST {
        return Err(expected("sessions", what));
    }
    ids.iter().map(|id| id.parse().map_err(|_| expected("sessions", what))).collect()
}

impl Target {
    /// Whether it includes the session that asks. (One that asks is active, so it does not dangle.)
    pub(super) fn includes(&self, session: &Session) -> bool {
        match self {
            Self::Sessions(ids) => ids.contains(&session.id()),
            Self::Dangling(_) => false,
            Self::Filter(filter) => match &filter.whose {
                Whose::Anyone => true,
                Whose::Owner(owner) => *owner == session.owner(),
                Whose::Tenant(tenant) => session.tenant() == Some(tenant),
                Whose::Subject(subject) => session.subject() == &**subject,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Option<Target> {
        serde_json::from_str::<Asked>(text).ok()?.target().ok()
    }

    #[test]
    fn a_target_is_one_of_five() {
        for text in [
            r#"{"sessions":["AAAAAAAAAAAAAAAAAAAAAA"]}"#,
            r#"{"user":{"subject":"alice"}}"#,
            r#"{"user":{"subject":"alice","tenant":null}}"#,
            r#"{"tenant":"acme"}"#,
            r#"{"dangling":{"inactive_for":3600}}"#,
            r#""everyone""#,
        ] {
            assert!(target(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_no_target_ends_nobody() {
        let long = "a".repeat(1025);
        let many = serde_json::to_string(&vec!["AAAAAAAAAAAAAAAAAAAAAA"; 257]).unwrap();
        for text in [
            r#"{"sessions":[]}"#,
            r#"{"sessions":["alice"]}"#,
            &format!(r#"{{"sessions":{many}}}"#),
            r#"{"user":{}}"#,
            &format!(r#"{{"user":{{"subject":"{long}"}}}}"#),
            &format!(r#"{{"tenant":"{long}"}}"#),
            r#"{"user":{"subject":"alice","tenent":"acme"}}"#,
            r#"{"dangling":{}}"#,
            r#"{"dangling":{"inactive_for":-1}}"#,
            r#"{"tenant":null}"#,
            r#"{"everyone":false}"#,
            r#""all""#,
            "{}",
        ] {
            assert!(target(text).is_none(), "{text}");
        }
    }
}
