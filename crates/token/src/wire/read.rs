//! JSON to claims: each member goes into its slot, then each slot is held against its type.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{LARGEST, LAST_SECOND};
use crate::claims::{
    AccessClaims, Audience, CodeClaims, Identity, Persistence, RefreshClaims, Rotation, Seat, StateClaims,
};
use crate::error::TokenError;
use crate::id::{FeedPosition, StateVersion, Timestamp};
use crate::json::{self, Name};

type Result<T> = std::result::Result<T, TokenError>;

pub(crate) fn access(text: &str) -> Result<AccessClaims> {
    let mut slots = Slots::default();
    let mut app = Map::new();
    json::members(text, |name, value| {
        if let Some(slot) = slots.of(name) {
            return slot.fill(value);
        }
        let value: Value = serde_json::from_str(value).map_err(|_| TokenError::INVALID)?;
        match app.insert(name.to_owned(), value) {
            None => Ok(Name::Kept),
            Some(_) => Err(TokenError::INVALID),
        }
    })?;
    slots.not_before()?;
    Ok(AccessClaims {
        identity: slots.identity()?,
        audience: audience(slots.aud.needed()?)?,
        issued_at: date(slots.iat.needed()?)?,
        expires_at: date(slots.exp.needed()?)?,
        id: text_of(slots.jti.needed()?)?,
        floor: number(slots.ver.needed()?)?,
        seat: match slots.seat.0 {
            None | Some("true") => Seat::Held,
            Some("false") => Seat::None,
            Some(_) => return Err(TokenError::INVALID),
        },
        app,
    })
}

pub(crate) fn refresh(text: &str) -> Result<RefreshClaims> {
    let slots = Slots::read(text)?;
    let [id, parent, issued] = several(slots.rot.needed()?)?;
    Ok(RefreshClaims {
        identity: slots.identity()?,
        audience: audience(slots.aud.needed()?)?,
        issued_at: date(slots.iat.needed()?)?,
        expires_at: date(slots.exp.needed()?)?,
        id: text_of(slots.jti.needed()?)?,
        rotation: Rotation {
            id: parsed(id)?,
            parent: parsed(parent)?,
            issued: Timestamp::from_millis(number(issued)?),
        },
    })
}

pub(crate) fn state(text: &str) -> Result<StateClaims> {
    let slots = Slots::read(text)?;
    let [exclusive, plain] = several(slots.ver.needed()?)?;
    Ok(StateClaims {
        issuer: text_of(slots.iss.needed()?)?,
        audience: audience(slots.aud.needed()?)?,
        expires_at: date(slots.exp.needed()?)?,
        session: slots.sid.0.map(parsed).transpose()?,
        version: StateVersion { exclusive: number(exclusive)?, plain: number(plain)? },
        data_version: u16::try_from(number(slots.dv.needed()?)?).map_err(|_| TokenError::INVALID)?,
        data: raw(slots.data.needed()?)?,
    })
}

pub(crate) fn code(text: &str) -> Result<CodeClaims> {
    let slots = Slots::read(text)?;
    Ok(CodeClaims {
        issuer: text_of(slots.iss.needed()?)?,
        expires_at: date(slots.exp.needed()?)?,
        data: raw(slots.data.needed()?)?,
    })
}

/// The text of each claim that we know.
#[derive(Default)]
struct Slots<'a> {
    iss: Slot<'a>,
    sub: Slot<'a>,
    aud: Slot<'a>,
    exp: Slot<'a>,
    nbf: Slot<'a>,
    iat: Slot<'a>,
    jti: Slot<'a>,
    client_id: Slot<'a>,
    tenant: Slot<'a>,
    sid: Slot<'a>,
    auth_time: Slot<'a>,
    amr: Slot<'a>,
    acr: Slot<'a>,
    born: Slot<'a>,
    cnf: Slot<'a>,
    rot: Slot<'a>,
    ver: Slot<'a>,
    seat: Slot<'a>,
    session_started: Slot<'a>,
    session_expiry: Slot<'a>,
    remember: Slot<'a>,
    dv: Slot<'a>,
    data: Slot<'a>,
}

#[derive(Clone, Copy, Default)]
struct Slot<'a>(Option<&'a str>);

impl<'a> Slot<'a> {
    fn fill(&mut self, value: &'a str) -> Result<Name> {
        match self.0.replace(value) {
            None => Ok(Name::Kept),
            Some(_) => Err(TokenError::INVALID),
        }
    }

    fn needed(self) -> Result<&'a str> {
        self.0.ok_or(TokenError::INVALID)
    }
}

impl<'a> Slots<'a> {
    /// Reads the claims that we know. Others are well-formed JSON, and ignored (RFC 7519, section 4).
    fn read(text: &'a str) -> Result<Self> {
        let mut slots = Self::default();
        json::members(text, |name, value| slots.of(name).map_or(Ok(Name::Unknown), |slot| slot.fill(value)))?;
        slots.not_before()?;
        Ok(slots)
    }

    fn of(&mut self, name: &str) -> Option<&mut Slot<'a>> {
        Some(match name {
            "iss" => &mut self.iss,
            "sub" => &mut self.sub,
            "aud" => &mut self.aud,
            "exp" => &mut self.exp,
            "nbf" => &mut self.nbf,
            "iat" => &mut self.iat,
            "jti" => &mut self.jti,
            "client_id" => &mut self.client_id,
            "tenant" => &mut self.tenant,
            "sid" => &mut self.sid,
            "auth_time" => &mut self.auth_time,
            "amr" => &mut self.amr,
            "acr" => &mut self.acr,
            "born" => &mut self.born,
            "cnf" => &mut self.cnf,
            "rot" => &mut self.rot,
            "ver" => &mut self.ver,
            "seat" => &mut self.seat,
            "session_started" => &mut self.session_started,
            "session_expiry" => &mut self.session_expiry,
            "remember" => &mut self.remember,
            "dv" => &mut self.dv,
            "data" => &mut self.data,
            _ => return None,
        })
    }

    /// We mint no `nbf`: a token that has one is not ours.
    fn not_before(&self) -> Result<()> {
        if self.nbf.0.is_some() { Err(TokenError::INVALID) } else { Ok(()) }
    }

    fn identity(&self) -> Result<Identity> {
        let [epoch, seq] = several(self.born.needed()?)?;
        Ok(Identity {
            issuer: json::string(self.iss.needed()?)?.as_ref().into(),
            subject: text_of(self.sub.needed()?)?,
            client_id: text_of(self.client_id.needed()?)?,
            tenant: self.tenant.0.map(text_of).transpose()?,
            session: parsed(self.sid.needed()?)?,
            started_at: date(self.session_started.needed()?)?,
            auth_time: date(self.auth_time.needed()?)?,
            methods: texts(self.amr.needed()?)?,
            context: self.acr.0.map(text_of).transpose()?,
            born: FeedPosition { epoch: number(epoch)?, seq: number(seq)? },
            key_thumbprint: self.cnf.0.map(thumbprint).transpose()?,
            session_expires_at: date(self.session_expiry.needed()?)?,
            persistence: match self.remember.0 {
                None | Some("true") => Persistence::Persistent,
                Some("false") => Persistence::Browser,
                Some(_) => return Err(TokenError::INVALID),
            },
        })
    }
}

fn text_of(value: &str) -> Result<String> {
    json::string(value).map(std::borrow::Cow::into_owned)
}

fn texts(value: &str) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    json::elements(value, |element| {
        texts.push(text_of(element)?);
        Ok(())
    })?;
    Ok(texts)
}

fn audience(value: &str) -> Result<Audience> {
    if value.starts_with('"') {
        return text_of(value).map(Audience::one);
    }
    texts(value).map(Audience::several)
}

fn parsed<T: std::str::FromStr>(value: &str) -> Result<T> {
    json::string(value)?.parse().map_err(|_| TokenError::INVALID)
}

fn number(value: &str) -> Result<u64> {
    match value.parse() {
        Ok(number) if number <= LARGEST && !value.starts_with('+') => Ok(number),
        _ => Err(TokenError::INVALID),
    }
}

/// A NumericDate (RFC 7519, section 2), which may be fractional.
fn date(value: &str) -> Result<Timestamp> {
    if let Ok(secs) = number(value) {
        return if secs <= LAST_SECOND { Ok(Timestamp::from_secs(secs)) } else { Err(TokenError::INVALID) };
    }
    if !value.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(TokenError::INVALID);
    }
    let secs: f64 = value.parse().map_err(|_| TokenError::INVALID)?;
    #[expect(clippy::cast_precision_loss, reason = "the bound is far below 2^53")]
    if !(0.0..=LAST_SECOND as f64).contains(&secs) {
        return Err(TokenError::INVALID);
    }
    #[expect(clippy::cast_sign_loss, reason = "it was just found not to be negative")]
    let millis = (secs * 1000.0) as u64;
    Ok(Timestamp::from_millis(millis))
}

/// An array of exactly so many elements.
fn several<const N: usize>(value: &str) -> Result<[&str; N]> {
    let mut found = [""; N];
    let mut count = 0;
    json::elements(value, |element| {
        *found.get_mut(count).ok_or(TokenError::INVALID)? = element;
        count += 1;
        Ok(())
    })?;
    if count == N { Ok(found) } else { Err(TokenError::INVALID) }
}

/// The one confirmation method that we know (RFC 7800, RFC 9449): any other refuses the token.
fn thumbprint(value: &str) -> Result<String> {
    let mut found = None;
    json::members(value, |name, value| {
        if name != "jkt" {
            return Err(TokenError::INVALID);
        }
        match found.replace(text_of(value)?) {
            None => Ok(Name::Kept),
            Some(_) => Err(TokenError::INVALID),
        }
    })?;
    found.ok_or(TokenError::INVALID)
}

fn raw(value: &str) -> Result<Box<RawValue>> {
    RawValue::from_string(value.to_owned()).map_err(|_| TokenError::INVALID)
}
