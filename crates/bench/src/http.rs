//! What sessions cost a server: hyper and axum with and without them, loaded in turn with the same requests.
//!
//! The figure is the requests that a core would serve in a second: requests over the time for which the server's
//! thread was on a core, as the kernel counts it. With a core to itself, that is the server's throughput; on a machine
//! that others use too, it still is.

use std::cell::Cell;
use std::process::Stdio;
use std::time::{Duration, Instant};

use countersign_registry::{Clock as _, SystemClock};
use countersign_token::{Algorithm, FeedPosition, KeyRing};
use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::measure::{Effort, Series};
use crate::numbers::Numbers;
use crate::report::{Goal, Row};
use crate::serve::Kind;
use crate::server::{Server, on_core};
use crate::{Outcome, token};

const CONNECTIONS: usize = 64;
/// So many tokens in turn that the cache, which keeps a quarter of them, never knows the next one.
const COLD: usize = 40_000;

/// `hyper_itself`, `hyper_warm`, `hyper_cold`, `hyper_metrics` and `axum_warm`. The load comes from a process on the second core.
pub(crate) fn rows(effort: Effort) -> Outcome<Vec<Row>> {
    let mut command = on_core(1)?;
    command.arg("load").args(effort.pick(Some("--quick"), None)).stderr(Stdio::inherit());
    let output = command.output()?;
    if !output.status.success() {
        return Err("the load generator failed".into());
    }
    let loads: Vec<Comparison> = serde_json::from_slice(&output.stdout)?;
    Ok(loads.into_iter().map(Comparison::row).collect())
}

/// Loads the servers, and prints what came of it.
pub(crate) fn load(effort: Effort) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ring = KeyRing::generate(Algorithm::Hs256, SystemClock.now());
    let mut comparisons = Vec::new();
    for (kinds, measured) in PAIRS {
        let pair = Pair::start(kinds, &ring)?;
        for &(name, goal, tokens) in measured {
            comparisons.push(runtime.block_on(pair.compare(name, goal, tokens, effort))?);
        }
    }
    println!("{}", serde_json::to_string(&comparisons)?);
    Ok(())
}

/// Two servers, and with each name the goal and the number of tokens in turn.
type Plan = ([Kind; 2], &'static [(&'static str, Option<f64>, usize)]);

const PAIRS: [Plan; 4] = [
    ([Kind::Hyper, Kind::Hyper], &[("hyper_itself", None, CONNECTIONS)]),
    (
        [Kind::Hyper, Kind::HyperSessions],
        &[("hyper_warm", Some(0.97), CONNECTIONS), ("hyper_cold", Some(0.80), COLD)],
    ),
    ([Kind::HyperSessions, Kind::HyperMetrics], &[("hyper_metrics", None, CONNECTIONS)]),
    ([Kind::Axum, Kind::AxumSessions], &[("axum_warm", Some(0.92), CONNECTIONS)]),
];

/// The requests a second of a core, without sessions and with them, round by round.
#[derive(serde::Serialize, serde::Deserialize)]
struct Comparison {
    name: String,
    goal: Option<f64>,
    rounds: Vec<[f64; 2]>,
}

impl Comparison {
    fn row(self) -> Row {
        let [mut bare, mut sessions] = [Series::default(), Series::default()];
        for [without, with] in self.rounds {
            bare.push(without);
            sessions.push(with);
        }
        let row = Row::of(self.name, "1/s", &sessions, &bare);
        match self.goal {
            Some(least) => row.goal(Goal::RatioAtLeast(least)),
            None => row,
        }
    }
}

/// A bare server, and the same with sessions.
struct Pair<'a> {
    servers: [Server; 2],
    ring: &'a KeyRing,
}

impl<'a> Pair<'a> {
    fn start([bare, sessions]: [Kind; 2], ring: &'a KeyRing) -> Outcome<Self> {
        Ok(Self { servers: [Server::start(bare, ring)?, Server::start(sessions, ring)?], ring })
    }

    /// Loads both in turn, with so many tokens.
    async fn compare(
        &self,
        name: &str,
        goal: Option<f64>,
        tokens: usize,
        effort: Effort,
    ) -> Outcome<Comparison> {
        let requests = Requests::of(self.ring, self.servers[1].born, tokens)?;
        let [bare, sessions] =
            [Load::connect(&self.servers[0]).await?, Load::connect(&self.servers[1]).await?];
        let (mut loads, mut rounds) = ([bare, sessions], Vec::new());
        let time = effort.pick(Duration::from_millis(300), Duration::from_secs(1));
        for round in 0..=effort.pick(14, 60) {
            let mut figures = [0.0; 2];
            for (load, figure) in loads.iter_mut().zip(&mut figures) {
                *figure = load.run(&requests, time).await?;
            }
            // The first round warms up.
            if round > 0 {
                rounds.push(figures);
            }
        }
        Ok(Comparison { name: name.to_owned(), goal, rounds })
    }
}

/// What the clients send, in turn.
struct Requests {
    texts: Vec<Vec<u8>>,
    next: Cell<usize>,
}

impl Requests {
    /// A browser's, each with the access token of another session.
    fn of(ring: &KeyRing, born: FeedPosition, count: usize) -> Outcome<Self> {
        let (mut numbers, now) = (Numbers::new(6), SystemClock.now());
        let texts = (0..count).map(|_| {
            let token = ring.mint_access(&token::claims(numbers.session(), now, born))?;
            Ok(format!(
                "GET / HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) \
                 Gecko/20100101 Firefox/140.0\r\nAccept: application/json\r\nAccept-Language: en\r\n\
                 Sec-Fetch-Site: same-origin\r\nCookie: __Host-session={token}\r\n\r\n"
            )
            .into_bytes())
        });
        Ok(Self { texts: texts.collect::<Outcome<_>>()?, next: Cell::new(0) })
    }

    fn next(&self) -> &[u8] {
        let place = self.next.get();
        self.next.set((place + 1) % self.texts.len());
        &self.texts[place]
    }
}

/// The clients of one server.
struct Load<'a> {
    server: &'a Server,
    connections: Vec<TcpStream>,
}

impl<'a> Load<'a> {
    async fn connect(server: &'a Server) -> Outcome<Self> {
        let connections = (0..CONNECTIONS).map(async |_| {
            let connection = TcpStream::connect(("127.0.0.1", server.port)).await?;
            connection.set_nodelay(true)?;
            Ok::<_, std::io::Error>(connection)
        });
        Ok(Self { server, connections: try_join_all(connections).await? })
    }

    /// Keeps each connection busy for a while; the requests a second of a core.
    async fn run(&mut self, requests: &Requests, time: Duration) -> Outcome<f64> {
        let (busy, until) = (self.server.busy()?, Instant::now() + time);
        let clients = self.connections.iter_mut().map(|connection| client(connection, requests, until));
        let answered: u32 = try_join_all(clients).await?.into_iter().sum();
        Ok(f64::from(answered) / (self.server.busy()? - busy) * 1e9)
    }
}

/// One request after the other, each answered with 200; how many.
async fn client(connection: &mut TcpStream, requests: &Requests, until: Instant) -> Outcome<u32> {
    let (mut answered, mut buffer) = (0, [0; 4096]);
    while Instant::now() < until {
        connection.write_all(requests.next()).await?;
        answer(connection, &mut buffer).await?;
        answered += 1;
    }
    Ok(answered)
}

/// Reads a whole answer: its body is two bytes.
async fn answer(connection: &mut TcpStream, buffer: &mut [u8]) -> Outcome<()> {
    let mut filled = 0;
    while !buffer[..filled].ends_with(b"\r\n\r\nok") {
        match connection.read(&mut buffer[filled..]).await? {
            0 => return Err(String::from_utf8_lossy(&buffer[..filled]).into()),
            read => filled += read,
        }
        // Whatever else comes is no answer to wait for the end of.
        if !buffer[..filled].starts_with(b"HTTP/1.1 200 ") {
            return Err(String::from_utf8_lossy(&buffer[..filled]).into());
        }
    }
    Ok(())
}
