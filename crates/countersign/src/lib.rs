//! Sessions for hyper services (axum, tonic, anything on tower) and the single-page applications in front of them.
//! The client holds the session, in signed tokens; the server holds the ids that are alive and a few counters.
//!
//! - A request is verified in memory, without I/O.
//! - A logout is final, on every node within [`Policy::max_staleness`].
//! - A sessions limit is exact, and turns nobody away for a seat that nobody sits in.
//! - An anonymous visitor costs the server nothing at all.
//!
//! [`Sessions`] is built once; its [layer](Sessions::layer) goes around a service. Handlers take a [`Session`] or a
//! [`Visitor`], and return a [`Grant`] (what the client is to receive) or a [`Refusal`] (the one table of outcomes).
//!
//! The crate's parts, in the order in which a request passes through them: the layer reads the credential, judges
//! its origin (CSRF), authenticates it against keys, clock and view, and hands it to the handler; flows prepare one
//! operation of the [`Registry`] and turn its outcome into a grant.

mod address;
mod administer;
mod administrator;
mod authenticate;
#[cfg(feature = "axum")]
mod axum;
mod body;
mod builder;
mod call;
mod carried;
mod cookie;
mod credential;
mod csrf;
mod device;
mod dpop;
mod endpoint;
mod event;
mod flow;
mod future;
mod gate;
mod grant;
mod held;
pub mod keys;
mod layer;
mod login;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "metrics/silent.rs"]
mod metrics;
mod node;
mod object;
mod origin;
mod policy;
mod problem;
mod random;
mod refusal;
mod require;
mod session;
mod sessions;
mod single_use;
mod state;
mod subject;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;
mod unusual;
mod visitor;

pub use address::{Network, ParseNetworkError, ProxyHeader, TrustedProxies};
pub use administrator::Administrator;
#[cfg(feature = "axum")]
pub use axum::Fresh;
pub use body::{BodyLimits, Presence, ResponseBody, expect_json, read_json, read_optional_json};
pub use builder::{Builder, ConfigError};
pub use cookie::{CookieNames, InvalidCookieName};
pub use countersign_registry::{
    Clock, CountOf, Counts, Cursor, EndReason, Filter, Holding, Limit, Limits, List, ManualClock,
    MemoryRegistry, OnFull, Order, Owner, Page, Registry, RegistryError, Repetition, Scope, SessionRecord,
    Standing, SystemClock, Tally, Whose,
};
pub use countersign_token::{
    Algorithm, KeyId, KeyInfo, KeyRing, KeyState, SessionData, SessionId, StateFormat, StateVersion,
    Timestamp,
};
pub use dpop::{Dpop, DpopNonce};
pub use event::{Actor, EndScope, EventSink, JsonLines, SessionEvent};
pub use future::ResponseFuture;
pub use grant::{Farewell, Grant};
pub use keys::{KeyFile, Keys};
pub use layer::{SessionLayer, SessionService};
pub use login::Login;
pub use node::{Ending, Readiness};
pub use object::{SessionObject, TokenResponse, TokenType};
pub use origin::{Origin, OriginError};
pub use policy::Policy;
pub use problem::{Dialect, ProblemStyle};
pub use refusal::{BadRequest, ChoiceCode, LimitRefusal, Refusal};
pub use require::{Require, RequireService};
pub use session::Session;
pub use sessions::{Sessions, Stale};
pub use single_use::{SingleUseFuture, SingleUseProof, SingleUseService};
pub use subject::{Erasure, Remainder, StoredEntry, StoredSession, SubjectExport};
pub use transport::{ParseTransportError, Transport};
pub use unusual::{Finding, Reaction, RequestHead, Thresholds};
pub use visitor::Visitor;

/// The README's snippets are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
