//! The application's typed data of a session.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// What an application keeps about a session, in its client's state token.
///
/// A deploy that changes the type raises [`VERSION`](SessionData::VERSION); data of another version goes through
/// [`upgrade`](SessionData::upgrade). Data that cannot be read never ends a session: it starts again from the default.
///
/// ```
/// use countersign_token::SessionData;
/// use serde_json::value::RawValue;
///
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// struct Cart { items: Vec<String> }
///
/// impl SessionData for Cart {
///     const VERSION: u16 = 2;
///
///     fn upgrade(from: u16, raw: &RawValue) -> Option<Self> {
///         // Version 1 was a bare list.
///         (from == 1).then(|| serde_json::from_str(raw.get()).ok()).flatten().map(|items| Cart { items })
///     }
/// }
/// ```
pub trait SessionData: Serialize + DeserializeOwned + Default + Send + Sync + 'static {
    /// The version of the type.
    const VERSION: u16;

    /// Data of another version, as this one. [`None`] if it cannot be.
    fn upgrade(from: u16, raw: &RawValue) -> Option<Self> {
        let _ = (from, raw);
        None
    }
}

/// No data.
impl SessionData for () {
    const VERSION: u16 = 0;
}
