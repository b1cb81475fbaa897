//! Power cuts at every sync, failing disks, full disks: what was acknowledged is there afterwards.

use countersign_registry::ManualClock;

use super::disk::{Disk, Fault};
use super::script::{START, Witness, open};
use crate::OpenError;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Works on a registry on a disk with a fault until that is met, and beyond. [`None`]: it could not even be opened.
fn work(disk: &Disk) -> Option<Witness> {
    let clock = ManualClock::at(START);
    let registry = open(disk, &clock).ok()?;
    let mut witness = Witness::default();
    block_on(witness.work(&registry, &clock));
    Some(witness)
}

/// What was acknowledged is on a disk with these contents.
fn check(bytes: Vec<u8>, witness: &Witness) {
    let disk = Disk::holding(bytes, Fault::None);
    // The clock is far behind what it was: it was set back.
    let clock = ManualClock::at(START);
    let registry = open(&disk, &clock).unwrap();
    block_on(witness.check(&registry));
    drop(registry);
    // And once more, after the registry has gone on from there.
    let registry = open(&disk, &clock).unwrap();
    block_on(witness.check_again(&registry));
}

fn chance(seed: u64) -> impl FnMut() -> bool {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Seed 0: nothing unsynced is there; seed 1: everything.
        match seed {
            0 => false,
            1 => true,
            _ => state >> 63 == 1,
        }
    }
}

/// How often a whole run syncs, and how often it writes.
fn whole_run() -> (u64, u64) {
    let disk = Disk::new(Fault::None);
    let witness = work(&disk).unwrap();
    assert_eq!((witness.unknown, witness.refused), (0, 0));
    assert!(witness.acknowledged > 100, "{}", witness.acknowledged);
    check(disk.seen(), &witness);
    (disk.syncs(), disk.writes())
}

#[test]
fn a_power_cut_at_any_sync_forgets_nothing_acknowledged() {
    let (syncs, _) = whole_run();
    assert!(syncs > 30, "{syncs}");
    let mut cut = 0;
    // Batches fall differently in each run, so a run may have a few syncs more.
    for at in 1..=syncs + 5 {
        let disk = Disk::new(Fault::PowerCut(at));
        let Some(witness) = work(&disk) else { continue };
        cut += usize::from(witness.unknown > 0);
        for seed in 0..4 {
            check(disk.left(chance(seed + at * 7 * u64::from(seed > 1))), &witness);
        }
    }
    assert!(cut > 25, "{cut} cuts fell into a commit");
}

#[test]
fn a_sync_that_fails_closes_the_registry() {
    let (syncs, _) = whole_run();
    let mut closed = 0;
    for at in (3..syncs).step_by(3) {
        let disk = Disk::new(Fault::SyncFails(at));
        let Some(witness) = work(&disk) else { continue };
        closed += usize::from(witness.unknown > 0);
        // The process may read what it wrote, or the machine may go down.
        check(disk.seen(), &witness);
        check(disk.left(chance(0)), &witness);
    }
    assert!(closed > 8, "{closed}");
}

#[test]
fn a_full_disk_loses_nothing_and_says_so() {
    let (_, writes) = whole_run();
    let (mut told, mut closed) = (0, 0);
    for after in (0..writes).step_by(usize::try_from(writes / 60).unwrap().max(1)) {
        let disk = Disk::new(Fault::FullAfter(after));
        let clock = ManualClock::at(START);
        match open(&disk, &clock) {
            Err(OpenError::NoSpace { .. }) => told += 1,
            Err(other) => panic!("{other:?}"),
            Ok(registry) => {
                let mut witness = Witness::default();
                block_on(witness.work(&registry, &clock));
                drop(registry);
                closed += usize::from(witness.unknown > 0 && witness.refused > 0);
                check(disk.seen(), &witness);
            }
        }
    }
    assert!(told > 0 && closed > 30, "{told} {closed}");
}
