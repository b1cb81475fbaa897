//! What happened in worlds: counted, so that a test can say that it saw each kind often enough.

use std::fmt;
use std::ops::AddAssign;

macro_rules! tally {
    ($($name:ident: $what:literal),* $(,)?) => {
        #[derive(Clone, Debug, Default)]
        pub(crate) struct Tally {
            $(pub(crate) $name: usize,)*
        }

        impl Tally {
            /// How often each kind of event happened.
            pub(crate) fn all(&self) -> Vec<(&'static str, usize)> {
                vec![$(($what, self.$name)),*]
            }
        }

        impl AddAssign for Tally {
            fn add_assign(&mut self, more: Self) {
                $(self.$name += more.$name;)*
            }
        }

        impl fmt::Display for Tally {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.all().iter().try_for_each(|(what, times)| writeln!(f, "{times:>10} {what}"))
            }
        }
    };
}

tally! {
    events: "events",
    // what went wrong
    fail_overs: "fail-overs",
    lost_tails: "of them lost a tail",
    lost_steps: "operations lost",
    splits: "split brains",
    restarts: "restarts of a server that stood alone",
    older_copies: "of them from an older copy",
    total_losses: "total losses",
    clock_steps: "steps of a server's clock",
    crashes: "crashes of a node",
    freezes: "freezes of a node",
    cuts: "nodes cut off from the store",
    sync_errors: "ends not acknowledged, as the disk failed",
    unknown: "calls without an answer",
    // how it was met
    fences: "epochs begun",
    recovering: "operations put off while recovering",
    republished: "entries told again",
    restored: "admissions and one-time ids restored",
    settled: "epochs settled by a node",
    readings: "readings proven",
    unproven: "readings without a proof",
    stale: "requests at a node whose view was too old",
    checked: "of them served on the registry's word",
    unreplicated: "operations not acknowledged for want of replicas",
    taken_back: "of them admissions taken back",
    ungranted: "tokens not granted by a node whose view was too old",
    // what was promised
    admissions: "admissions acknowledged",
    refusals: "logins refused at a limit",
    evictions: "sessions that made room",
    refreshes: "refreshes acknowledged",
    ends: "ends acknowledged",
    updates: "exclusive updates acknowledged",
    claims: "one-time ids claimed",
    served: "requests served",
    ghosts: "requests of ended sessions refused",
    thefts: "thefts",
    caught: "of them caught",
    // what two faults at once may do
    late_ends: "ends that came late, as whoever knew was away",
    split_refreshes: "ended sessions refreshed at a primary that was none any more (rare)",
    lost_sessions: "sessions lost together with their node",
    late_hits: "logins after an end that was told again late, and hit them",
    lost_claims: "one-time ids lost together with their node, or by a split",
}
