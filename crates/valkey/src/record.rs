//! The bytes of a session's record, which scripts and nodes share.
//!
//! ```text
//! format 1, seat 1, has 1, expires 6, activity 6, current 8, exclusive 7,
//! started 6, born 7 + 6, [auth_time 6], [login_key 16], [handed_off_from 16], [last update 3 × 16 + 7],
//! owner, methods 2 + n, [device 2 + n]
//! ```
//!
//! Numbers are big-endian, instants milliseconds. An owner is `tenant, subject`, each with its length in two bytes
//! before it; the length 2^16 - 1 stands for no tenant. So an owner's bytes are the beginning of no other's, and begin
//! with their tenant's: the index of owners is the index of tenants too.

use std::sync::Arc;

use countersign_registry::{
    Admit, Digest, Effect, Holding, Owner, RegistryError, SeatState, SessionRecord, UpdateMemo,
};
use countersign_token::{FeedPosition, RotationId, SessionId};

use crate::bytes::{Reader, Writer};

const NO_TENANT: u16 = u16::MAX;
/// The parts that a record may have.
const AUTH_TIME: u8 = 1;
const LOGIN_KEY: u8 = 2;
const PARENT: u8 = 4;
const MEMO: u8 = 8;
const DEVICE: u8 = 16;

/// A tenant as the index of owners begins with it.
pub(crate) fn tenant(name: &str) -> Result<Vec<u8>, RegistryError> {
    let mut bytes = Writer::default();
    bytes.text(name)?;
    Ok(bytes.done())
}

/// A subject as it follows its tenant there.
pub(crate) fn subject(name: &str) -> Result<Vec<u8>, RegistryError> {
    tenant(name)
}

/// An owner as the index of owners begins with it.
pub(crate) fn owner(owner: &Owner) -> Result<Vec<u8>, RegistryError> {
    let mut bytes = Writer::default();
    match &owner.tenant {
        Some(tenant) => bytes.text(tenant)?,
        None => bytes.number(NO_TENANT.into(), 2),
    }
    bytes.text(&owner.subject)?;
    Ok(bytes.done())
}

/// What a newcomer's record says beyond what the script knows, and which parts it has.
pub(crate) fn newcomer(admit: &Admit) -> Result<(Vec<u8>, u8), RegistryError> {
    let (mut bytes, mut has) = (Writer::default(), 0);
    if let Some(auth_time) = admit.auth_time {
        has |= AUTH_TIME;
        bytes.instant(auth_time);
    }
    if let Some(Digest(key)) = admit.login_key {
        has |= LOGIN_KEY;
        bytes.raw(&key);
    }
    if let Some(parent) = admit.handed_off_from {
        has |= PARENT;
        bytes.raw(parent.as_bytes());
    }
    bytes.raw(&owner(&admit.owner)?);
    bytes.text(&admit.methods)?;
    if admit.device.is_some() {
        has |= DEVICE;
    }
    bytes.raw(&device(admit)?);
    Ok((bytes.done(), has))
}

/// A newcomer's device, if it has one.
pub(crate) fn device(admit: &Admit) -> Result<Vec<u8>, RegistryError> {
    let mut bytes = Writer::default();
    if let Some(device) = &admit.device {
        bytes.text(device)?;
    }
    Ok(bytes.done())
}

/// A session, and whether it holds a seat.
pub(crate) fn session(id: SessionId, raw: &[u8]) -> Result<(SessionRecord, Holding), RegistryError> {
    let mut bytes = Reader::new(raw);
    let format = bytes.number(1)?;
    if format != 1 {
        return Err(RegistryError::new(
            Effect::Unknown,
            format!("a record of format {format}: use a newer build"),
        ));
    }
    let (seat, has) = (bytes.number(1)?, bytes.number(1)? as u8);
    let (expires_at, last_activity) = (bytes.instant()?, bytes.instant()?);
    let (current, exclusive) = (RotationId::from_bits(bytes.number(8)?), bytes.number(7)?);
    let (started_at, born) =
        (bytes.instant()?, FeedPosition { epoch: bytes.number(7)?, seq: bytes.number(6)? });
    let auth_time = if has & AUTH_TIME == 0 { started_at } else { bytes.instant()? };
    let login_key = if has & LOGIN_KEY == 0 { None } else { Some(Digest(bytes.array()?)) };
    let handed_off_from = if has & PARENT == 0 { None } else { Some(SessionId::from_bytes(bytes.array()?)) };
    let last_update = if has & MEMO == 0 { None } else { Some(Box::new(memo(&mut bytes)?)) };
    let owner = read_owner(&mut bytes)?;
    let methods = bytes.text()?;
    let device = if has & DEVICE == 0 { None } else { Some(bytes.text()?) };
    let holding = if seat == 1 { Holding::Seat } else { Holding::Nothing };
    let seat = if seat == 2 { SeatState::GivenUp } else { SeatState::Taken };
    let record = SessionRecord {
        id,
        owner,
        started_at,
        auth_time,
        methods,
        device,
        expires_at,
        last_activity,
        seat,
        born,
        current,
        exclusive,
        last_update,
        login_key,
        handed_off_from,
    };
    Ok((record, holding))
}

/// A session's bytes. It holds a seat if it took one.
pub(crate) fn packed(record: &SessionRecord) -> Result<Vec<u8>, RegistryError> {
    let (mut parts, mut has) = (Writer::default(), 0);
    if record.auth_time != record.started_at {
        has |= AUTH_TIME;
        parts.instant(record.auth_time);
    }
    if let Some(Digest(key)) = record.login_key {
        has |= LOGIN_KEY;
        parts.raw(&key);
    }
    if let Some(parent) = record.handed_off_from {
        has |= PARENT;
        parts.raw(parent.as_bytes());
    }
    if let Some(UpdateMemo { key, old_state, new_data, exclusive }) = record.last_update.as_deref() {
        has |= MEMO;
        parts.raw(&[key.0, old_state.0, new_data.0].concat());
        parts.number(*exclusive, 7);
    }
    parts.raw(&owner(&record.owner)?);
    parts.text(&record.methods)?;
    if let Some(device) = &record.device {
        has |= DEVICE;
        parts.text(device)?;
    }
    let mut bytes = Writer::default();
    bytes.number(1, 1);
    bytes.number(if record.seat == SeatState::Taken { 1 } else { 2 }, 1);
    bytes.number(has.into(), 1);
    bytes.instant(record.expires_at);
    bytes.instant(record.last_activity);
    bytes.number(record.current.to_bits(), 8);
    bytes.number(record.exclusive, 7);
    bytes.instant(record.started_at);
    bytes.number(record.born.epoch, 7);
    bytes.number(record.born.seq, 6);
    bytes.raw(&parts.done());
    Ok(bytes.done())
}

fn memo(bytes: &mut Reader<'_>) -> Result<UpdateMemo, RegistryError> {
    let (key, old_state, new_data) = (bytes.array()?, bytes.array()?, bytes.array()?);
    let [key, old_state, new_data] = [key, old_state, new_data].map(Digest);
    Ok(UpdateMemo { key, old_state, new_data, exclusive: bytes.number(7)? })
}

/// A tenant, if there is one.
pub(crate) fn read_tenant(bytes: &mut Reader<'_>) -> Result<Option<Arc<str>>, RegistryError> {
    match bytes.number(2)? as u16 {
        NO_TENANT => Ok(None),
        length => bytes.str(length.into()).map(Some),
    }
}

/// An owner.
pub(crate) fn read_owner(bytes: &mut Reader<'_>) -> Result<Owner, RegistryError> {
    Ok(Owner { tenant: read_tenant(bytes)?, subject: bytes.text()? })
}
