//! The audit in memory: for tests, and for hosts that send their events elsewhere.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use super::{AuditError, AuditLog, Entry, Record};

/// At most the last 10,000 records, which end with the process. Full, it forgets the oldest.
#[derive(Debug, Default)]
pub struct AuditMemory {
    records: Mutex<Records>,
}

const KEPT: usize = 10_000;

#[derive(Debug, Default)]
struct Records {
    next: u64,
    kept: VecDeque<Record>,
}

impl AuditMemory {
    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuditLog for AuditMemory {
    fn append(&self, entry: Entry) -> BoxFuture<'_, Result<u64, AuditError>> {
        let mut records = self.records();
        let seq = records.next;
        records.next += 1;
        if records.kept.len() == KEPT {
            records.kept.pop_front();
        }
        records.kept.push_back(Record { seq, entry });
        ready(Ok(seq)).boxed()
    }

    fn read(&self, from: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Record>, AuditError>> {
        let records = self.records();
        let start = records.kept.partition_point(|record| record.seq < from);
        ready(Ok(records.kept.range(start..).take(limit).cloned().collect())).boxed()
    }

    fn numbers(&self) -> BoxFuture<'_, Result<Range<u64>, AuditError>> {
        let records = self.records();
        ready(Ok(records.next - records.kept.len() as u64..records.next)).boxed()
    }
}
