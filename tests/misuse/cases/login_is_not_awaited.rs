//! A login that is not awaited logs nobody in.

#![deny(unused_must_use)]

use countersign::Visitor;

fn forget(visitor: &Visitor) {
    visitor.login("alice");
}

fn main() {
    let _ = forget;
}
