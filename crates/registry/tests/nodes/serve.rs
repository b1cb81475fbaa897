//! A node serves requests: by its view and its age, or with one call to the registry.

use std::time::Duration;

use countersign_registry::{
    Activity, Admission, Admit, Advance, AdvanceMemo, Base, Claim, Digest, End, EndReason, Entry, Lifetime,
    News, Once, OnceId, OpId, Owner, Past, Question, Reading, Rotate, Standing, Target, Touch, Verdict,
};
use countersign_token::{FeedPosition, SessionId, Timestamp};

use crate::bugs::Bug;
use crate::event::Event;
use crate::follow::Waiter;
use crate::node::Node;
use crate::op::{Answer, Op};
use crate::request::{Caller, Request, Tokens, Told, Want};
use crate::server::Reply;
use crate::setting::{BOUND, Policy, WINDOW};
use crate::world::World;

/// What a node does with the answer to a call.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    Read {
        asked: Reading,
    },
    ToldAgain {
        epoch: u64,
        past: Vec<Past>,
    },
    Restored {
        epoch: u64,
        past: Vec<Past>,
    },
    Recovered {
        epoch: u64,
        past: Vec<Past>,
    },
    Proof,
    Login {
        caller: Caller,
        called: u64,
    },
    Refresh {
        caller: Caller,
        called: u64,
        tokens: Tokens,
    },
    End {
        caller: Caller,
        called: u64,
        target: Target,
        born: FeedPosition,
    },
    Update {
        caller: Caller,
        tokens: Tokens,
        key: Digest,
    },
    Claim {
        caller: Caller,
        id: [u8; 32],
        until: Timestamp,
    },
    Check {
        check: Check,
    },
    /// An admission that counts first (a bug).
    Counted {
        caller: Caller,
        called: u64,
        owner: Owner,
        key: Digest,
    },
    Nothing,
}

/// A request that waits for the registry's word on its session.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) caller: Caller,
    pub(crate) tokens: Tokens,
    /// When the request came.
    pub(crate) came: u64,
}

/// On what it rests that a request was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    View,
    /// The registry was asked then.
    Registry {
        asked: u64,
    },
    /// On the token alone.
    Expiry,
}

const KID: &str = "2026";

impl World {
    pub(crate) fn requested(&mut self, node: usize, request: Request) {
        let here = &self.nodes[node];
        let Request { caller, sent, want } = request;
        if !here.up || here.age(self.now).is_none() {
            return self.told(caller, Told::Unavailable);
        }
        let called = self.now;
        match want {
            Want::Login { owner, key } => self.login(node, caller, called, owner, key),
            Want::Use(tokens) => self.used(node, caller, tokens),
            // Its client has given it up, and asks somebody else by now: an exchange lasts a third of the window.
            Want::Refresh(_) if self.now - sent > WINDOW / 6 => {}
            Want::Refresh(tokens) => self.refresh(node, caller, tokens),
            Want::End { id, target, born } => {
                let called = self.oracle.end_called(id, &target, called);
                let end = End { id, target: target.clone(), reason: EndReason::Logout };
                self.ask(node, Op::End(end), Then::End { caller, called, target, born });
            }
            Want::Update { tokens, base, key } => self.update(node, caller, tokens, base, key),
            Want::Claim { id, until } => {
                let once = Once { id: OnceId(id), until, of: None, claim: Claim::UseUp };
                self.ask(node, Op::Once(once), Then::Claim { caller, id, until });
            }
        }
    }

    fn login(&mut self, node: usize, caller: Caller, called: u64, owner: Owner, key: Digest) {
        if self.bug == Some(Bug::CheckThenInsert) {
            return self.ask(node, Op::Counts, Then::Counted { caller, called, owner, key });
        }
        self.admit(node, caller, called, owner, key, Admission::Limited);
    }

    pub(crate) fn admit(
        &mut self,
        node: usize,
        caller: Caller,
        called: u64,
        owner: Owner,
        key: Digest,
        admission: Admission,
    ) {
        let session = self.draw_session();
        self.oracle.admission_called(session, &owner, called);
        let lifetime = Lifetime::For(Duration::from_hours(1));
        let admit = Admit { login_key: Some(key), lifetime, admission, ..Admit::new(session, owner) };
        self.ask(node, Op::Admit(admit), Then::Login { caller, called });
    }

    fn draw_session(&mut self) -> SessionId {
        let (one, other) = (self.random.next(), self.number());
        SessionId::from_bytes((u128::from(one) << 64 | u128::from(other)).to_be_bytes())
    }

    fn used(&mut self, node: usize, caller: Caller, tokens: Tokens) {
        let here = &self.nodes[node];
        if let Some(refusal) = here.refuses(&tokens, self.now, self.bug) {
            return self.told(caller, refusal);
        }
        if here.age(self.now).is_some_and(|age| age <= BOUND) {
            return self.served(node, caller, &tokens, Trust::View);
        }
        self.tally.stale += 1;
        match self.setting.policy {
            Policy::FailClosed => self.told(caller, Told::Unavailable),
            Policy::ServeUntilExpiry => self.served(node, caller, &tokens, Trust::Expiry),
            Policy::CheckRegistry => {
                let session = tokens.session;
                let check = Check { caller, tokens, came: self.now };
                self.ask(node, Op::Get(session), Then::Check { check });
            }
        }
    }

    fn served(&mut self, node: usize, caller: Caller, tokens: &Tokens, trust: Trust) {
        self.nodes[node].memory.marks.insert(tokens.session, self.now);
        self.accepted(node, tokens, trust);
        self.told(caller, Told::Served);
    }

    /// The registry has answered what it knows of a session: that is believed once it is proven to be the registry.
    pub(crate) fn standing(&mut self, node: usize, check: Check, reply: Option<Reply>) {
        let Some(Reply { epoch, answer: Answer::Standing(standing), .. }) = reply else {
            return self.told(check.caller, Told::Unavailable);
        };
        let live = matches!(standing, Standing::Live(..));
        if matches!(self.bug, Some(Bug::ProofByReading)) {
            return self.checked(node, check, live);
        }
        self.prove(node, Waiter::Check { check, epoch, live });
    }

    pub(crate) fn checked(&mut self, node: usize, check: Check, live: bool) {
        let Check { caller, tokens, came } = check;
        if live && self.nodes[node].refuses(&tokens, self.now, self.bug).is_none() {
            self.tally.checked += 1;
            return self.served(node, caller, &tokens, Trust::Registry { asked: came });
        }
        self.told(caller, Told::Unavailable);
    }

    fn refresh(&mut self, node: usize, caller: Caller, tokens: Tokens) {
        if matches!(self.nodes[node].ended(&tokens, self.bug), Some(Told::Ended)) {
            return self.told(caller, Told::Ended);
        }
        let Tokens { session, refresh, .. } = tokens;
        let rotate = Rotate {
            session,
            id: refresh.id,
            parent: refresh.parent,
            issued: refresh.issued,
            activity: Activity::Active,
        };
        self.oracle.active(session, self.now);
        self.ask(node, Op::Rotate(rotate), Then::Refresh { caller, called: self.now, tokens });
    }

    fn update(&mut self, node: usize, caller: Caller, tokens: Tokens, base: u64, key: Digest) {
        let floor = self.nodes[node].memory.view.floor(&tokens.session).map_or(0, |floor| floor.exclusive);
        let memo = AdvanceMemo { key, old_state: key, new_data: key };
        let advance = Advance {
            session: tokens.session,
            base: Base::Version(base),
            known: floor.max(base),
            memo: Some(memo),
        };
        self.ask(node, Op::Advance(advance), Then::Update { caller, tokens, key });
    }

    /// Brings the marks of activity to the registry, as ages.
    pub(crate) fn flush(&mut self, node: usize) {
        let life = self.nodes[node].life;
        self.plan(7_000, Event::Flush { node, life });
        let now = self.now;
        let marks: Vec<Touch> = std::mem::take(&mut self.nodes[node].memory.marks)
            .into_iter()
            .map(|(session, at)| Touch { session, age: Duration::from_millis(now - at) })
            .collect();
        if !marks.is_empty() {
            self.ask(node, Op::Touch(marks), Then::Nothing);
        }
    }

    /// Undoes an admission that could not be acknowledged.
    pub(crate) fn take_back(&mut self, node: usize, session: SessionId) {
        self.tally.taken_back += 1;
        let target = Target::Sessions(vec![session]);
        let id = OpId(u128::from(self.number()).to_be_bytes());
        self.oracle.end_called(id, &target, self.now);
        self.ask(node, Op::End(End { id, target, reason: EndReason::Logout }), Then::Nothing);
    }
}

impl Node {
    /// Why a request with this access token is refused, whatever the age of the view.
    fn refuses(&self, tokens: &Tokens, now: u64, bug: Option<Bug>) -> Option<Told> {
        if self.time(now) >= tokens.expires {
            return Some(Told::Expired);
        }
        self.ended(tokens, bug)
    }

    fn ended(&self, tokens: &Tokens, bug: Option<Bug>) -> Option<Told> {
        let ended = match bug {
            Some(Bug::Instants) => self.ended_by_instant(tokens) || self.knows_end(tokens),
            _ => self.knows_end(tokens),
        };
        ended.then_some(Told::Ended)
    }

    /// Whether its view knows that a session has ended.
    pub(crate) fn knows_end(&self, tokens: &Tokens) -> bool {
        self.memory.view.judge(&question(tokens)) != Verdict::Clear
    }

    /// What a node would say that goes by when a session began, in the seconds that tokens tell.
    fn ended_by_instant(&self, tokens: &Tokens) -> bool {
        let hits = |entry: &Entry| match entry.news.told() {
            News::OwnerEnded(owner, except, _) => {
                *owner == tokens.owner
                    && *except != Some(tokens.session)
                    && tokens.since.as_secs() <= entry.at.as_secs()
            }
            _ => false,
        };
        self.memory.ends.iter().any(hits)
    }
}

fn question(tokens: &Tokens) -> Question<'_> {
    Question {
        session: &tokens.session,
        born: tokens.born,
        subject: &tokens.owner.subject,
        tenant: tokens.owner.tenant.as_deref(),
        kid: KID,
    }
}
