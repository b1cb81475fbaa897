//! A grant that is dropped is a change that its client never learns of.

#![deny(unused_must_use)]

use countersign::{Grant, Refusal, Session};

fn forget(session: &Session) -> Result<(), Refusal> {
    let grant: Result<((), Grant), Refusal> = session.update(|()| {});
    grant?.1;
    Ok(())
}

fn main() {
    let _ = forget;
}
