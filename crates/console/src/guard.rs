//! The host's rule: who may look, and who may change something.

use countersign::{Refusal, Session};

/// What a route of the console gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The page itself, which holds nothing of the site: anyone gets it, so that an administrator can log in there.
    Anyone,
    /// It tells of people and their sessions.
    Look,
    /// It changes something.
    Change,
}

/// Who may use the console. It is asked on every request that needs a session, after the session was verified.
///
/// If it lies, a stranger sees who is here, or ends their sessions. It should demand that the administrator proved who
/// they are recently ([`Session::require_fresh`]), and refuse whoever has no right by [`Refusal::NotFound`], which does
/// not show that there is a console.
///
/// The console is of the whole site: where tenants name their own users, a rule that looks at the subject alone lets a
/// tenant's `admin` end everyone. A stream of [`Access::Look`] is held against the rule again every fifteen seconds.
pub trait Guard: Send + Sync + 'static {
    /// Admits a session to what a route gives.
    ///
    /// # Errors
    ///
    /// Why not, ready to be the response.
    fn admit(&self, session: &Session, access: Access) -> Result<(), Refusal>;
}

impl<F> Guard for F
where
    F: Fn(&Session, Access) -> Result<(), Refusal> + Send + Sync + 'static,
{
    fn admit(&self, session: &Session, access: Access) -> Result<(), Refusal> {
        self(session, access)
    }
}
