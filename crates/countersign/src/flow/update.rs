//! Updates of client-held state: plain ones, which ask nobody, and exclusive ones, which ask the registry once.

use std::sync::Arc;

use countersign_registry::{Advance, AdvanceMemo, Advanced, Base, Digest, Repetition};
use countersign_token::{OpenState, SessionData, SessionId, StateClaims, StateVersion, Timestamp};
use http::HeaderValue;
use serde_json::value::RawValue;

use super::login::Begun;
use super::mint::{self, Persistence};
use crate::authenticate::Active;
use crate::cookie::{self, SameSite, SetCookie};
use crate::event::SessionEvent;
use crate::grant::Grant;
use crate::held::{self, Held};
use crate::node::Node;
use crate::refusal::Refusal;
use crate::sessions::Inner;
use crate::state::{self, Newer, Standing};
use crate::transport::Transport;

/// A session's state as the request presents it.
pub(crate) struct Presented<'a> {
    pub(crate) inner: &'a Arc<Inner>,
    pub(crate) active: &'a Active,
    pub(crate) held: &'a Held,
    /// The digest of the request's `Idempotency-Key`.
    pub(crate) key: Option<Digest>,
}

impl Presented<'_> {
    fn open(&self) -> Option<OpenState> {
        self.held.open(self.inner, Some(&self.active.session()), self.inner.now())
    }

    /// The data that counts, and its version.
    pub(crate) fn read<D: SessionData>(&self) -> Result<(D, StateVersion), Refusal> {
        let open = self.open();
        let version = self.standing(open.as_ref()).usable()?;
        Ok((decode(self.inner, Some(self.active.session()), open), version))
    }

    fn standing(&self, open: Option<&OpenState>) -> Standing {
        let session = self.active.session();
        let updated = self.inner.view.floor(&session).map(|floor| floor.at);
        let window = self.inner.config.policy.race_window;
        let newer = Newer::of(updated, self.active.claims().issued_at, window, self.inner.now());
        state::judge(open.map(|open| open.version), self.active.floor(), newer)
    }

    /// What an exclusive update starts from. The repetition of the last one may start from the state before it;
    /// the registry tells whether it is one.
    fn exclusive_base<D: SessionData>(&self) -> Result<(D, u64), Refusal> {
        let open = self.open();
        let version = match (self.standing(open.as_ref()), &open, self.key) {
            (Standing::Superseded | Standing::Lost, Some(old), Some(_))
                if old.version.exclusive + 1 == self.active.floor() =>
            {
                old.version
            }
            // The very first exclusive update of a session without any state may be repeated too.
            (Standing::Superseded | Standing::Lost, None, Some(_)) if self.active.floor() == 1 => {
                StateVersion::INITIAL
            }
            (standing, ..) => standing.usable()?,
        };
        Ok((decode(self.inner, Some(self.active.session()), open), version.exclusive))
    }

    /// The state answer: the new token, and the deletion of the cookies that it replaces.
    fn deliver(&self, data: &RawValue, data_version: u16, version: StateVersion) -> Result<Grant, Refusal> {
        let claims = self.active.claims();
        let session = claims.identity.session;
        let name = self.inner.config.cookies.state(&session.tag(), version.exclusive);
        let mut grant = deliver(
            self.inner,
            &name,
            &StateToken {
                session: Some(session),
                expires_at: claims.identity.session_expires_at,
                persistence: claims.identity.persistence,
                version,
                data_version,
                data,
            },
        )?;
        for old in self.held.cookies().iter().filter(|old| **old != name) {
            grant.set(cookie::delete(old, SameSite::Lax, self.inner.config.cookies.secure));
        }
        Ok(grant)
    }
}

/// Changes the state without asking anybody: of two parallel updates the later arrival wins.
pub(crate) fn plain<D: SessionData>(
    presented: &Presented<'_>,
    change: impl FnOnce(&mut D),
) -> Result<(D, Grant), Refusal> {
    let (mut data, version) = presented.read::<D>()?;
    change(&mut data);
    let grant = presented.deliver(&encode(&data)?, D::VERSION, version.next_plain())?;
    Ok((data, grant))
}

/// Changes the state, if it is still the newest: one call of the registry, and every older state is refused from
/// then on.
pub(crate) async fn exclusive<D: SessionData>(
    presented: &Presented<'_>,
    change: impl FnOnce(&mut D),
) -> Result<(D, Grant), Refusal> {
    let (mut data, base) = presented.exclusive_base::<D>()?;
    change(&mut data);
    let grant = advance(presented, &data, Base::Version(base)).await?;
    Ok((data, grant))
}

/// Starts the state again from the default, whatever became of the old one.
pub(crate) async fn reset<D: SessionData>(presented: &Presented<'_>) -> Result<(D, Grant), Refusal> {
    let data = D::default();
    let grant = advance(presented, &data, Base::Reset).await?;
    Ok((data, grant))
}

async fn advance<D: SessionData>(presented: &Presented<'_>, data: &D, base: Base) -> Result<Grant, Refusal> {
    let inner = presented.inner;
    let raw = encode(data)?;
    let expected = match base {
        Base::Version(exclusive) => exclusive + 1,
        Base::Reset => presented.active.floor() + 1,
    };
    // What does not fit must be known before the version moves.
    drop(presented.deliver(&raw, D::VERSION, StateVersion { exclusive: expected, plain: 0 })?);
    let advance = Advance {
        session: presented.active.session(),
        base,
        known: presented.active.floor(),
        memo: presented.key.map(|key| AdvanceMemo {
            key,
            old_state: presented.held.digest(),
            new_data: held::digest(raw.get().as_bytes()),
        }),
    };
    let advanced = super::ask(inner, "advance_version", inner.registry.advance_version(advance)).await?;
    let (exclusive, at, repetition) = match advanced {
        Advanced::Set { exclusive, at, entries } => {
            inner.node.learn(inner, &entries);
            (exclusive, at, Repetition::First)
        }
        Advanced::Repeated { exclusive, at } => (exclusive, at, Repetition::Again),
        Advanced::Conflict { .. } => return Err(Refusal::StateConflict),
        Advanced::Ended(None)
            if Node::is_of_an_unknown_epoch(inner, presented.active.claims().identity.born) =>
        {
            return Err(Refusal::RegistryUnavailable);
        }
        Advanced::Ended(reason) => return Err(Refusal::SessionEnded(reason)),
    };
    inner.node.saw_registry_instant(at);
    let version = StateVersion { exclusive, plain: 0 };
    Ok(presented.deliver(&raw, D::VERSION, version)?.repeated(repetition))
}

/// Changes the state of an anonymous visit: no session, no registry, no seat.
pub(crate) fn visit<D: SessionData>(
    inner: &Inner,
    held: &Held,
    change: impl FnOnce(&mut D),
) -> Result<(D, Grant), Refusal> {
    let now = inner.now();
    let (mut data, version) = read_visit::<D>(inner, held, now);
    change(&mut data);
    let token = StateToken {
        session: None,
        expires_at: now.after(inner.config.policy.visit_ttl),
        persistence: Persistence::Persistent,
        version: version.next_plain(),
        data_version: D::VERSION,
        data: &encode(&data)?,
    };
    // What a session's first state could not hold would be in the way of the visitor's login.
    drop(first_state(inner, &StateToken { session: Some(SessionId::from_bytes([0; 16])), ..token })?);
    let grant = deliver(inner, &inner.config.cookies.visit, &token)?;
    Ok((data, grant))
}

pub(crate) fn read_visit<D: SessionData>(inner: &Inner, held: &Held, now: Timestamp) -> (D, StateVersion) {
    let open = held.open(inner, None, now);
    let version = open.as_ref().map_or(StateVersion::INITIAL, |open| open.version);
    (decode(inner, None, open), version)
}

/// Gives a new session the data of the visit before it; the visit is over.
pub(crate) fn carry_visit(inner: &Inner, held: &Held, begun: Begun) -> Result<Grant, Refusal> {
    let open = held.open(inner, None, inner.now());
    let mut grant = carry(inner, open, begun)?;
    if held.is_cookie() {
        let secure = inner.config.cookies.secure;
        grant.set(cookie::delete(&inner.config.cookies.visit, SameSite::Lax, secure));
    }
    Ok(grant)
}

/// Gives a new session the data of the same person's session that it replaces.
pub(crate) fn carry_session(
    inner: &Inner,
    active: &Active,
    held: &Held,
    begun: Begun,
) -> Result<Grant, Refusal> {
    let current = held
        .open(inner, Some(&active.session()), inner.now())
        .filter(|open| open.version.exclusive >= active.floor());
    carry(inner, current, begun)
}

fn carry(inner: &Inner, open: Option<OpenState>, begun: Begun) -> Result<Grant, Refusal> {
    let record = &begun.seated.record;
    // The repetition of a login whose session has gone on since must not bring its first state back.
    let Some(open) = open.filter(|_| record.exclusive == 0) else { return Ok(begun.grant) };
    let token = StateToken {
        session: Some(record.id),
        expires_at: record.expires_at,
        persistence: begun.persistence,
        version: StateVersion::INITIAL.next_plain(),
        data_version: open.data_version,
        data: &open.data,
    };
    let state = first_state(inner, &token)?;
    Ok(begun.grant.join(state))
}

fn first_state(inner: &Inner, token: &StateToken<'_>) -> Result<Grant, Refusal> {
    let tag = token.session.map(|session| session.tag()).unwrap_or_default();
    deliver(inner, &inner.config.cookies.state(&tag, 0), token)
}

#[derive(Clone, Copy)]
struct StateToken<'a> {
    session: Option<SessionId>,
    expires_at: Timestamp,
    persistence: Persistence,
    version: StateVersion,
    data_version: u16,
    data: &'a RawValue,
}

fn deliver(inner: &Inner, name: &str, state: &StateToken<'_>) -> Result<Grant, Refusal> {
    let config = &inner.config;
    let claims = StateClaims {
        issuer: config.issuer.to_string(),
        audience: config.issuer.as_ref().into(),
        expires_at: state.expires_at,
        session: state.session,
        version: state.version,
        data_version: state.data_version,
        data: state.data.to_owned(),
    };
    let minted = inner.ring().mint_state(&claims, config.state_format, inner.random.bytes());
    let token = minted.map_err(|error| mint::cannot_mint(inner, &error))?;
    let max_age = mint::max_age(state.persistence, state.expires_at.since(inner.now()));
    let cookie = SetCookie { name, value: &token, max_age, same_site: SameSite::Lax };
    let header = cookie
        .to_header(config.cookies.secure)
        .map_err(|error| Refusal::StateTooLarge { size: error.size, limit: error.limit })?;
    let mut grant = Grant::default();
    grant.set_version(state.version);
    if config.transport == Transport::Body {
        let mut header = HeaderValue::from_str(&token).map_err(|_| Refusal::Internal)?;
        header.set_sensitive(true);
        grant.set_state_header(header);
    } else {
        grant.set(header);
    }
    Ok(grant)
}

fn encode<D: SessionData>(data: &D) -> Result<Box<RawValue>, Refusal> {
    serde_json::value::to_raw_value(data).map_err(|_| Refusal::Internal)
}

fn decode<D: SessionData>(inner: &Inner, session: Option<SessionId>, open: Option<OpenState>) -> D {
    let Some(open) = open else { return D::default() };
    open.decode::<D>().unwrap_or_else(|| {
        inner.tell(&SessionEvent::DataUnreadable { session, version: open.data_version });
        D::default()
    })
}
