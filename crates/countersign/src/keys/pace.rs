//! At which pace running servers let keys come and go.

use std::time::Duration;

/// A key is in the JWKS for a day before it signs: longer than services that verify cache it.
pub const PUBLISH_AHEAD: Duration = Duration::from_hours(24);

/// A key signs for a month.
pub const SIGN_FOR: Duration = Duration::from_hours(30 * 24);
