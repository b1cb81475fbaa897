//! Which sessions are to end.

use std::time::Duration;

use countersign_registry::{Filter, Holding, Owner, Whose};
use countersign_token::SessionId;
use serde_json::{Value, json};

/// Which sessions are to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// These.
    Sessions(Vec<SessionId>),
    /// All of a person.
    User { subject: String, tenant: Option<String> },
    /// All that hold no seat and were not active for so long.
    Dangling { inactive_for: Duration },
}

/// How many ids one call takes.
pub(crate) const AT_ONCE: usize = 256;

impl Target {
    /// As a server takes it: a target for each call.
    pub(crate) fn to_server(&self) -> Vec<Value> {
        match self {
            Self::Sessions(ids) => ids.chunks(AT_ONCE).map(|ids| json!({ "sessions": ids })).collect(),
            Self::User { subject, tenant } => {
                vec![json!({ "user": { "subject": subject, "tenant": tenant } })]
            }
            Self::Dangling { inactive_for } => {
                vec![json!({ "dangling": { "inactive_for": inactive_for.as_secs() } })]
            }
        }
    }

    /// A person as a registry knows them.
    pub(crate) fn owner(subject: &str, tenant: Option<&str>) -> Owner {
        let owner = Owner::new(subject);
        match tenant {
            Some(tenant) => owner.of_tenant(tenant),
            None => owner,
        }
    }

    /// Those that a registry lists as dangling for so long.
    pub(crate) fn dangling(inactive_for: Duration) -> Filter {
        Filter { whose: Whose::Anyone, holding: Some(Holding::Nothing), inactive_for: Some(inactive_for) }
    }
}
