//! Clients: people who log in, work, refresh at the usual pace, repeat what was not answered, and log out; and thieves.

use countersign_registry::{Digest, OpId, Owner, Target};
use countersign_token::FeedPosition;

use crate::event::Event;
use crate::request::{Caller, Request, Tokens, Told, Want, Who};
use crate::setting::{FAULTS, WINDOW};
use crate::world::World;

/// How long after the last one a token is refreshed.
const REFRESH: u64 = 13_500;
/// How long an answer is waited for: a third of the race window.
const PATIENCE: u64 = WINDOW / 3;

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) owner: Owner,
    pub(crate) tokens: Option<Tokens>,
    /// Its question, and since when it has waited for the answer.
    waiting: Option<(u64, u64)>,
    /// The key of a login that was not answered yet.
    key: Option<Digest>,
    /// An end that was not acknowledged yet.
    ending: Option<(OpId, Target, FeedPosition)>,
    refresh_at: u64,
    /// Tokens of sessions that have ended.
    ghosts: Vec<Tokens>,
    /// One-time ids that it has used.
    codes: Vec<[u8; 32]>,
    pub(crate) thief: Option<Thief>,
    /// When it was served last.
    pub(crate) served: u64,
}

/// Somebody with a copy of a client's tokens.
#[derive(Debug)]
pub(crate) struct Thief {
    pub(crate) loot: Vec<Tokens>,
    habit: Habit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    Own,
    /// Right after each of the victim's refreshes.
    After,
}

impl Client {
    pub(crate) fn new(number: usize) -> Self {
        // Some people have two browsers.
        let owner = Owner::new(format!("user {}", number / 2)).of_tenant("acme");
        Self {
            owner,
            tokens: None,
            waiting: None,
            key: None,
            ending: None,
            refresh_at: 0,
            ghosts: Vec::new(),
            codes: Vec::new(),
            thief: None,
            served: 0,
        }
    }

    fn lose_session(&mut self) {
        self.ghosts.extend(self.tokens.take());
        self.thief = None;
    }
}

impl World {
    pub(crate) fn client(&mut self, client: usize) {
        let pause = self.pause();
        self.plan(pause, Event::Client(client));
        let me = &mut self.clients[client];
        if me.waiting.is_some_and(|(_, since)| self.now - since < PATIENCE) {
            return;
        }
        me.waiting = None;
        let want = match (&me.ending, &me.tokens) {
            (Some((id, target, born)), _) => Want::End { id: *id, target: target.clone(), born: *born },
            (None, None) => self.login_want(client),
            (None, Some(tokens)) if self.now >= me.refresh_at => Want::Refresh(tokens.clone()),
            (None, Some(tokens)) => {
                let tokens = tokens.clone();
                self.work(client, tokens)
            }
        };
        self.send(client, Who::Client, want);
    }

    /// People pause, some of them for long.
    fn pause(&mut self) -> u64 {
        let long = self.now < FAULTS && self.random.chance(self.setting.sleepy);
        if long {
            return (28_000 + self.random.below(20_000)).min(FAULTS - self.now + 500);
        }
        300 + self.random.below(2_400)
    }

    fn login_want(&mut self, client: usize) -> Want {
        let number = self.number();
        let key = *self.clients[client].key.get_or_insert(Digest(u128::from(number).to_be_bytes()));
        Want::Login { owner: self.clients[client].owner.clone(), key }
    }

    fn work(&mut self, client: usize, tokens: Tokens) -> Want {
        let calm = self.now >= FAULTS;
        match self.random.below(100) {
            0..5 if !calm => self.end_want(client, Target::Sessions(vec![tokens.session]), tokens.born),
            5..8 if !calm => self.end_want(client, Target::Owner(tokens.owner, None), tokens.born),
            8..10 if !calm => {
                self.end_want(client, Target::Owner(tokens.owner, Some(tokens.session)), tokens.born)
            }
            10..18 => {
                // Sometimes an old state is brought back.
                let base = tokens.version.saturating_sub(self.random.below(5) / 4);
                let key = Digest(u128::from(self.number()).to_be_bytes());
                Want::Update { tokens, base, key }
            }
            18..22 => self.claim_want(client),
            22..32 => self.haunt(client).unwrap_or(Want::Use(tokens)),
            _ => Want::Use(tokens),
        }
    }

    fn end_want(&mut self, client: usize, target: Target, born: FeedPosition) -> Want {
        let id = OpId((u128::from(self.number()) << 64 | 7).to_be_bytes());
        self.clients[client].ending = Some((id, target.clone(), born));
        Want::End { id, target, born }
    }

    /// Uses a one-time id, new or used.
    fn claim_want(&mut self, client: usize) -> Want {
        let mut id = [9; 32];
        id[..8].copy_from_slice(&self.number().to_be_bytes());
        let used = self.random.chance(60);
        let codes = &mut self.clients[client].codes;
        if let Some(&code) = codes.last().filter(|_| used) {
            id = code;
        }
        codes.push(id);
        let until = self.clock().after(std::time::Duration::from_mins(2));
        Want::Claim { id, until }
    }

    /// Somebody tries the tokens of a session that has ended.
    fn haunt(&mut self, client: usize) -> Option<Want> {
        let refreshes = self.random.chance(50);
        let last = self.random.chance(70);
        let ghosts = &self.clients[client].ghosts;
        let ghost = if last { ghosts.last() } else { self.random.one_of(ghosts) }?.clone();
        let want = if refreshes { Want::Refresh(ghost) } else { Want::Use(ghost) };
        self.send(client, Who::Thief, want);
        None
    }

    fn send(&mut self, client: usize, who: Who, want: Want) {
        let ticket = self.number();
        if who == Who::Client {
            self.clients[client].waiting = Some((ticket, self.now));
        }
        let node = self.random.below(self.nodes.len() as u64) as usize;
        let request = Request { caller: Caller { client, ticket, who }, sent: self.now, want };
        // The last mile is short here: what matters lies between the nodes and the store.
        if !self.random.chance(1) {
            let delay = 1 + self.random.below(30);
            self.plan(delay, Event::Request { node, request });
        }
    }

    /// A node answers.
    pub(crate) fn told(&mut self, caller: Caller, told: Told) {
        let Caller { client, ticket, who } = caller;
        if who == Who::Thief {
            self.tally.ghosts += usize::from(matches!(told, Told::Ended));
            return self.thief_told(client, told);
        }
        if !self.random.chance(1) {
            let delay = 1 + self.random.below(30);
            self.plan(delay, Event::Told { ticket, client, told });
        }
    }

    /// An answer arrives at a client; one that it has given up is not for it any more.
    pub(crate) fn heard_back(&mut self, client: usize, ticket: u64, told: Told) {
        let now = self.now;
        self.tell(|| format!("client {client} is told {told:?}"));
        let me = &mut self.clients[client];
        if me.waiting.is_none_or(|(expected, _)| expected != ticket) {
            return;
        }
        me.waiting = None;
        match told {
            Told::LoggedIn(tokens) => {
                (me.key, me.refresh_at, me.served) = (None, now + REFRESH, now);
                me.tokens = Some(tokens);
                self.maybe_steal(client);
            }
            Told::Refreshed(tokens) => {
                (me.refresh_at, me.served) = (now + REFRESH, now);
                let version = me.tokens.as_ref().map_or(0, |known| known.version);
                me.tokens = Some(Tokens { version, ..tokens });
                self.refreshed(client);
            }
            Told::Served | Told::Claimed | Told::Spent | Told::Full => me.served = now,
            Told::Expired => me.refresh_at = now,
            Told::Ended => self.turned_out(client),
            Told::Done => self.ended(client),
            Told::Updated(version) | Told::Conflict(version) => {
                me.served = now;
                if let Some(tokens) = &mut me.tokens {
                    tokens.version = tokens.version.max(version);
                }
            }
            Told::Unavailable => {}
        }
    }

    fn turned_out(&mut self, client: usize) {
        if let Some(tokens) = &self.clients[client].tokens {
            let session = tokens.session;
            self.judge_turned_out(session);
        }
        self.clients[client].lose_session();
    }

    /// Its end was carried out: whoever ended all of their sessions logs in again at once.
    fn ended(&mut self, client: usize) {
        let me = &mut self.clients[client];
        let Some((_, target, _)) = me.ending.take() else { return };
        if matches!(target, Target::Owner(_, Some(_))) {
            return;
        }
        me.lose_session();
        if matches!(target, Target::Owner(..)) {
            let want = self.login_want(client);
            self.send(client, Who::Client, want);
        }
    }

    fn maybe_steal(&mut self, client: usize) {
        if self.random.chance(12) {
            let delay = self.random.below(20_000);
            self.plan(delay, Event::Thief(client));
        }
    }

    fn refreshed(&mut self, client: usize) {
        let me = &self.clients[client];
        if let (Some(thief), Some(tokens)) = (&me.thief, &me.tokens) {
            self.oracle.received(tokens.session, tokens.refresh);
            if thief.habit == Habit::After {
                self.plan(50, Event::Thief(client));
            }
        }
    }

    /// A thief copies what the client has, or uses the latest that it got.
    pub(crate) fn thief(&mut self, client: usize) {
        let me = &mut self.clients[client];
        let Some(tokens) = me.tokens.clone() else { return };
        if let Some(thief) = &me.thief {
            let (loot, own) = (thief.loot.last().cloned(), thief.habit == Habit::Own);
            if let Some(loot) = loot {
                self.send(client, Who::Thief, Want::Refresh(loot));
            }
            if own {
                let pause = 3_000 + self.random.below(12_000);
                self.plan(pause, Event::Thief(client));
            }
            return;
        }
        self.tally.thefts += 1;
        let habit = if self.random.chance(50) { Habit::Own } else { Habit::After };
        self.oracle.stolen(tokens.session, tokens.refresh, true);
        self.clients[client].thief = Some(Thief { loot: vec![tokens], habit });
        if habit == Habit::Own {
            self.plan(2_000, Event::Thief(client));
        }
    }

    fn thief_told(&mut self, client: usize, told: Told) {
        let Told::Refreshed(tokens) = told else { return };
        let me = &mut self.clients[client];
        if me.ghosts.iter().any(|ghost| ghost.session == tokens.session) {
            return me.ghosts.push(tokens);
        }
        let Some(thief) = &mut me.thief else { return };
        if thief.loot.iter().any(|loot| loot.session == tokens.session) {
            self.oracle.stolen(tokens.session, tokens.refresh, false);
            thief.loot.push(tokens);
        }
    }
}
