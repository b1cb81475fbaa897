//! The choice code of the rule `ask`: a refused person ends one of their own sessions and goes on.
//!
//! The code's one-time id is claimed in the same step that admits the session.

use std::sync::Arc;
use std::time::Duration;

use countersign_registry::{Admission, Code, Full, OnceId, Owner};
use countersign_token::{FeedPosition, SessionId};
use serde::{Deserialize, Serialize};

use super::code;
use super::handoff::HandedOff;
use super::login::{self, Begun, Login};
use super::mint::Persistence;
use crate::dpop::{self, Came};
use crate::held;
use crate::refusal::{ChoiceCode, Refusal};
use crate::sessions::Inner;

/// How long a person may think.
const LIFE: Duration = Duration::from_mins(5);

/// The kind of code, which no other kind opens as.
const KIND: &str = "choice";

/// What the client sends back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChoiceForm {
    pub(crate) choice: String,
    pub(crate) end: String,
}

/// What the code seals.
#[derive(Serialize, Deserialize)]
struct Sealed {
    id: [u8; 32],
    owner: Owner,
    methods: Arc<str>,
    remember: bool,
    born: FeedPosition,
    /// The key that the refused login proved: whoever goes on must hold it too.
    #[serde(default)]
    key: Option<String>,
    /// The session that the refused one was to go on from.
    #[serde(default)]
    handed_off: Option<HandedOff>,
}

/// A code for a refused login.
pub(super) fn code(inner: &Inner, login: &Login, full: &Full) -> Option<ChoiceCode> {
    // A handoff's code stays usable, and so must be one with its choice: whichever is used first uses up both.
    let handoff = login.code.filter(|_| login.handed_off.is_some());
    let sealed = Sealed {
        id: handoff.map_or_else(|| inner.random.bytes(), |code| code.id.0),
        owner: login.owner.clone(),
        methods: login.methods.clone(),
        remember: login.persistence == Persistence::Persistent,
        born: handoff.map_or(full.position, |code| code.born),
        key: login.binding.key.clone(),
        handed_off: login.handed_off.clone(),
    };
    let expires_at = handoff.map_or(full.at.after(LIFE), |code| code.until);
    code::seal(inner, KIND, &sealed, expires_at).ok().map(ChoiceCode)
}

/// Ends the chosen session and admits the newcomer, in one step.
pub(crate) async fn admit_choice(
    inner: &Arc<Inner>,
    form: &ChoiceForm,
    device: Option<Arc<str>>,
    replaces: Option<SessionId>,
    came: Option<&Came>,
    key: Option<&str>,
) -> Result<Begun, Refusal> {
    let (sealed, until) = code::open::<Sealed>(inner, KIND, &form.choice)?;
    let end = form.end.parse().map_err(|_| Refusal::NotFound)?;
    let binding = match &sealed.key {
        Some(key) => dpop::bound_to(inner, came, key).await?,
        None => dpop::binding(inner, came).await?,
    };
    let login = Login {
        owner: sealed.owner,
        methods: sealed.methods,
        persistence: if sealed.remember { Persistence::Persistent } else { Persistence::Browser },
        admission: Admission::Limited,
        device,
        replaces: replaces.filter(|replaced| *replaced != end),
        key: key.map(|key| held::digest_under(&sealed.id, key)),
        code: Some(Code { id: OnceId(sealed.id), until, born: sealed.born, end: Some(end) }),
        binding,
        handed_off: sealed.handed_off,
    };
    login::login(inner, login).await
}
