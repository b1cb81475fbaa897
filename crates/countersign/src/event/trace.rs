//! Events of sessions as events of `tracing`: target `countersign::event`, the members of JSON lines as fields.

use tracing::{debug, info, warn};

use super::SessionEvent;

/// Tells an event at a level, with those of its members that it has.
macro_rules! tell {
    ($level:ident, $of:expr) => {{
        let of = $of.members();
        $level!(
            name: "countersign.event",
            target: "countersign::event",
            event = of.event,
            session = of.session.map(tracing::field::display),
            subject = of.subject,
            tenant = of.tenant,
            device = of.device,
            repeated = of.repeated,
            to = of.to.map(tracing::field::display),
            reason = of.reason,
            by = of.by,
            by_session = of.by_session.map(tracing::field::display),
            by_subject = of.by_subject,
            by_tenant = of.by_tenant,
            scope = of.scope,
            limit = of.limit,
            sessions = of.sessions,
            except = of.except.map(tracing::field::display),
            kid = of.kid,
            code = of.code,
            check = of.check,
            finding = of.finding,
            times = of.times,
            within_seconds = of.within_seconds,
            was = of.was,
            version = of.version,
            marks = of.marks,
            operation = of.operation,
            detail = of.detail.as_deref(),
        );
    }};
}

impl SessionEvent {
    /// Tells it to whoever subscribes: alarms and failures as warnings, what is frequent for debugging.
    pub(crate) fn trace(&self) {
        match self {
            Self::RefreshReused { .. }
            | Self::Unusual { .. }
            | Self::RegistryFailed { .. }
            | Self::MintFailed { .. }
            | Self::KeysFailed { .. }
            | Self::MarksDropped { .. } => tell!(warn, self),
            Self::Refused { .. } | Self::ProofRefused { .. } | Self::Refreshed { .. } => tell!(debug, self),
            _ => tell!(info, self),
        }
    }
}
