//! A server's face: the port that others know it by. What passes through can be cut off, or lost for the replicas.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

/// Everything passes.
const OPEN: u8 = 0;
/// What the server tells its replicas is read and thrown away: it never arrives, whatever comes later.
const LOSES_TAIL: u8 = 1;
/// Nobody gets through.
const CUT: u8 = 2;
/// Sentinels do not hear the server any more, all others do.
const HIDDEN: u8 = 3;

/// Stands before a server, on threads of its own: it serves the tests of many runtimes.
pub struct Face {
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: u16,
    mode: AtomicU8,
    gone: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl Face {
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            server,
            mode: AtomicU8::new(OPEN),
            gone: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let accepting = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.gone.load(Ordering::Acquire) {
                    return;
                }
                accepting.connect(&client);
            }
        });
        Self { port, shared }
    }

    /// From now on, replicas hear nothing more of what the server writes, and acknowledge nothing new.
    pub fn lose_tail(&self) {
        self.shared.mode.store(LOSES_TAIL, Ordering::Release);
    }

    /// From now on, Sentinels get no answer from the server, and cannot tell it anything. Clients can.
    pub fn hide_from_sentinels(&self) {
        self.shared.mode.store(HIDDEN, Ordering::Release);
    }

    /// Ends all connections, and lets nobody through.
    pub fn cut(&self) {
        self.shared.mode.store(CUT, Ordering::Release);
        self.shared.end_all();
    }

    /// Ends all connections, as a rebooted switch would; new ones get through.
    pub fn mend(&self) {
        self.shared.mode.store(OPEN, Ordering::Release);
        self.shared.end_all();
    }
}

impl Drop for Face {
    fn drop(&mut self) {
        self.shared.gone.store(true, Ordering::Release);
        self.shared.end_all();
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn end_all(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    fn connect(self: &Arc<Self>, client: &TcpStream) {
        if self.mode.load(Ordering::Acquire) == CUT {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server)) else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let copies = || Some((client.try_clone().ok()?, server.try_clone().ok()?));
        let (Some(up), Some(down), Some(both)) = (copies(), copies(), copies()) else { return };
        self.connections.lock().unwrap().extend([both.0, both.1]);
        if self.mode.load(Ordering::Acquire) == CUT {
            self.end_all();
        }
        let caller = Arc::new(AtomicU8::new(CLIENT));
        let (asks, answers) = (Passage::new(self, &caller), Passage::new(self, &caller));
        std::thread::spawn(move || {
            pass(up.0, up.1, |bytes| {
                asks.recognise(bytes);
                asks.is_open()
            });
        });
        std::thread::spawn(move || pass(down.1, down.0, |_| answers.is_open()));
    }
}

const CLIENT: u8 = 0;
const REPLICA: u8 = 1;
const SENTINEL: u8 = 2;

/// One direction of a connection, and who has made it.
struct Passage {
    face: Arc<Shared>,
    caller: Arc<AtomicU8>,
}

impl Passage {
    fn new(face: &Arc<Shared>, caller: &Arc<AtomicU8>) -> Self {
        Self { face: face.clone(), caller: caller.clone() }
    }

    fn recognise(&self, bytes: &[u8]) {
        let says = |word: &[u8]| bytes.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
        if says(b"PSYNC") {
            self.caller.store(REPLICA, Ordering::Release);
        } else if says(b"sentinel-") {
            self.caller.store(SENTINEL, Ordering::Release);
        }
    }

    /// Whether bytes arrive.
    fn is_open(&self) -> bool {
        let (caller, mode) = (self.caller.load(Ordering::Acquire), self.face.mode.load(Ordering::Acquire));
        !matches!((caller, mode), (REPLICA, LOSES_TAIL) | (SENTINEL, HIDDEN))
    }
}

/// Passes on what comes, except what must not arrive.
fn pass(mut from: TcpStream, mut to: TcpStream, arrives: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 16384];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if arrives(&buffer[..length]) && to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
