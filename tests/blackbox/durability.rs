//! Killed under load, again and again: whatever was acknowledged is there after the restart, and whatever was
//! acknowledged as ended never passes again.

use std::net::SocketAddr;
use std::time::Duration;

use countersign_tests::{Call, Client, Lost, Server, Transport, Wire};
use futures_util::future::join_all;
use serde_json::json;

const WORKERS: usize = 6;
const FLAGS: &[&str] = &["--origin", "http://localhost:1", "--race-window", "1s"];

/// 20, or 200 with `COUNTERSIGN_LONG`.
fn cycles() -> usize {
    if std::env::var_os("COUNTERSIGN_LONG").is_some() { 200 } else { 20 }
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let mut server = Server::start(FLAGS).await;
    let mut workers: Vec<_> = (0..WORKERS).map(|n| Worker::new(n, &server)).collect();
    for cycle in 0..cycles() {
        let running: Vec<_> = workers.into_iter().map(|worker| tokio::spawn(worker.run())).collect();
        // Not to wait for anything: the moment of the kill is to be any moment.
        tokio::time::sleep(Duration::from_millis(150 + (cycle as u64 * 97) % 400)).await;
        server.kill9();
        workers = join_all(running).await.into_iter().map(Result::unwrap).collect();
        server.restart(&[]).await;
        for worker in &mut workers {
            worker.verify(server.address(), cycle).await;
        }
    }
    let tally = workers.iter().fold([0; 4], |sum, worker| std::array::from_fn(|n| sum[n] + worker.tally[n]));
    eprintln!("{} kills; acknowledged logins, refreshes, updates, logouts: {tally:?}", cycles());
    assert!(tally.iter().all(|&count| count >= cycles()), "there was load: {tally:?}");
}

/// What is known of a session from the answers alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Alive,
    Ended,
    /// A logout was asked for, and no answer came.
    Unknown,
}

struct Entry {
    client: Client,
    fate: Fate,
    items: Vec<String>,
    /// An exclusive update without an answer, to be repeated.
    pending: Option<String>,
    /// The client as it was before its last exclusive update.
    before: Option<Client>,
}

struct Worker {
    name: usize,
    nobody: Client,
    entries: Vec<Entry>,
    steps: usize,
    tally: [usize; 4],
}

impl Worker {
    fn new(name: usize, server: &Server) -> Self {
        let wire = if name.is_multiple_of(2) { Wire::Http1 } else { Wire::Http2 };
        let nobody = server.client(wire, Transport::Cookies);
        Self { name, nobody, entries: Vec::new(), steps: 0, tally: [0; 4] }
    }

    /// Works until an answer stays away.
    async fn run(mut self) -> Self {
        while self.step().await.is_ok() {}
        self
    }

    async fn step(&mut self) -> Result<(), Lost> {
        self.steps += 1;
        let alive: Vec<_> =
            (0..self.entries.len()).filter(|&at| self.entries[at].fate == Fate::Alive).collect();
        let Some(&at) = alive.get(self.steps * 7 % alive.len().max(1)) else { return self.log_in().await };
        match self.steps % 8 {
            0 if alive.len() < 4 => self.log_in().await,
            1 if alive.len() > 1 => self.log_out(at).await,
            2..=4 => self.update(at).await,
            _ => self.refresh(at).await,
        }
    }

    async fn log_in(&mut self) -> Result<(), Lost> {
        let mut client = self.nobody.clone();
        let login = json!({"user": "alice", "password": "correct horse"});
        client.try_send(Call::post("/login").json(&login)).await?.expect(200);
        let (items, pending, before) = (Vec::new(), None, None);
        self.entries.push(Entry { client, fate: Fate::Alive, items, pending, before });
        self.tally[0] += 1;
        Ok(())
    }

    async fn refresh(&mut self, at: usize) -> Result<(), Lost> {
        let client = &mut self.entries[at].client;
        client.try_send(client.refresh_call()).await?.expect(200);
        self.tally[1] += 1;
        Ok(())
    }

    async fn update(&mut self, at: usize) -> Result<(), Lost> {
        let entry = &mut self.entries[at];
        if entry.items.len() >= 40 {
            return Ok(());
        }
        entry.pending = Some(format!("{}-{}", self.name, self.steps));
        entry.finish_update().await?;
        self.tally[2] += 1;
        Ok(())
    }

    async fn log_out(&mut self, at: usize) -> Result<(), Lost> {
        let entry = &mut self.entries[at];
        entry.fate = Fate::Unknown;
        let answer = entry.client.clone().try_send(Call::post("/session/logout")).await?;
        assert_eq!(answer.status, 204, "{}", answer.text());
        entry.fate = Fate::Ended;
        self.tally[3] += 1;
        Ok(())
    }

    async fn verify(&mut self, address: SocketAddr, cycle: usize) {
        self.nobody.address = address;
        for entry in &mut self.entries {
            entry.client.address = address;
            entry.verify().await;
        }
        let ended = |entry: &Entry| entry.fate == Fate::Ended;
        // The dead are asked again in every cycle; but not all of two hundred cycles.
        let dead = self.entries.iter().filter(|entry| ended(entry)).count();
        let mut surplus = dead.saturating_sub(60).min(if cycle > 20 { dead } else { 0 });
        self.entries.retain(|entry| {
            let goes = ended(entry) && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
    }
}

impl Entry {
    /// Sends the update that is under way, for the first time or again: with the same key it is the same update.
    async fn finish_update(&mut self) -> Result<(), Lost> {
        let Some(item) = self.pending.clone() else { return Ok(()) };
        let before = self.client.clone();
        let call = Call::post("/api/cart?exclusive=1").header("idempotency-key", &item);
        let answer = self.client.try_send(call.json(&json!({ "item": item }))).await?;
        answer.expect(200);
        self.items.push(item);
        self.pending = None;
        self.before = Some(before);
        Ok(())
    }

    async fn verify(&mut self) {
        if self.fate == Fate::Unknown {
            let alive = self.client.clone().get("/session").await.status == 200;
            self.fate = if alive { Fate::Alive } else { Fate::Ended };
        }
        match self.fate {
            Fate::Alive => self.is_alive().await,
            _ => self.is_dead().await,
        }
    }

    async fn is_alive(&mut self) {
        self.client.get("/session").await.expect(200);
        self.client.refresh().await.expect(200);
        self.finish_update().await.expect("the server is up");
        let cart = self.client.get("/api/cart").await.expect(200);
        assert_eq!(cart["cart"], json!(self.items), "every acknowledged update is there, once");
        if let Some(before) = &self.before {
            let mut replay = self.client.clone();
            replay.restore_state(before);
            let answer = replay.get("/api/cart").await;
            assert!(
                ["state-superseded", "state-lost"].contains(&answer.code().as_str()),
                "{}",
                answer.text()
            );
        }
    }

    async fn is_dead(&mut self) {
        let answer = self.client.clone().get("/session").await;
        if answer.code() != "token-expired" {
            answer.ended("logout");
        }
        self.client.clone().refresh().await.ended("logout");
    }
}
