//! Login, refresh and logout in the file registry: 64 clients at a time, against one fsync after the other on the same
//! file system.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use countersign_file::FileRegistry;
use countersign_registry::{Admit, End, Registry as _, Rotate};
use futures_util::future::try_join_all;

use crate::Outcome;
use crate::measure::{Effort, Series, nanos};
use crate::registry::{OPERATIONS, People, Refreshable, gone, renewed, seated};
use crate::report::{Goal, Row};

const CLIENTS: usize = 64;
/// How often each client asks in a round.
const EACH: usize = 8;
/// How many fsyncs a round times.
const FSYNCS: u32 = 8;

/// `registry_file_…`, with scratch files in `folder`.
pub(crate) fn rows(effort: Effort, folder: &Path) -> Outcome<Vec<Row>> {
    std::fs::create_dir_all(folder)?;
    let scratch = tempfile::tempdir_in(folder)?;
    let registry = FileRegistry::open(scratch.path().join("sessions.redb"))?;
    let mut disk = Disk::new(&scratch.path().join("fsync"))?;
    let mut times = Times::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut people = People::new(5);
    for _ in 0..effort.pick(25, 200) {
        times.fsync.push(disk.fsync()?);
        runtime.block_on(times.round(&registry, &mut people))?;
    }
    Ok(times.rows())
}

#[derive(Default)]
struct Times {
    /// One fsync, in each round.
    fsync: Series,
    /// The time for each of a round's operations, by operation.
    each: [Series; 3],
    /// How long each single operation took, by operation.
    waits: [Series; 3],
}

impl Times {
    async fn round(&mut self, registry: &FileRegistry, people: &mut People) -> Outcome<()> {
        let logins: Vec<_> = (0..CLIENTS * EACH).map(|_| people.newcomer()).collect();
        let mut sessions: Vec<_> = logins.iter().map(|admit| Refreshable::new(admit.session)).collect();
        let ends: Vec<_> = logins.iter().map(|admit| people.logout(admit.session)).collect();
        let refreshes: Vec<_> = sessions.iter_mut().map(|session| people.refresh(session)).collect();
        self.phase(0, logins, async |admit: Admit| seated(&registry.admit(admit).await?)).await?;
        self.phase(1, refreshes, async |rotate: Rotate| renewed(&registry.rotate(rotate).await?)).await?;
        self.phase(2, ends, async |end: End| gone(&registry.end(end).await?)).await
    }

    /// Each client goes through its share, one after the other.
    async fn phase<T>(
        &mut self,
        operation: usize,
        mut all: Vec<T>,
        carry_out: impl AsyncFn(T) -> Outcome<()>,
    ) -> Outcome<()> {
        let shares: Vec<_> = (0..CLIENTS).map(|_| all.split_off(all.len() - EACH)).collect();
        let started = Instant::now();
        let waits = try_join_all(shares.into_iter().map(|share| client(share, &carry_out))).await?;
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let each = nanos(started.elapsed()) / (CLIENTS * EACH) as f64;
        self.each[operation].push(each);
        self.waits[operation].extend(waits.into_iter().flatten());
        Ok(())
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (at, operation) in OPERATIONS.iter().enumerate() {
            let name = format!("registry_file_{operation}");
            let (each, fsync) = (self.each[at].median(), self.fsync.median());
            let row = Row::new(name.clone(), 1e9 / each, "1/s");
            let row = row.against(1e9 / fsync, self.fsync.over(&self.each[at]).median());
            rows.push(row.goal(Goal::RatioAtLeast(20.0)));
            let p99 = self.waits[at].quantile(0.99);
            let row = Row::new(format!("{name}_p99"), p99 / 1e3, "us").against(fsync / 1e3, p99 / fsync);
            rows.push(row.goal(Goal::Ratio(3.0)));
        }
        rows
    }
}

/// How long each operation took, in nanoseconds.
async fn client<T>(share: Vec<T>, carry_out: &impl AsyncFn(T) -> Outcome<()>) -> Outcome<Vec<f64>> {
    let mut waits = Vec::with_capacity(share.len());
    for operation in share {
        let started = Instant::now();
        carry_out(operation).await?;
        waits.push(nanos(started.elapsed()));
    }
    Ok(waits)
}

/// What a store without group commit would pay for each operation: one small write, one fsync.
struct Disk(File);

impl Disk {
    fn new(path: &Path) -> Outcome<Self> {
        let mut file = OpenOptions::new().create_new(true).write(true).open(path)?;
        file.write_all(&vec![0; FSYNCS as usize * PAGE])?;
        file.sync_all()?;
        Ok(Self(file))
    }

    /// The mean of a few, in nanoseconds. The file does not grow, so nothing but the page must reach the disk.
    fn fsync(&mut self) -> Outcome<f64> {
        let mut taken = Duration::ZERO;
        for turn in 0..FSYNCS {
            self.0.seek(SeekFrom::Start(u64::from(turn) * PAGE as u64))?;
            let started = Instant::now();
            self.0.write_all(&[1; PAGE])?;
            self.0.sync_data()?;
            taken += started.elapsed();
        }
        Ok(nanos(taken) / f64::from(FSYNCS))
    }
}

const PAGE: usize = 4096;
