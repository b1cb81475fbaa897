//! An outcome of the registry is not an error that may be ignored either.

#![deny(unused_must_use)]

use countersign::{Registry, RegistryError};
use countersign_registry::Rotate;

async fn ignore(registry: &dyn Registry, rotate: Rotate) -> Result<(), RegistryError> {
    registry.rotate(rotate).await?;
    Ok(())
}

fn main() {
    let _ = ignore;
}
