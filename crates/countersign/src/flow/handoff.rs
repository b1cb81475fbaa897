//! The handoff: a session goes on, on another device, as a session of its own.
//!
//! The code's one-time id is claimed in the same step that admits the session. It is worth a login, so only a fresh
//! session that holds both its tokens gets one, it is short-lived, and what it leads to is not fresh: no chain of
//! handoffs begins with one password.

use std::sync::Arc;
use std::time::Duration;

use countersign_registry::{
    Admission, Claim, Claimed, Code, Once, OnceId, Owner, Repetition, Standing, Verdict,
};
use countersign_token::{FeedPosition, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use super::code;
use super::login::{self, Begun, Login};
use super::mint::Persistence;
use crate::authenticate::Active;
use crate::dpop::{self, Came};
use crate::event::SessionEvent;
use crate::held;
use crate::refusal::{BadRequest, Refusal};
use crate::sessions::Inner;

/// How long a code may be redeemed.
pub(crate) const LIFE: Duration = Duration::from_mins(1);

/// The kind of code, which no other kind opens as.
const KIND: &str = "handoff";

/// What the other device sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandoffForm {
    code: String,
    /// Whose session it is to be, in the words of the one who redeems: nobody goes on as somebody they did not name.
    pub(crate) confirm: Option<String>,
}

/// What the person who redeems is asked about, before it takes effect.
#[derive(Debug, Serialize)]
pub(crate) struct Offer {
    subject: Arc<str>,
    /// Told where there is one: elsewhere, the same name may be anybody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<Arc<str>>,
    device: Option<Arc<str>>,
}

/// What a session takes over from the one that it was handed off from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HandedOff {
    pub(crate) giver: SessionId,
    pub(crate) auth_time: Timestamp,
    pub(crate) ends: Timestamp,
}

/// What the code seals.
#[derive(Serialize, Deserialize)]
struct Sealed {
    id: [u8; 32],
    owner: Owner,
    methods: Arc<str>,
    device: Option<Arc<str>>,
    born: FeedPosition,
    handed_off: HandedOff,
}

/// A code for a session on another device. Asks where the feed is: the code dies with every end that comes after it.
pub(crate) async fn hand_off(
    inner: &Inner,
    active: &Active,
    device: Option<Arc<str>>,
) -> Result<String, Refusal> {
    inner.node.may_grant(inner).await?;
    let batch = super::ask(inner, "feed", inner.registry.feed(inner.view.position())).await?;
    inner.node.saw_registry_instant(batch.at);
    inner.node.learn(inner, &batch.entries);
    if let Verdict::Ended(reason) = inner.view.judge(&active.question()) {
        return Err(Refusal::SessionEnded(Some(reason)));
    }
    let identity = &active.claims().identity;
    let sealed = Sealed {
        id: inner.random.bytes(),
        owner: active.owner(),
        methods: format!("{} handoff", identity.methods.join(" ")).trim_start().into(),
        device,
        born: batch.complete_to,
        handed_off: HandedOff {
            giver: identity.session,
            auth_time: identity.auth_time,
            ends: identity.session_expires_at,
        },
    };
    code::seal(inner, KIND, &sealed, batch.at.after(LIFE))
}

/// Whose session a code leads to. It uses up nothing.
pub(crate) async fn offer(inner: &Inner, form: &HandoffForm) -> Result<Offer, Refusal> {
    let (sealed, until) = code::open::<Sealed>(inner, KIND, &form.code)?;
    let of = Some((sealed.owner.clone(), sealed.born));
    let look = Once { id: OnceId(sealed.id), until, of, claim: Claim::LookOnly };
    if super::ask(inner, "once", inner.registry.once(look)).await? == Claimed::Spent {
        return Err(Refusal::TokenInvalid);
    }
    let giver = sealed.handed_off.giver;
    match super::ask(inner, "get", inner.registry.get(vec![giver])).await?.pop() {
        Some(Standing::Live(..)) => {
            let Owner { subject, tenant } = sealed.owner;
            Ok(Offer { subject, tenant, device: sealed.device })
        }
        _ => Err(Refusal::TokenInvalid),
    }
}

/// Admits the session that a code leads to, and uses the code up, in one step.
///
/// It is a browser session whatever the first one was: the other device may be somebody else's.
pub(crate) async fn redeem(
    inner: &Arc<Inner>,
    form: &HandoffForm,
    device: Option<Arc<str>>,
    replaces: Option<SessionId>,
    came: Option<&Came>,
    key: Option<&str>,
) -> Result<Begun, Refusal> {
    let (sealed, until) = code::open::<Sealed>(inner, KIND, &form.code)?;
    if form.confirm.as_deref() != Some(&*sealed.owner.subject) {
        return Err(BadRequest::Parameter("confirm").into());
    }
    let login = Login {
        owner: sealed.owner,
        methods: sealed.methods,
        persistence: Persistence::Browser,
        admission: Admission::Limited,
        device,
        replaces,
        key: key.map(|key| held::digest_under(&sealed.id, key)),
        code: Some(Code { id: OnceId(sealed.id), until, born: sealed.born, end: None }),
        binding: dpop::binding(inner, came).await?,
        handed_off: Some(sealed.handed_off.clone()),
    };
    let begun = login::login(inner, login).await.map_err(|refusal| match refusal {
        // The session that the code was made in has ended, and the code with it.
        Refusal::SessionEnded(_) => Refusal::TokenInvalid,
        refusal => refusal,
    })?;
    if begun.seated.repetition == Repetition::First {
        let to = begun.seated.record.id;
        inner.tell(&SessionEvent::HandedOver {
            session: sealed.handed_off.giver,
            to,
            owner: begun.seated.record.owner.clone(),
            device: begun.seated.record.device.clone(),
        });
    }
    Ok(begun)
}
