//! What can be wrong with a server, and what to do about it.

/// A registry's server cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address says nothing that this build can connect to.
    #[error(
        "{url:?} is no address of a registry: {why}; use redis://user:password@host:port/database, redis+cluster://host,host \
         or redis+sentinel://host,host/service, and rediss for TLS"
    )]
    Address {
        /// The address, without user, password and parameters.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Encrypted connections cannot be made with what the host and the options provide.
    #[error("no TLS connection can be made: {why}")]
    Tls {
        /// What is missing or unreadable.
        why: String,
    },
    /// It does not answer, or does not let us in.
    #[error("the server at {address} cannot be reached")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no registry of this name yet, and a [guest](crate::Part::Guest) makes none.
    #[error("the server at {address} has no session registry named {domain:?}")]
    Empty {
        /// Where.
        address: String,
        /// The limit domain that was asked for.
        domain: String,
    },
    /// It would not keep what it is given.
    #[error("the server at {address} cannot keep sessions: {why}")]
    Unfit {
        /// Where.
        address: String,
        /// What is wrong, and what to change.
        why: String,
    },
    /// The file of this node's outbox cannot be used.
    #[error("the outbox {path:?} cannot be opened; is another process using it?")]
    Outbox {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OpenError {
    pub(crate) fn unreachable(
        address: &str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Unreachable { address: address.to_owned(), source: source.into() }
    }
}
