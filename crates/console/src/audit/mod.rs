//! The record of everything that an administrator does: who, what, whom, when, why. It is only ever added to.
//!
//! A record is written before the act: where it cannot be, the act does not happen. A second one says what came of it.

mod file;
mod memory;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::file::AuditFile;
pub use self::memory::AuditMemory;

/// Where audit records go.
///
/// If it lies, an administrator's act cannot be traced: [`append`](AuditLog::append) must not return before the record is
/// where it survives what the host wants it to survive, and nothing may change or remove one.
pub trait AuditLog: Send + Sync + 'static {
    /// Adds a record, and returns its number: one more than that of the record before.
    fn append(&self, entry: Entry) -> BoxFuture<'_, Result<u64, AuditError>>;

    /// The records from this number on, in their order, at most so many.
    fn read(&self, from: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Record>, AuditError>>;

    /// The numbers of the records that can be read.
    fn numbers(&self) -> BoxFuture<'_, Result<Range<u64>, AuditError>>;
}

/// What is recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in Unix seconds.
    pub at: u64,
    /// Who did it.
    pub who: Who,
    /// What.
    pub what: Act,
    /// Whether it is about to happen, or did.
    pub stage: Stage,
    /// Of the second record, the number of the first.
    pub of: Option<u64>,
    /// To whom or what, as it was asked for.
    pub whom: Value,
    /// Why, in the administrator's own words.
    pub why: String,
    /// What it came to.
    pub effect: Option<Value>,
}

/// A record, with its number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number.
    pub seq: u64,
    /// The rest of it.
    #[serde(flatten)]
    pub entry: Entry,
}

/// An administrator, by the session that they used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// Their subject.
    pub subject: Arc<str>,
    /// Its tenant.
    pub tenant: Option<Arc<str>>,
    /// Their session.
    pub session: String,
}

/// What an administrator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Act {
    /// Ends sessions.
    End,
    /// Changes the limits.
    SetLimits,
    /// Lets another key sign.
    RotateKey,
    /// Removes a key for ever.
    RemoveKey,
    /// Reads everything that is stored about a person.
    ExportSubject,
    /// Erases a person.
    EraseSubject,
}

impl Act {
    /// The act as records spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::SetLimits => "set-limits",
            Self::RotateKey => "rotate-key",
            Self::RemoveKey => "remove-key",
            Self::ExportSubject => "export-subject",
            Self::EraseSubject => "erase-subject",
        }
    }
}

/// How far an act has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It is about to happen.
    Begins,
    /// It happened.
    Done,
    /// It failed, and may have happened in part.
    Failed,
}

/// A record could not be written or read.
#[derive(Debug)]
pub struct AuditError {
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl AuditError {
    /// An error of an implementation.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: source.into() }
    }
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the audit log does not work")
    }
}

impl std::error::Error for AuditError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}
