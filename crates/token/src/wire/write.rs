//! Claims to JSON, member by member into one buffer.

use serde::Serialize;

use super::{LARGEST, LAST_SECOND, RESERVED};
use crate::claims::{
    AccessClaims, Audience, CodeClaims, Identity, Persistence, RefreshClaims, Seat, StateClaims,
};
use crate::error::MintError;
use crate::id::Timestamp;
use crate::json::{self, Name};

/// Claims of any kind, which can write themselves.
pub(crate) trait Claims {
    fn write(&self, object: &mut Object) -> Result<(), MintError>;

    /// Whether they hold what an application wrote.
    fn hold_data(&self) -> bool;

    /// What a verifier would refuse is not minted: its holder would find it lost.
    fn to_json(&self) -> Result<Vec<u8>, MintError> {
        let mut object = Object(Vec::with_capacity(640));
        self.write(&mut object)?;
        object.0.push(b'}');
        if self.hold_data() {
            let text = std::str::from_utf8(&object.0).map_err(|_| MintError::Unrepresentable)?;
            json::members(text, |_, _| Ok(Name::Unknown)).map_err(|_| MintError::Unrepresentable)?;
        }
        Ok(object.0)
    }
}

/// A JSON object under way.
pub(crate) struct Object(Vec<u8>);

impl Object {
    fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), MintError> {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        self.string(name)?;
        self.0.push(b':');
        serde_json::to_writer(&mut self.0, value).map_err(|_| MintError::Unrepresentable)
    }

    fn string(&mut self, text: &str) -> Result<(), MintError> {
        serde_json::to_writer(&mut self.0, text).map_err(|_| MintError::Unrepresentable)
    }

    fn date(&mut self, name: &str, at: Timestamp) -> Result<(), MintError> {
        if at.as_secs() > LAST_SECOND {
            return Err(MintError::Unrepresentable);
        }
        self.member(name, &at.as_secs())
    }

    fn number(&mut self, name: &str, number: u64) -> Result<(), MintError> {
        self.member(name, &exact(number)?)
    }

    fn pair(&mut self, name: &str, pair: [u64; 2]) -> Result<(), MintError> {
        self.member(name, &[exact(pair[0])?, exact(pair[1])?])
    }

    fn audience(&mut self, audience: &Audience) -> Result<(), MintError> {
        let mut all = audience.iter();
        match (all.next(), all.next()) {
            (Some(one), None) => self.member("aud", one),
            _ => self.member("aud", &audience.iter().collect::<Vec<_>>()),
        }
    }
}

/// A number that every reader of JSON reads alike.
fn exact(number: u64) -> Result<u64, MintError> {
    if number <= LARGEST { Ok(number) } else { Err(MintError::Unrepresentable) }
}

impl Identity {
    fn write(&self, object: &mut Object) -> Result<(), MintError> {
        object.member("iss", &self.issuer)?;
        object.member("sub", &self.subject)?;
        object.member("client_id", &self.client_id)?;
        if let Some(tenant) = &self.tenant {
            object.member("tenant", tenant)?;
        }
        object.member("sid", &self.session)?;
        object.date("session_started", self.started_at)?;
        object.date("session_expiry", self.session_expires_at)?;
        object.date("auth_time", self.auth_time)?;
        object.member("amr", &self.methods)?;
        if let Some(context) = &self.context {
            object.member("acr", context)?;
        }
        object.pair("born", [self.born.epoch, self.born.seq])?;
        if let Some(thumbprint) = &self.key_thumbprint {
            object.member("cnf", &serde_json::json!({ "jkt": thumbprint }))?;
        }
        match self.persistence {
            Persistence::Persistent => Ok(()),
            Persistence::Browser => object.member("remember", &false),
        }
    }
}

impl Claims for AccessClaims {
    fn hold_data(&self) -> bool {
        !self.app.is_empty()
    }

    fn write(&self, object: &mut Object) -> Result<(), MintError> {
        self.identity.write(object)?;
        object.audience(&self.audience)?;
        object.date("iat", self.issued_at)?;
        object.date("exp", self.expires_at)?;
        object.member("jti", &self.id)?;
        object.number("ver", self.floor)?;
        if self.seat == Seat::None {
            object.member("seat", &false)?;
        }
        for (name, value) in &self.app {
            if RESERVED.contains(&name.as_str()) {
                return Err(MintError::ReservedClaim(name.clone()));
            }
            object.member(name, value)?;
        }
        Ok(())
    }
}

impl Claims for RefreshClaims {
    fn hold_data(&self) -> bool {
        false
    }

    fn write(&self, object: &mut Object) -> Result<(), MintError> {
        self.identity.write(object)?;
        object.audience(&self.audience)?;
        object.date("iat", self.issued_at)?;
        object.date("exp", self.expires_at)?;
        object.member("jti", &self.id)?;
        let rotation = &self.rotation;
        object.member("rot", &(rotation.id, rotation.parent, exact(rotation.issued.as_millis())?))
    }
}

impl Claims for StateClaims {
    fn hold_data(&self) -> bool {
        true
    }

    fn write(&self, object: &mut Object) -> Result<(), MintError> {
        object.member("iss", &self.issuer)?;
        object.audience(&self.audience)?;
        object.date("exp", self.expires_at)?;
        if let Some(session) = &self.session {
            object.member("sid", session)?;
        }
        object.pair("ver", [self.version.exclusive, self.version.plain])?;
        object.member("dv", &self.data_version)?;
        object.member("data", &self.data)
    }
}

impl Claims for CodeClaims {
    fn hold_data(&self) -> bool {
        true
    }

    fn write(&self, object: &mut Object) -> Result<(), MintError> {
        object.member("iss", &self.issuer)?;
        object.date("exp", self.expires_at)?;
        object.member("data", &self.data)
    }
}
