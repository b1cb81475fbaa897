//! Signed and sealed session tokens: bytes in, proof out. Pure: no clock, no runtime, no HTTP.
//!
//! A token on its way in is a chain of types, each made in exactly one place: [`Unverified`] (a shape), [`Verified`]
//! (signature, header, types), [`Live`] (time, issuer, audience). Whether the session was revoked is the framework's
//! question.
//!
//! ```
//! use std::time::Duration;
//! use countersign_token::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = Timestamp::from_secs(1_800_000_000);
//! let ring = KeyRing::generate(Algorithm::EdDsa, now);
//! # let identity = Identity {
//! #     issuer: "https://shop.example".into(), subject: "alice".into(), client_id: "shop".into(), tenant: None,
//! #     session: SessionId::from_bytes([7; 16]), started_at: now, auth_time: now, methods: vec!["pwd".into()],
//! #     context: None, born: FeedPosition::default(), key_thumbprint: None,
//! #     session_expires_at: now.after(Duration::from_secs(3600)), persistence: Persistence::Persistent,
//! # };
//! let token = ring.mint_access(&AccessClaims {
//!     identity, // who, which session, how they proved it
//!     audience: "https://shop.example".into(),
//!     issued_at: now,
//!     expires_at: now.after(Duration::from_secs(300)),
//!     id: "1".into(),
//!     floor: 0,
//!     seat: Seat::Held,
//!     app: serde_json::Map::new(),
//! })?;
//!
//! let unverified = Unverified::parse(&token, 4096)?;
//! let verified = ring.verify_access(&unverified)?;
//! let expect = Expect {
//!     issuer: "https://shop.example",
//!     audience: "https://shop.example",
//!     now,
//!     clock_skew: Duration::ZERO,
//! };
//! let live = verified.live(&expect).expect("it was minted just now");
//! assert_eq!(live.claims().identity.subject, "alice");
//! # Ok(())
//! # }
//! ```

mod cache;
mod claims;
mod data;
mod error;
pub mod hazmat;
mod header;
mod id;
pub mod jose;
mod json;
mod key;
mod keyring;
mod live;
mod memo;
mod mint;
mod seal;
mod state;
mod tag;
mod unverified;
mod verify;
mod wire;

pub use cache::{CachedToken, TokenCache};
pub use claims::{
    AccessClaims, Audience, CodeClaims, Identity, Persistence, RefreshClaims, Rotation, Seat, StateClaims,
};
pub use data::SessionData;
pub use error::{KeyRingError, MintError, TokenError, TokenErrorKind};
pub use id::{FeedPosition, ParseIdError, RotationId, SessionId, StateVersion, Timestamp};
pub use key::{Algorithm, KeyId, ParseAlgorithmError};
pub use keyring::{KeyInfo, KeyRing, KeyState, Schedule};
pub use live::{Expect, Lifetime, Live, NotLive};
pub use state::{OpenState, StateFormat};
pub use unverified::Unverified;
pub use verify::Verified;
