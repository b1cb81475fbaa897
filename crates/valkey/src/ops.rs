//! Each operation: its script's arguments, and what the answer means.

use std::sync::Arc;

use countersign_registry::{
    Activity, Admission, Admit, Admitted, Advance, Advanced, Base, Claim, Claimed, CountOf, Counts, Effect,
    End, Ended, Full, Lifetime, OnFull, Once, OnceId, RegistryError, Renewal, Repetition, Rotate, Rotated,
    Scope, Seated, SessionRecord, SetLimits, Standing, Target, Touch,
};
use countersign_token::{FeedPosition, SessionId};
use redis::Value;

use crate::answer::{self, Answer};
use crate::bytes::{Reader, Writer, garbled, millis};
use crate::caller::Caller;
use crate::script::Script;
use crate::{entry, header, record};

/// How many marks or ids one call carries.
const TOGETHER: usize = 512;

impl Caller {
    /// An admission, and in which epoch. It is not noted yet: nobody holds its tokens before it is acknowledged.
    pub(crate) async fn admit(self: Arc<Self>, admit: Admit) -> Result<(Admitted, u64), RegistryError> {
        let owner = record::owner(&admit.owner)?;
        let (rest, has) = record::newcomer(&admit)?;
        let has = has.to_string();
        let id = |id: Option<SessionId>| id.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
        let key = admit.login_key.map(|key| key.0.to_vec()).unwrap_or_default();
        let device = record::device(&admit)?;
        let args: [&[u8]; 10] = [
            admit.session.as_bytes(),
            &owner,
            &rest,
            has.as_bytes(),
            &figures(&admit),
            &id(admit.replaces),
            &key,
            &code(&admit),
            &id(admit.handed_off_from),
            &device,
        ];
        let answer = self.call(Script::Admit, &args).await?;
        let epoch = answer.position.epoch;
        match admitted(answer)? {
            Admitted::Seated(seated) => {
                let entries = self.memory.keep(seated.entries, epoch).await?;
                Ok((Admitted::Seated(Seated { entries, ..seated }), epoch))
            }
            refused => Ok((refused, epoch)),
        }
    }

    pub(crate) async fn rotate(self: Arc<Self>, rotate: Rotate) -> Result<Rotated, RegistryError> {
        let mut figures = Writer::default();
        figures.instant(rotate.issued);
        figures.number((rotate.activity == Activity::Passive).into(), 1);
        let (id, parent) = (rotate.id.to_bits().to_be_bytes(), rotate.parent.to_bits().to_be_bytes());
        let args: [&[u8]; 4] = [rotate.session.as_bytes(), &id, &parent, &figures.done()];
        let mut answer = self.call(Script::Rotate, &args).await?;
        match answer.kind {
            0 => Ok(Rotated::Kept(renewal(&mut answer, rotate.session)?)),
            1 => Ok(Rotated::Renewed(renewal(&mut answer, rotate.session)?)),
            2 => Ok(Rotated::Full(full(&mut answer)?)),
            3 => Ok(Rotated::Reused(self.memory.keep(answer.entries()?, answer.position.epoch).await?)),
            5 => Ok(Rotated::Ended(answer.reason()?)),
            _ => answer.unknown(),
        }
    }

    pub(crate) async fn advance(self: Arc<Self>, advance: Advance) -> Result<Advanced, RegistryError> {
        let base = match advance.base {
            Base::Version(version) => Some(version),
            Base::Reset => None,
        };
        if base.max(Some(advance.known)) >= Some(1 << 53) {
            return Err(RegistryError::new(Effect::None, "a version of 2^53 or more"));
        }
        let mut figures = Writer::default();
        figures.number(base.is_none().into(), 1);
        figures.number(base.unwrap_or_default(), 7);
        figures.number(advance.known, 7);
        let memo = advance.memo.map(|memo| [memo.key.0, memo.old_state.0, memo.new_data.0].concat());
        let args: [&[u8]; 3] = [advance.session.as_bytes(), &figures.done(), &memo.unwrap_or_default()];
        let mut answer = self.call(Script::Advance, &args).await?;
        let at = answer.at;
        match answer.kind {
            1 => Ok(Advanced::Set { exclusive: answer.number()?, at, entries: answer.entries()? }),
            2 => Ok(Advanced::Repeated { exclusive: answer.number()?, at }),
            3 => Ok(Advanced::Conflict { exclusive: answer.number()? }),
            5 => Ok(Advanced::Ended(answer.reason()?)),
            _ => answer.unknown(),
        }
    }

    pub(crate) async fn touch(self: Arc<Self>, marks: Vec<Touch>) -> Result<(), RegistryError> {
        for some in marks.chunks(TOGETHER) {
            let mut bytes = Writer::default();
            for mark in some {
                bytes.raw(mark.session.as_bytes());
                bytes.number(header::duration(mark.age), 6);
            }
            self.call(Script::Touch, &[&bytes.done()]).await?;
        }
        Ok(())
    }

    pub(crate) async fn end(self: Arc<Self>, end: End) -> Result<Ended, RegistryError> {
        let (target, of, other) = target(&end.target)?;
        let reason = entry::number(end.reason).to_string();
        let args: [&[u8]; 5] = [&end.id.0, target, reason.as_bytes(), &of, &other];
        let mut answer = self.call(Script::End, &args).await?;
        let sessions = answer.number()?;
        let position = entry::position(&mut Reader::new(&answer.bytes()?))?;
        let entries = self.memory.keep(answer.entries()?, answer.position.epoch).await?;
        Ok(Ended { sessions, position, entries })
    }

    pub(crate) async fn counts(self: Arc<Self>, of: CountOf) -> Result<Counts, RegistryError> {
        let (whose, of): (&[u8], _) = match of {
            CountOf::Owner(owner) => (b"o", record::owner(&owner)?),
            CountOf::Tenant(tenant) => (b"t", record::tenant(&tenant)?),
            CountOf::Site => (b"a", Vec::new()),
        };
        let mut answer = self.call(Script::Counts, &[whose, &of]).await?;
        Ok(Counts { sessions: answer.number()?, seats: answer.number()? })
    }

    pub(crate) async fn get(
        self: Arc<Self>,
        sessions: Vec<SessionId>,
    ) -> Result<Vec<Standing>, RegistryError> {
        let mut standings = Vec::with_capacity(sessions.len());
        for some in sessions.chunks(TOGETHER) {
            let ids: Vec<u8> = some.iter().flat_map(SessionId::as_bytes).copied().collect();
            let found = self.call(Script::Get, &[&ids]).await?.list()?;
            for (&id, value) in some.iter().zip(found) {
                standings.push(standing(id, value)?);
            }
        }
        if standings.len() == sessions.len() { Ok(standings) } else { Err(garbled()) }
    }

    pub(crate) async fn claim(self: Arc<Self>, once: Once) -> Result<Claimed, RegistryError> {
        let OnceId(id) = once.id;
        let until = millis(once.until).to_string();
        let (owner, born) = match &once.of {
            Some((owner, born)) => (record::owner(owner)?, position(*born)),
            None => (Vec::new(), Vec::new()),
        };
        let claim: &[u8] = match once.claim {
            Claim::UseUp => b"1",
            Claim::LookOnly => b"",
        };
        let answer = self.call(Script::Once, &[&id, until.as_bytes(), &owner, &born, claim]).await?;
        if answer.kind != 1 {
            return Ok(Claimed::Spent);
        }
        if once.claim == Claim::UseUp {
            self.memory.note_once(once.id, once.until, answer.position.epoch, answer.at);
        }
        Ok(Claimed::First)
    }

    pub(crate) async fn set_limits(self: Arc<Self>, limits: SetLimits) -> Result<(), RegistryError> {
        self.call(Script::Limits, &[&header::limits(limits.limits)]).await.map(drop)
    }
}

fn figures(admit: &Admit) -> Vec<u8> {
    let mut bytes = Writer::default();
    let (counts_from_now, time) = match admit.lifetime {
        Lifetime::For(time) => (1, header::duration(time)),
        Lifetime::Until(end) => (0, millis(end)),
    };
    bytes.number(counts_from_now, 1);
    bytes.number(time, 6);
    bytes.number((admit.admission == Admission::Exempt).into(), 1);
    bytes.done()
}

fn code(admit: &Admit) -> Vec<u8> {
    let mut bytes = Writer::default();
    if let Some(code) = admit.code {
        bytes.raw(&code.id.0);
        bytes.instant(code.until);
        bytes.raw(&position(code.born));
        bytes.raw(code.end.as_ref().map_or(&[], |end| end.as_bytes()));
    }
    bytes.done()
}

fn position(position: FeedPosition) -> Vec<u8> {
    let mut bytes = Writer::default();
    entry::write_position(&mut bytes, position);
    bytes.done()
}

fn admitted(mut answer: Answer) -> Result<Admitted, RegistryError> {
    match answer.kind {
        1 => {
            let repetition = if answer.number()? == 1 { Repetition::Again } else { Repetition::First };
            let id = answer.id()?;
            let (record, _) = answer.session(id)?;
            let entries = if repetition == Repetition::Again { Vec::new() } else { answer.entries()? };
            Ok(Admitted::Seated(Seated { record, repetition, at: answer.at, entries }))
        }
        2 => full(&mut answer).map(Admitted::Full),
        3 => Ok(Admitted::CodeSpent),
        4 => Ok(Admitted::ChoiceGone),
        5 => answer.reason().map(Admitted::Ended),
        _ => answer.unknown(),
    }
}

fn full(answer: &mut Answer) -> Result<Full, RegistryError> {
    let scope = match answer.number()? {
        1 => Scope::User,
        2 => Scope::Tenant,
        _ => Scope::Site,
    };
    let (limit, in_use) = (answer.number()? as u32, answer.number()?);
    let on_full = match answer.number()? {
        2 => OnFull::EndLeastRecent,
        3 => OnFull::EndOldest,
        4 => OnFull::Ask,
        _ => OnFull::Refuse,
    };
    let retry_after = answer.number()?.checked_sub(1).map(std::time::Duration::from_millis);
    let own: Vec<SessionRecord> = answer.sessions()?.into_iter().map(|(record, _)| record).collect();
    Ok(Full { scope, limit, in_use, on_full, retry_after, own, position: answer.position, at: answer.at })
}

fn renewal(answer: &mut Answer, id: SessionId) -> Result<Renewal, RegistryError> {
    let (record, seat) = answer.session(id)?;
    Ok(Renewal { record, seat, at: answer.at })
}

fn standing(id: SessionId, value: Value) -> Result<Standing, RegistryError> {
    match value {
        Value::BulkString(raw) => {
            let (record, holding) = record::session(id, &raw)?;
            Ok(Standing::Live(Box::new(record), holding))
        }
        Value::Int(number) => {
            Ok(Standing::Ended(answer::reason(u64::try_from(number).map_err(|_| garbled())?)?))
        }
        _ => Err(garbled()),
    }
}

type Named = (&'static [u8], Vec<u8>, Vec<u8>);

/// The letter of a target, what it names, and the owner or the exception.
fn target(target: &Target) -> Result<Named, RegistryError> {
    let id = |id: &SessionId| id.as_bytes().to_vec();
    Ok(match target {
        Target::Sessions(ids) => (b"s", ids.iter().flat_map(id).collect(), Vec::new()),
        Target::Own(owner, session) => (b"w", id(session), record::owner(owner)?),
        Target::Owner(owner, except) => {
            (b"o", record::owner(owner)?, except.as_ref().map(id).unwrap_or_default())
        }
        Target::Tenant(tenant) => (b"t", record::tenant(tenant)?, Vec::new()),
        Target::Everyone => (b"a", Vec::new(), Vec::new()),
        Target::Key(kid) => (b"k", kid.as_bytes().to_vec(), Vec::new()),
    })
}
