//! The administrator's page of a site that [`countersign`] keeps the sessions of: who is here, since when, on how many
//! seats; ending sessions, changing limits, rotating keys; and a record of everything that an administrator does.
//!
//! A [`Monitor`] hears the site's events and counts them. A [`Console`] is a tower service that a host mounts inside the
//! session layer, below a path of its own and behind a rule of its own:
//!
//! ```
//! use countersign::{Builder, ConfigError, Refusal, Session};
//! use countersign_console::{Access, Console, Monitor};
//!
//! # fn doc(builder: Builder) -> Result<(), ConfigError> {
//! let monitor = Monitor::new();
//! let sessions = builder.on_event(monitor.sink()).build()?;
//! let admits = |session: &Session, _access: Access| match (session.tenant(), session.subject()) {
//!     (None, "admin") => session.require_fresh(),
//!     _ => Err(Refusal::NotFound),
//! };
//! let console = Console::new(sessions, monitor, admits);
//! # let _ = console;
//! # Ok(())
//! # }
//! ```
//!
//! The parts, in the order in which a request passes through them: [`ROUTES`] is the one table of what there is;
//! [`Guard`] is the host's rule; the modules of `api` answer; [`audit`] keeps what was done. [`statistics`] is pure:
//! counters of a fixed size, which a host may keep across restarts. What is counted by events is of this node alone;
//! what is asked of the registry (sessions, seats, and so their high-water marks) is of the whole site.

mod answer;
mod api;
pub mod audit;
mod console;
mod guard;
mod happening;
mod monitor;
mod page;
mod query;
mod route;
pub mod statistics;
mod unusual;

pub use console::{Body, Console};
pub use guard::{Access, Guard};
pub use happening::{Happening, Kind};
pub use monitor::Monitor;
pub use route::{ROUTES, Route};
pub use unusual::Oddity;
