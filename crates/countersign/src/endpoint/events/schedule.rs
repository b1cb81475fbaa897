//! When an event stream speaks by itself: a pure schedule over instants that it is given.

use std::time::Duration;

use countersign_token::Timestamp;

/// So long before a session's end its user is warned.
const AHEAD: Duration = Duration::from_mins(1);

/// A stream is never silent for longer, so that proxies keep it open and a client sees when it is not.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// What a stream has told and asked, and what it knows of its session's ends.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    figures: Figures,
    /// It was used then, and perhaps later, on another node.
    used: Timestamp,
    speak: Timestamp,
    warned_of: [Option<Timestamp>; 2],
    asked: Option<Timestamp>,
    heard: Option<Timestamp>,
}

/// What does not change about a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    /// Its absolute end.
    pub(super) expires_at: Timestamp,
    /// How long it lives unused.
    pub(super) idle: Duration,
    /// The least time between two questions to the registry.
    pub(super) ask_every: Duration,
}

/// Which of a session's two ends is near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Idle,
    Absolute,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Absolute => "absolute",
        }
    }
}

/// What is to be done at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Keepalive,
    /// Ask when the session was last used: another node may know better. Then step again.
    Ask,
    /// Warn of an end.
    Expiring(Kind, Timestamp),
    /// The absolute end has passed. (Of an idle end the feed tells: only the registry knows of it for sure.)
    Expired,
    /// Nothing, before this instant.
    Wait(Timestamp),
}

impl Schedule {
    /// For a session that was used at this instant at the earliest.
    pub(super) fn new(figures: Figures, used: Timestamp, now: Timestamp) -> Self {
        Self { figures, used, speak: now, warned_of: [None; 2], asked: None, heard: None }
    }

    /// The session was used then.
    pub(super) fn saw_use(&mut self, at: Timestamp) {
        self.used = self.used.max(at);
    }

    /// The registry has answered: the session was last used then.
    pub(super) fn heard(&mut self, used: Timestamp, now: Timestamp) {
        self.saw_use(used);
        self.heard = Some(now);
    }

    /// What is to be done now. Each thing is told once.
    pub(super) fn step(&mut self, now: Timestamp) -> Step {
        let end = self.figures.expires_at;
        if end <= now {
            return Step::Expired;
        }
        if self.speak <= now {
            self.speak = now.after(KEEPALIVE);
            return Step::Keepalive;
        }
        let absolute = self.near(Kind::Absolute, end, now);
        if absolute == Near::Now {
            return self.warn(Kind::Absolute, end);
        }
        let idle_end = self.used.after(self.figures.idle);
        let idle = if idle_end < end { self.near(Kind::Idle, idle_end, now) } else { Near::Told };
        let wait = [absolute, idle].into_iter().fold(self.speak.min(end), Near::before);
        match idle {
            Near::Now if !self.is_sure(now) => self.ask(now, wait),
            Near::Now if now < idle_end => self.warn(Kind::Idle, idle_end),
            _ => Step::Wait(wait),
        }
    }

    fn near(&self, kind: Kind, end: Timestamp, now: Timestamp) -> Near {
        match end.before(AHEAD) {
            _ if self.warned_of[kind as usize] == Some(end) => Near::Told,
            warn if warn <= now => Near::Now,
            warn => Near::At(warn),
        }
    }

    fn warn(&mut self, kind: Kind, end: Timestamp) -> Step {
        self.warned_of[kind as usize] = Some(end);
        Step::Expiring(kind, end)
    }

    fn ask(&mut self, now: Timestamp, wait: Timestamp) -> Step {
        match self.asked.map(|asked| asked.after(self.figures.ask_every)) {
            Some(again) if now < again => Step::Wait(wait.min(again)),
            _ => {
                self.asked = Some(now);
                Step::Ask
            }
        }
    }

    /// Whether the registry has told of its use lately: nobody is warned on a guess.
    fn is_sure(&self, now: Timestamp) -> bool {
        self.heard.is_some_and(|heard| now < heard.after(self.figures.ask_every))
    }
}

/// Whether the time to warn of an end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Near {
    Told,
    Now,
    At(Timestamp),
}

impl Near {
    fn before(wait: Timestamp, near: Self) -> Timestamp {
        match near {
            Self::At(warn) => wait.min(warn),
            Self::Told | Self::Now => wait,
        }
    }
}

#[cfg(test)]
mod tests;
