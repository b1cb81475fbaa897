//! A disk that fills up: logins are refused, nothing that was acknowledged is lost, and a restart with room heals.

use std::path::{Path, PathBuf};
use std::process::Command;

use countersign_tests::{Client, Launch, Server, Transport, Wire};
use tempfile::TempDir;

const ORIGIN: &[&str] = &["--origin", "http://localhost:1"];

/// A small file system of its own where mounting is permitted; else a limit on the size of files.
enum Disk {
    Mounted(TempDir),
    Limited,
}

impl Disk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", "size=8m", "tmpfs"], folder.path());
        if mounted { Self::Mounted(folder) } else { Self::Limited }
    }

    fn registry(&self, launch: &Launch) -> PathBuf {
        match self {
            Self::Mounted(folder) => folder.path().join("registry.redb"),
            Self::Limited => launch.folder().join("registry.redb"),
        }
    }

    /// No file may grow far beyond what an empty registry takes. A write that would fails (EFBIG) instead of killing,
    /// since the signal is ignored.
    async fn limit(&self, launch: Launch) -> Launch {
        if let Self::Mounted(_) = self {
            return launch;
        }
        let registry = self.registry(&launch);
        launch.clone().start().await.terminate().await;
        let blocks = std::fs::metadata(registry).unwrap().len() / 512 + 512;
        launch.before(&["sh", "-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")])
    }

    /// Takes what room there is, but for a little.
    fn fill(&self) {
        let Self::Mounted(folder) = self else { return };
        let filler = folder.path().join("filler");
        let mut size = 8 << 20;
        // A smaller and smaller piece fits, until only crumbs are left.
        while size > 64 << 10 {
            let grown = std::fs::read(&filler).unwrap_or_default().len() + size;
            if std::fs::write(&filler, vec![0; grown]).is_err() {
                std::fs::write(&filler, vec![0; grown - size]).unwrap();
                size /= 2;
            }
        }
    }

    fn make_room(&self) {
        if let Self::Mounted(folder) = self {
            assert!(mount(&["-o", "remount,size=64m"], folder.path()));
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Self::Mounted(folder) = self {
            let _ = Command::new("umount").arg("--lazy").arg(folder.path()).status();
        }
    }
}

fn mount(words: &[&str], at: &Path) -> bool {
    Command::new("mount").args(words).arg(at).output().is_ok_and(|ran| ran.status.success())
}

/// Logs in until the disk is full: the sessions that were acknowledged.
async fn fill_with_logins(server: &Server) -> Vec<Client> {
    let mut inside = Vec::new();
    for _ in 0..4000 {
        let mut client = server.client(Wire::Http1, Transport::Cookies);
        let answer = client.try_login("alice").await;
        if answer.status != 200 {
            answer.refused(503, "registry-unavailable");
            assert!(answer.headers.contains_key("retry-after"), "{:?}", answer.headers);
            return inside;
        }
        inside.push(client);
    }
    panic!("4000 logins, and the disk is not full");
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let disk = Disk::new();
    let launch = Launch::new().flags(ORIGIN);
    let registry = format!("file:{}", disk.registry(&launch).display());
    let mut server = disk.limit(launch.flags(&["--registry", &registry])).await.start().await;
    let mut first = server.client(Wire::Http2, Transport::Cookies);
    first.login("bob").await;
    let mut ended = server.client(Wire::Http2, Transport::Cookies);
    ended.login("carol").await;
    let copy = ended.clone();
    ended.logout().await;
    disk.fill();
    let inside = fill_with_logins(&server).await;

    let answer = first.get("/session").await;
    assert!([200, 503].contains(&answer.status.as_u16()), "{}", answer.text());
    let logout = first.clone().logout().await;
    assert!([204, 503].contains(&logout.status.as_u16()), "{}", logout.text());
    let acknowledged = logout.status == 204;
    server.client(Wire::Http1, Transport::Cookies).get("/healthz").await.expect(200);

    server.kill9();
    disk.make_room();
    let roomy = server.launch().clone().before(&[]);
    let server = roomy.start().await;
    let address = server.address();
    for client in inside {
        Client { address, ..client }.get("/session").await.expect(200);
    }
    let mut copy = Client { address, ..copy };
    copy.get("/session").await.ended("logout");
    let mut first = Client { address, ..first };
    // A logout that could not be acknowledged may have happened or not; one that was, has.
    if !acknowledged && first.get("/session").await.status == 200 {
        first.refresh().await.expect(200);
    } else {
        first.get("/session").await.ended("logout");
    }
    server.client(Wire::Http1, Transport::Cookies).login("alice").await;
}
