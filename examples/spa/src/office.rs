//! The administrator's office: who may use the console, what it counts, and where that and its audit are kept.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign::{Builder, ConfigError, Refusal, Session, Sessions};
use countersign_console::audit::AuditFile;
use countersign_console::statistics::Statistics;
use countersign_console::{Access, Console, Monitor};
use tokio::time::interval;

use crate::people;
use crate::registry::make_folder_of;

/// Sessions, and who looks after them.
pub(crate) struct Office {
    pub(crate) sessions: Sessions,
    pub(crate) console: Console,
    pub(crate) counters: Counters,
}

/// The console's counters, and the file that keeps them across restarts.
#[derive(Clone)]
pub(crate) struct Counters {
    monitor: Monitor,
    path: Option<PathBuf>,
}

impl Office {
    /// Builds sessions with a console beside them, whose audit is in memory.
    pub(crate) fn new(builder: Builder, monitor: Monitor) -> Result<Self, ConfigError> {
        Ok(Self::of(builder.on_event(monitor.sink()).build()?, monitor))
    }

    /// The console beside sessions that are built already.
    pub(crate) fn of(sessions: Sessions, monitor: Monitor) -> Self {
        let console = Console::new(sessions.clone(), monitor.clone(), admits);
        Self { sessions, console, counters: Counters { monitor, path: None } }
    }

    /// Keeps audit and counters in these files.
    pub(crate) fn on_disk(self, audit: AuditFile, statistics: PathBuf) -> Self {
        let counters = Counters { path: Some(statistics), ..self.counters };
        Self { console: self.console.audit(audit), counters, ..self }
    }
}

/// The administrator, who proved who they are a few minutes ago. To anyone else, there is no console.
fn admits(session: &Session, _: Access) -> Result<(), Refusal> {
    if people::is_administrator(session.subject()) { session.require_fresh() } else { Err(Refusal::NotFound) }
}

/// Opens the audit, and makes it where there is none.
pub(crate) fn open_audit(path: &Path) -> io::Result<AuditFile> {
    make_folder_of(path)?;
    AuditFile::open(path)
}

/// The counters of an earlier run. Those that cannot be read are no reason not to serve.
pub(crate) fn read_statistics(path: &Path) -> Statistics {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, "the counters begin anew: their file cannot be read");
            Statistics::default()
        }),
        Err(_) => Statistics::default(),
    }
}

impl Counters {
    /// Saves them each minute.
    pub(crate) async fn keep(self) {
        let mut pace = interval(Duration::from_mins(1));
        loop {
            pace.tick().await;
            self.save().await;
        }
    }

    /// Saves them now, in place of what was saved before.
    pub(crate) async fn save(&self) {
        let Some(path) = self.path.clone() else { return };
        let statistics = self.monitor.statistics();
        let saved = tokio::task::spawn_blocking(move || write(&path, &statistics)).await;
        if let Ok(Err(error)) = saved {
            tracing::warn!(%error, "the counters could not be saved");
        }
    }
}

fn write(path: &Path, statistics: &Statistics) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let mut file = fs::File::create(&draft)?;
    file.write_all(&serde_json::to_vec(statistics)?)?;
    fs::rename(draft, path)
}
