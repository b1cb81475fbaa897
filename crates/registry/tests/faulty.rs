//! The faulty registry does what its test says, and is a registry otherwise.

use std::sync::Arc;

use countersign_registry::{
    Admit, CountOf, Effect, Faulty, MemoryRegistry, OpKind, Owner, Registry, RegistryError, conformance,
};
use countersign_token::SessionId;

fn faulty() -> Arc<Faulty<MemoryRegistry>> {
    Arc::new(Faulty::new(MemoryRegistry::new()))
}

async fn login(registry: &impl Registry, number: u8) -> Result<(), Effect> {
    let admit = Admit::new(SessionId::from_bytes([number; 16]), Owner::new("ada"));
    registry.admit(admit).await.map(|_| ()).map_err(|error: RegistryError| error.effect)
}

async fn sessions(registry: &Faulty<MemoryRegistry>) -> u64 {
    registry.inner().counts(CountOf::Site).await.expect("counts answers").sessions
}

#[tokio::test]
async fn without_faults_it_keeps_the_contract() {
    conformance::run(async |clock| {
        Arc::new(Faulty::new(MemoryRegistry::with_clock(clock))) as Arc<dyn Registry>
    })
    .await;
}

#[tokio::test]
async fn a_failure_has_no_effect() {
    let registry = faulty();
    registry.fail_next(2);
    assert_eq!(login(&registry, 1).await, Err(Effect::None));
    assert!(registry.feed(None).await.is_err(), "the second of two failures concerns any kind");
    assert_eq!(sessions(&registry).await, 0);
    assert_eq!(login(&registry, 1).await, Ok(()));
}

#[tokio::test]
async fn a_lost_answer_has_its_effect() {
    let registry = faulty();
    registry.lose_next_answer_of(OpKind::Admit);
    assert!(registry.feed(None).await.is_ok(), "a fault of another kind does not concern it");
    assert_eq!(login(&registry, 1).await, Err(Effect::Unknown));
    assert_eq!(sessions(&registry).await, 1);
    assert_eq!(login(&registry, 1).await, Ok(()), "a repetition is answered");
    assert_eq!(sessions(&registry).await, 1);
}

#[tokio::test]
async fn it_is_down_until_it_recovers() {
    let registry = faulty();
    registry.fail_always_of(OpKind::Admit);
    for number in 0..5 {
        assert_eq!(login(&registry, number).await, Err(Effect::None));
    }
    registry.recover();
    assert_eq!(login(&registry, 1).await, Ok(()));
}

#[tokio::test]
async fn what_is_held_waits_without_an_effect() {
    let registry = faulty();
    registry.hold_of(OpKind::Admit);
    let waiting = [1, 2].map(|number| {
        let registry = registry.clone();
        tokio::spawn(async move { login(&registry, number).await })
    });
    registry.held(2).await;
    assert_eq!(sessions(&registry).await, 0, "a held operation had its effect");
    registry.release();
    for login in waiting {
        assert_eq!(login.await.expect("a login does not panic"), Ok(()));
    }
    assert_eq!(sessions(&registry).await, 2);
}
