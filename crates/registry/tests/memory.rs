//! The registry in memory keeps the contract.

use std::sync::Arc;

use countersign_registry::{MemoryRegistry, Registry, conformance};

#[tokio::test]
async fn keeps_the_contract() {
    conformance::run(async |clock| Arc::new(MemoryRegistry::with_clock(clock)) as Arc<dyn Registry>).await;
}
