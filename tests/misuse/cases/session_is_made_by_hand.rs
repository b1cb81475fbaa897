//! Nobody but the layer makes a session.

use countersign::Session;

fn main() {
    let _session: Session = Session { carried: todo!(), active: todo!() };
}
