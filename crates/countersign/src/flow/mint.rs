//! From what the registry says of a session to its tokens.

use std::sync::Arc;
use std::time::Duration;

use countersign_registry::{Holding, SessionRecord};
use countersign_token::{AccessClaims, Identity, RefreshClaims, Rotation, RotationId, Seat, Timestamp};

use crate::cookie::{SameSite, SetCookie};
use crate::dpop::Binding;
use crate::grant::Grant;
use crate::object::{SessionObject, TokenResponse, TokenType};
use crate::refusal::Refusal;
use crate::sessions::{Inner, Renewal, Spread};
use crate::transport::Transport;

pub(crate) use countersign_token::Persistence;

/// What a session's new tokens are made from.
pub(crate) struct Material<'a> {
    pub(crate) record: &'a SessionRecord,
    pub(crate) holding: Holding,
    /// The registry's instant, from which lives count.
    pub(crate) at: Timestamp,
    pub(crate) persistence: Persistence,
    pub(crate) binding: Binding,
    pub(crate) refresh: Successor,
}

/// Whether the client receives a new refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Successor {
    New,
    /// It keeps the one that it has.
    Kept,
}

/// A session's new tokens, and the token response that tells of them.
pub(crate) fn tokens(inner: &Inner, material: &Material<'_>) -> Result<(Grant, String), Refusal> {
    let identity = identity(inner, material);
    let access = access(inner, material, identity.clone())?;
    let refresh = match material.refresh {
        Successor::New => Some(refresh(inner, material, identity)?),
        Successor::Kept => None,
    };
    let grant = deliver(inner, material, &access, refresh)?;
    Ok((grant, access.token))
}

struct Access {
    token: String,
    expires_at: Timestamp,
}

fn identity(inner: &Inner, material: &Material<'_>) -> Identity {
    let record = material.record;
    Identity {
        issuer: Arc::clone(&inner.config.issuer),
        subject: record.owner.subject.to_string(),
        client_id: inner.config.client_id.to_string(),
        tenant: record.owner.tenant.as_deref().map(str::to_owned),
        session: record.id,
        started_at: record.started_at,
        auth_time: record.auth_time,
        methods: record.methods.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        context: None,
        born: record.born,
        key_thumbprint: material.binding.key.clone(),
        session_expires_at: record.expires_at,
        persistence: material.persistence,
    }
}

fn access(inner: &Inner, material: &Material<'_>, identity: Identity) -> Result<Access, Refusal> {
    let expires_at = access_expiry(inner, material);
    let claims = AccessClaims {
        identity,
        audience: inner.config.audience.as_ref().into(),
        issued_at: material.at,
        expires_at,
        id: token_id(inner),
        floor: material.record.exclusive,
        seat: match material.holding {
            Holding::Seat => Seat::Held,
            Holding::Nothing => Seat::None,
        },
        app: inner.config.claims.as_ref().map(|hook| hook(&material.record.owner)).unwrap_or_default(),
    };
    let token = inner.ring().mint_access(&claims).map_err(|error| cannot_mint(inner, &error))?;
    Ok(Access { token, expires_at })
}

/// Counts from the registry's instant, never from this node's clock, and is up to 5 % shorter at random.
fn access_expiry(inner: &Inner, material: &Material<'_>) -> Timestamp {
    let ttl = inner.config.policy.access_ttl;
    let jitter = match inner.config.spread {
        Spread::Random => Duration::from_millis(inner.random.below(millis(ttl) / 20 + 1)),
        Spread::None => Duration::ZERO,
    };
    material.at.after(ttl.saturating_sub(jitter)).min(material.record.expires_at)
}

fn refresh(inner: &Inner, material: &Material<'_>, identity: Identity) -> Result<String, Refusal> {
    let parent = material.record.current;
    let claims = RefreshClaims {
        audience: inner.config.issuer.as_ref().into(),
        issued_at: material.at,
        expires_at: identity.session_expires_at,
        id: token_id(inner),
        rotation: Rotation {
            id: RotationId::follow(parent, u32::from_le_bytes(inner.random.bytes())),
            parent,
            issued: material.at,
        },
        identity,
    };
    inner.ring().mint_refresh(&claims).map_err(|error| cannot_mint(inner, &error))
}

fn token_id(inner: &Inner) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(inner.random.bytes::<16>())
}

/// Claims that cannot be minted are the host's mistake; the client learns nothing of it.
pub(super) fn cannot_mint(inner: &Inner, error: &countersign_token::MintError) -> Refusal {
    inner.tell(&crate::SessionEvent::MintFailed { detail: error.to_string() });
    Refusal::Internal
}

/// Puts tokens where the transport has them travel.
fn deliver(
    inner: &Inner,
    material: &Material<'_>,
    access: &Access,
    refresh: Option<String>,
) -> Result<Grant, Refusal> {
    let config = &inner.config;
    let record = material.record;
    let mut body = TokenResponse {
        session: SessionObject::current(record, material.holding, access.expires_at, config.policy.idle),
        token_type: if material.binding.key.is_some() { TokenType::Dpop } else { TokenType::Bearer },
        access_token: None,
        expires_in: access.expires_at.since(material.at).as_secs(),
        refresh_token: None,
        state: None,
    };
    let mut cookies = Vec::new();
    if config.transport == Transport::Cookies {
        cookies.push((&config.cookies.session, access.token.clone(), SameSite::Lax));
    } else {
        body.access_token = Some(access.token.clone());
    }
    match refresh {
        Some(token) if config.transport == Transport::Body => body.refresh_token = Some(token),
        Some(token) => cookies.push((&config.cookies.refresh, token, refresh_same_site(inner))),
        None => {}
    }
    let mut grant = Grant::for_session(body);
    grant.set_nonce(material.binding.nonce.clone());
    for (name, value, same_site) in cookies {
        let left = if name == &config.cookies.session { access.expires_at } else { record.expires_at }
            .since(material.at);
        let max_age = max_age(material.persistence, left);
        let cookie = SetCookie { name, value: &value, max_age, same_site }.to_header(config.cookies.secure);
        grant.set(cookie.map_err(|error| Refusal::StateTooLarge { size: error.size, limit: error.limit })?);
    }
    Ok(grant)
}

pub(crate) fn refresh_same_site(inner: &Inner) -> SameSite {
    match inner.config.renewal {
        Renewal::ByTheClient => SameSite::Strict,
        Renewal::Inline => SameSite::Lax,
    }
}

/// A cookie lives as long as its token, or as long as the browser is open. Its `Max-Age` counts whole seconds, and
/// 0 would delete it.
pub(crate) fn max_age(persistence: Persistence, left: Duration) -> Option<Duration> {
    match persistence {
        Persistence::Persistent => Some(left.max(Duration::from_secs(1))),
        Persistence::Browser => None,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
