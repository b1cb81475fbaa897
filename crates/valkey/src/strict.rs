//! Acknowledged by all replicas: an operation is done once a proof, asked for after its answer, says that all have it.

use std::sync::Arc;

use countersign_registry::{
    Admit, Admitted, Advance, Advanced, Effect, End, EndReason, OpId, RegistryError, Repetition, Target,
};
use countersign_token::SessionId;

use crate::caller::Caller;
use crate::options::Acknowledge;

impl Caller {
    /// An operation, acknowledged as the options say. One that is not may have happened.
    pub(crate) async fn acknowledged<T>(
        self: Arc<Self>,
        operation: impl Future<Output = Result<T, RegistryError>>,
    ) -> Result<T, RegistryError> {
        if self.acknowledge == Acknowledge::Written {
            return operation.await;
        }
        let (deadline, epoch) = (self.deadline(), self.known.epoch());
        let outcome = operation.await?;
        // The operation was not of an earlier epoch than was known before it, nor of a later one than the proof is.
        let proof = self.prove_replicated(epoch, deadline).await;
        proof.map_err(|error| RegistryError::new(Effect::Unknown, error))?;
        Ok(outcome)
    }

    /// An admission, acknowledged as the options say. One that is not is taken back: nobody holds its tokens. Nor does this
    /// node remember it, so that no recovery restores one that could not be taken back.
    pub(crate) async fn acknowledged_admission(
        self: Arc<Self>,
        admit: Admit,
    ) -> Result<Admitted, RegistryError> {
        let (deadline, known, code) = (self.deadline(), self.known.epoch(), admit.code);
        let (admitted, epoch) = self.clone().admit(admit).await?;
        if self.acknowledge == Acknowledge::Replicated
            && let Err(error) = self.prove_replicated(known, deadline).await
        {
            // A repetition is of a session that others may hold tokens of already.
            if let Admitted::Seated(seated) = &admitted
                && seated.repetition == Repetition::First
            {
                self.take_back(seated.record.id).await;
            }
            return Err(RegistryError::new(Effect::Unknown, error));
        }
        // Where a later epoch has begun meanwhile, it is told of this one all the same.
        if let Admitted::Seated(seated) = &admitted {
            self.memory.note_admission(seated, code, epoch);
        }
        Ok(admitted)
    }

    /// An exclusive update, acknowledged as the options say. What is told again after a fail-over is its floor, without what
    /// lets it be repeated: so one that was not acknowledged must not be.
    pub(crate) async fn acknowledged_advance(
        self: Arc<Self>,
        advance: Advance,
    ) -> Result<Advanced, RegistryError> {
        let advanced = self.clone().acknowledged(self.clone().advance(advance)).await?;
        if let Advanced::Set { entries, .. } = &advanced
            && let Some(first) = entries.first()
        {
            self.memory.keep(entries.clone(), first.position.epoch).await?;
        }
        Ok(advanced)
    }

    async fn take_back(self: &Arc<Self>, session: SessionId) {
        let end = End {
            id: OpId(session.as_bytes().map(|byte| !byte)),
            target: Target::Sessions(vec![session]),
            reason: EndReason::Logout,
        };
        if let Err(error) = self.clone().end(end).await {
            // Its seat falls free once it dangles.
            tracing::warn!(%error, "an admission that no replica has could not be taken back");
        }
    }
}
