//! An address that an operator moves from one server to the next, as a virtual IP does; and a bad line, where a test asks
//! for one.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

pub(crate) struct Front {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    server: AtomicU16,
    gone: AtomicBool,
    /// Milliseconds that every answer takes longer.
    slower: AtomicU64,
    holds_answers: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl Front {
    pub(crate) fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        shared.server.store(server, Ordering::Release);
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

    /// From now on the address leads to another server; who is connected must connect again.
    pub(crate) fn move_to(&self, server: u16) {
        self.shared.server.store(server, Ordering::Release);
        self.shared.end_all();
    }
}

impl Front {
    /// Ends all connections; new ones get through.
    pub(crate) fn cut(&self) {
        self.shared.end_all();
    }

    /// From now on, every answer takes longer by this.
    pub(crate) fn slow_down(&self, by: Duration) {
        self.shared.slower.store(by.as_millis() as u64, Ordering::Release);
    }

    /// From now on, what is asked arrives, and no answer comes back.
    pub(crate) fn hold_answers(&self) {
        self.shared.holds_answers.store(true, Ordering::Release);
    }
}

impl Drop for Front {
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

    /// Waits for as long as an answer is held up.
    fn hold_up(&self) {
        sleep(Duration::from_millis(self.slower.load(Ordering::Acquire)));
        while self.holds_answers.load(Ordering::Acquire) && !self.gone.load(Ordering::Acquire) {
            sleep(Duration::from_millis(5));
        }
    }

    fn connect(self: &Arc<Self>, client: &TcpStream) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server.load(Ordering::Acquire))) else {
            return;
        };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let copies = || Some((client.try_clone().ok()?, server.try_clone().ok()?));
        let (Some(up), Some(down), Some(both)) = (copies(), copies(), copies()) else { return };
        self.connections.lock().unwrap().extend([both.0, both.1]);
        let shared = self.clone();
        std::thread::spawn(move || pass(up.0, up.1, || {}));
        std::thread::spawn(move || pass(down.1, down.0, || shared.hold_up()));
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, hold_up: impl Fn()) {
    let mut buffer = [0; 16384];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        hold_up();
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
