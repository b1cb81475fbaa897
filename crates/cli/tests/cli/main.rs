//! Runs the transcripts in `tests/snapshots` through the built command and compares what it says, word by word.
//!
//! A transcript holds shell lines (`$ …`) and what they answer: standard output as it is, standard error behind
//! `! `, an exit code other than 0 as `[exit 2]`. Each runs in a folder of its own, which [`minted`] fills.
//! After a wanted change, `UPDATE_SNAPSHOTS=1 cargo test -p countersign-cli` writes the files anew: read the diff.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

mod ailing;
mod asked;
mod filled;
mod masking;
mod minted;
mod site;
mod terminal;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use masking::Masks;

#[test]
fn transcripts_are_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let mut ran = 0;
    for entry in fs::read_dir(folder).unwrap() {
        check(&entry.unwrap().path());
        ran += 1;
    }
    assert!(ran >= 4, "only {ran} transcripts were found");
}

fn check(transcript: &Path) {
    let expected = fs::read_to_string(transcript).unwrap();
    let folder = tempfile::tempdir().unwrap();
    minted::fill(folder.path());
    filled::fill(folder.path());
    let site = site::serve();
    let mut masks = Masks::default();
    let actual: String =
        expected.lines().filter_map(|line| replay(line, folder.path(), &site, &mut masks)).collect();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(transcript, actual).unwrap();
    } else {
        assert!(
            actual == expected,
            "{} differs; it says now:\n{actual}\nand said:\n{expected}",
            transcript.display()
        );
    }
}

/// A line of the transcript as it comes out now; `None` for a recorded answer, which its command writes anew.
fn replay(line: &str, folder: &Path, site: &str, masks: &mut Masks) -> Option<String> {
    if line.starts_with("# ") {
        return Some(format!("\n{line}\n"));
    }
    let command = line.strip_prefix("$ ")?;
    let output = shell(&masks.unmask(command), folder, site);
    let text = answer(&output).replace(&*folder.canonicalize().unwrap().to_string_lossy(), "<folder>");
    let text = text.replace(site, "<server>");
    Some(format!("\n$ {command}\n{}", masks.mask(&text)))
}

fn shell(line: &str, folder: &Path, site: &str) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let mut path = binary.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(line).current_dir(folder).env("PATH", path).env("COLUMNS", "100");
    leave_out_settings(&mut shell);
    shell.env("SERVER", site).stdin(Stdio::null()).output().unwrap()
}

/// The settings of whoever runs the tests are not the command's.
fn leave_out_settings(command: &mut Command) {
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| name.to_string_lossy().starts_with("COUNTERSIGN_")) {
        command.env_remove(name);
    }
}

fn answer(output: &Output) -> String {
    let mut text = String::from_utf8(output.stdout.clone()).unwrap();
    for line in std::str::from_utf8(&output.stderr).unwrap().lines() {
        text.push_str(format!("! {line}").trim_end());
        text.push('\n');
    }
    let code = output.status.code().expect("killed by a signal");
    if code == 0 { text } else { format!("{text}[exit {code}]\n") }
}

/// A site may be more patient than the defaults: a command does not know, and must not carry them out.
#[test]
fn looking_at_a_file_changes_nothing_in_it() {
    let folder = tempfile::tempdir().unwrap();
    filled::fill(folder.path());
    let before = filled::sessions(folder.path());
    assert_eq!(before.len(), 4);
    for line in ["sessions list", "sessions stats", "sessions show AQEBAQEBAQEBAQEBAQEBAQ", "doctor"] {
        let output = shell(&format!("countersign {line} --registry file:registry.redb"), folder.path(), "");
        assert!(output.status.success(), "{line}: {output:?}");
        assert_eq!(filled::sessions(folder.path()), before, "{line}");
    }
}

/// `countersign … | head -1`, with a reader that is gone before the first byte.
#[test]
fn a_closed_pipe_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    minted::fill(folder.path());
    for arguments in [&["token", "inspect"][..], &["keys", "list", "--keys", "ring.json"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let token = fs::read(folder.path().join("access.jwt")).unwrap();
        // A command that reads no token closes its end.
        drop(child.stdin.take().unwrap().write_all(&token));
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}
