//! An oracle that was never red proves nothing: each planted bug is found within a stated number of worlds.

use crate::bugs::Bug;
use crate::world::{Planted, Story, World};

/// The first world that shows the bug, among so many. Without the bug it is green.
fn found(bug: Bug, within: u64) -> Option<(u64, String)> {
    let live = |seed, planted| World::with(seed, bug, planted, Story::Untold).run().1;
    let (seed, what) = (0..within).find_map(|seed| Some((seed, live(seed, Planted::Yes).err()?)))?;
    assert_eq!(live(seed, Planted::No), Ok(()), "COUNTERSIGN_BUG=no:{bug:?} COUNTERSIGN_SEED={seed}");
    Some((seed, what))
}

macro_rules! planted {
    ($($test:ident: $bug:ident within $worlds:literal,)*) => {$(
        #[test]
        fn $test() {
            let (seed, what) = found(Bug::$bug, $worlds)
                .unwrap_or_else(|| panic!("{:?} was not found in {} worlds", Bug::$bug, $worlds));
            println!("COUNTERSIGN_BUG={:?} COUNTERSIGN_SEED={seed}: {what}", Bug::$bug);
        }
    )*};
}

planted! {
    no_fence: NoFence within 200,
    a_fence_in_the_client: FenceInTheClient within 200,
    a_cursor_that_is_kept: CursorKept within 200,
    an_age_from_the_reply: AgeFromTheReply within 200,
    a_proof_by_reading: ProofByReading within 200,
    a_wait_that_is_ignored: WaitIgnored within 200,
    hearsay_that_is_trusted: HearsayTrusted within 200,
    a_check_before_the_insert: CheckThenInsert within 200,
    a_count_without_a_sweep: CountWithoutSweep within 200,
    a_denial_without_a_sweep: DenialWithoutSweep within 200,
    an_eviction_that_is_not_told: EvictionUntold within 200,
    ends_by_instants: Instants within 200,
    an_acknowledgement_before_the_sync: AcknowledgedBeforeSync within 200,
    a_sync_error_that_is_ignored: SyncErrorIgnored within 200,
    a_session_restored_over_its_end: RestoreOverEnd within 200,
    one_successor_for_two: SameSuccessor within 200,
    no_republication: NoRepublication within 200,
    a_registry_that_opens_too_early: OpenTooEarly within 200,
    a_roster_that_is_ignored: RosterIgnored within 200,
    tokens_from_a_node_left_alone: GrantsWhileStale within 200,
}

/// A replica that is stopped and goes on has lost nothing: whoever tests fail-over so finds no bug.
#[test]
fn stopped_replicas_hide_a_bug() {
    for seed in 0..100 {
        let (tally, verdict) = World::with(seed, Bug::StoppedReplicas, Planted::Yes, Story::Untold).run();
        assert_eq!(
            (verdict, tally.lost_steps),
            (Ok(()), 0),
            "COUNTERSIGN_BUG=StoppedReplicas COUNTERSIGN_SEED={seed}"
        );
    }
}
