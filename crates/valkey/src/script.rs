//! The scripts: one per operation, each a translation of the ledger's rule of that name.

/// An operation's script. They share their beginnings, which lie in `lua/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Script {
    Admit,
    Rotate,
    Advance,
    Touch,
    End,
    List,
    Tally,
    Counts,
    Get,
    Feed,
    Once,
    Limits,
    Open,
    Heartbeat,
    Republish,
    Restore,
    Recovered,
}

impl Script {
    pub(crate) const ALL: [Self; 17] = [
        Self::Admit,
        Self::Rotate,
        Self::Advance,
        Self::Touch,
        Self::End,
        Self::List,
        Self::Tally,
        Self::Counts,
        Self::Get,
        Self::Feed,
        Self::Once,
        Self::Limits,
        Self::Open,
        Self::Heartbeat,
        Self::Republish,
        Self::Restore,
        Self::Recovered,
    ];

    /// Whether it may be asked for without knowing the rules.
    pub(crate) fn is_for_guests(self) -> bool {
        matches!(
            self,
            Self::End | Self::List | Self::Tally | Self::Counts | Self::Get | Self::Feed | Self::Open
        )
    }

    /// Its Lua. The core is the clock and the fence, the sessions' part carries out what time has brought.
    ///
    /// What follows the core is a function inside it. Each call makes all functions anew, and Lua searches for each name
    /// that one takes from the function that runs; what that function took itself is at hand. This saves an eighth.
    pub(crate) fn source(self) -> String {
        const CORE: &str = include_str!("lua/core.lua");
        const SESSIONS: &str = include_str!("lua/sessions.lua");
        const ORDER: &str = include_str!("lua/order.lua");
        const MEMBERS: &str = include_str!("lua/members.lua");
        const SEATS: &str = include_str!("lua/seats.lua");
        const ENDS: &str = include_str!("lua/ends.lua");
        const HISTORY: &str = include_str!("lua/history.lua");
        const CODES: &str = include_str!("lua/codes.lua");
        let (shared, own): (&[&str], &str) = match self {
            // Whoever has not been told the rules yet must not carry them out.
            Self::Open => return [CORE, include_str!("lua/open.lua")].concat(),
            Self::Heartbeat => return [CORE, include_str!("lua/heartbeat.lua")].concat(),
            Self::Admit => (&[ORDER, SEATS, ENDS, CODES], include_str!("lua/admit.lua")),
            Self::Rotate => (&[ORDER, SEATS], include_str!("lua/rotate.lua")),
            Self::Advance => (&[], include_str!("lua/advance.lua")),
            Self::Touch => (&[], include_str!("lua/touch.lua")),
            Self::End => (&[ENDS], include_str!("lua/end.lua")),
            Self::List => (&[ORDER, MEMBERS], include_str!("lua/list.lua")),
            Self::Tally => (&[MEMBERS], include_str!("lua/tally.lua")),
            Self::Counts => (&[], include_str!("lua/counts.lua")),
            Self::Get => (&[], include_str!("lua/get.lua")),
            Self::Feed => (&[], include_str!("lua/feed.lua")),
            Self::Once => (&[ENDS, CODES], include_str!("lua/once.lua")),
            Self::Republish => (&[ENDS, HISTORY], include_str!("lua/republish.lua")),
            Self::Restore => (&[ENDS, CODES, HISTORY], include_str!("lua/restore.lua")),
            Self::Recovered => (&[], include_str!("lua/recovered.lua")),
            Self::Limits => (&[], include_str!("lua/limits.lua")),
        };
        [&[CORE, "return (function()\n", SESSIONS], shared, &[own, "end)()\n"]].concat().concat()
    }
}
