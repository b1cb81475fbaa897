//! The audit in a file: what is written stays, whoever writes and whatever breaks off.

use std::fs;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::audit::{Act, Stage, Who};

fn entry(why: &str) -> Entry {
    let who = Who { subject: "admin".into(), tenant: None, session: "A".to_owned() };
    let (what, stage) = (Act::End, Stage::Begins);
    Entry { at: 1, who, what, stage, of: None, whom: Value::Null, why: why.to_owned(), effect: None }
}

async fn words(log: &AuditFile, from: u64, limit: usize) -> Vec<(u64, String)> {
    let records = log.read(from, limit).await.unwrap();
    records.into_iter().map(|record| (record.seq, record.entry.why)).collect()
}

fn numbered(expect: &[(u64, &str)]) -> Vec<(u64, String)> {
    expect.iter().map(|&(seq, why)| (seq, why.to_owned())).collect()
}

#[tokio::test]
async fn records_are_kept_across_restarts() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("audit.jsonl");
    for round in 0..3 {
        let log = AuditFile::open(&path).unwrap();
        assert_eq!(log.append(entry(&format!("line\n{round}"))).await.unwrap(), round);
    }
    let log = AuditFile::open(&path).unwrap();
    assert_eq!(log.numbers().await.unwrap(), 0..3);
    assert_eq!(words(&log, 1, 1).await, numbered(&[(1, "line\n1")]));
    assert_eq!(words(&log, 2, 9).await, numbered(&[(2, "line\n2")]));
    assert_eq!(words(&log, 3, 9).await, []);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
}

#[tokio::test]
async fn what_a_crash_left_of_a_record_is_cut_off() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("audit.jsonl");
    let log = AuditFile::open(&path).unwrap();
    log.append(entry("whole")).await.unwrap();
    let whole = fs::read(&path).unwrap();
    let foreign = "{\"seq\":1,\"entry\":\"\u{e9}".as_bytes();
    for cut in
        [&whole[..1], &whole[..whole.len() / 2], &whole[..whole.len() - 1], &foreign[..foreign.len() - 1]]
    {
        fs::write(&path, [&whole[..], cut].concat()).unwrap();
        let log = AuditFile::open(&path).unwrap();
        assert_eq!(log.numbers().await.unwrap(), 0..1);
        assert_eq!(log.append(entry("next")).await.unwrap(), 1);
        assert_eq!(words(&log, 0, 9).await, numbered(&[(0, "whole"), (1, "next")]));
    }
    for other in ["something else\n", "something else", "{\"hour\":1}"] {
        fs::write(&path, other).unwrap();
        assert!(AuditFile::open(&path).is_err(), "what is no audit is not overwritten");
        assert_eq!(fs::read_to_string(&path).unwrap(), other);
    }
}

#[tokio::test]
async fn several_processes_share_a_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("audit.jsonl");
    // Each has a file of its own, so that locks are between them as between processes.
    let logs: Vec<_> = (0..3).map(|_| Arc::new(AuditFile::open(&path).unwrap())).collect();
    let writers = logs.iter().cloned().map(|log| {
        tokio::spawn(async move {
            for _ in 0..20 {
                log.append(entry("shared")).await.unwrap();
            }
        })
    });
    futures_util::future::try_join_all(writers).await.unwrap();
    let numbers: Vec<u64> = words(&logs[0], 0, 100).await.into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(numbers, (0..60).collect::<Vec<u64>>(), "no number is given twice");
}
