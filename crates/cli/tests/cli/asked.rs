//! What is asked at a terminal before anybody's session ends, and what is shown of long work there.

use crate::terminal::{END_OF_INPUT, Left, Terminal};
use crate::{filled, shell};

const END_ALICE: &str = "sessions end-user alice --registry file:registry.redb";

#[test]
fn only_yes_ends_anybody() {
    let folder = tempfile::tempdir().unwrap();
    filled::fill(folder.path());
    for (line, question) in [
        (END_ALICE, "This ends 2 sessions of alice"),
        (
            "sessions end AQEBAQEBAQEBAQEBAQEBAQ --registry file:registry.redb",
            "This ends 1 session of 1 person",
        ),
        ("sessions erase alice --registry file:registry.redb", "This erases what is stored about alice"),
    ] {
        for typed in ["n\n", "\n", "y\n", "yes please\n", END_OF_INPUT] {
            let mut terminal = Terminal::run(folder.path(), line);
            terminal.shows("Type `yes` to ");
            terminal.types(typed);
            let Left { code, shown, answer } = terminal.ends();
            assert!(shown.contains(question), "{shown:?}");
            assert!(shown.contains("error: nothing was changed"), "{typed:?}: {shown:?}");
            assert_eq!((code, &*answer), (Some(2), ""), "{typed:?}");
        }
    }
    assert_eq!(filled::sessions(folder.path()).len(), 4);
    let mut terminal = Terminal::run(folder.path(), END_ALICE);
    terminal.shows("Type `yes` to ");
    terminal.types("yes\n");
    let Left { code, answer, .. } = terminal.ends();
    assert_eq!((code, &*answer), (Some(0), "ended 2 sessions\n"));
    assert_eq!(filled::sessions(folder.path()).len(), 2);
}

#[test]
fn who_has_said_yes_is_not_asked() {
    let folder = tempfile::tempdir().unwrap();
    filled::fill(folder.path());
    let Left { code, shown, answer } = Terminal::run(folder.path(), &format!("{END_ALICE} --yes")).ends();
    assert_eq!((code, &*shown, &*answer), (Some(0), "", "ended 2 sessions\n"));
}

#[test]
fn where_nobody_can_be_asked_nobody_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    filled::fill(folder.path());
    for input in ["", "yes | "] {
        let output = shell(&format!("{input}countersign {END_ALICE}"), folder.path(), "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.starts_with(
                "error: nothing was changed: there is no terminal to confirm it on, so use --yes."
            ),
            "{said}"
        );
    }
    assert_eq!(filled::sessions(folder.path()).len(), 4);
}

#[test]
fn long_work_shows_a_bar_at_a_terminal_and_nothing_in_a_pipe() {
    const DANGLING: &str = "sessions end-dangling --inactive-for 1day --yes --registry file:registry.redb";
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    filled::crowd(here.path(), 600);
    let Left { code, shown, answer } = Terminal::run(here.path(), DANGLING).ends();
    assert_eq!((code, &*answer), (Some(0), "ended 600 sessions\n"));
    assert!(shown.contains("0 of 600 sessions"), "{shown:?}");
    // It is taken away at the end.
    assert!(shown.ends_with("\u{1b}[2K") && !shown.contains('\n'), "{shown:?}");

    filled::crowd(there.path(), 600);
    let output = shell(&format!("countersign {DANGLING}"), there.path(), "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ended 600 sessions\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
