//! Under construction.

mod address;
mod body;
mod cookie;
mod credential;
mod csrf;
mod device;
mod object;
mod origin;
mod problem;
mod refusal;
mod transport;

pub use address::{Network, ParseNetworkError, ProxyHeader, TrustedProxies};
pub use body::{BodyLimits, Presence, ResponseBody, expect_json, read_json, read_optional_json};
pub use cookie::{CookieNames, InvalidCookieName};
pub use object::{SessionObject, TokenResponse, TokenType};
pub use origin::{Origin, OriginError};
pub use problem::{Dialect, ProblemStyle};
pub use refusal::{BadRequest, ChoiceCode, LimitRefusal, Refusal};
pub use transport::{ParseTransportError, Transport};
