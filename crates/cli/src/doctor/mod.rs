//! `countersign doctor`: checks a deployment, and says what to change. It changes nothing itself.
//!
//! - `finding`: what a check says, and how it is told;
//! - `keys`: the key file; `registry`: where sessions are remembered; `clock`: whether clocks agree;
//! - `server`: what a running server answers, `cookies` what a login sets there.

mod clock;
mod cookies;
mod finding;
mod keys;
mod registry;
mod server;

use std::path::PathBuf;

use clap::{Args, ValueHint};
use countersign_token::KeyRing;
use std::sync::Arc;

use self::finding::Findings;
use crate::error::Failure;
use crate::output::Report;
use crate::sessions::Opened;
use crate::time::Instant;

/// Check a deployment, and say what to change. Name what it consists of: any of --keys, --registry and --server.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The key file.
    #[arg(long = "keys", env = "COUNTERSIGN_KEYS", value_name = "PATH", value_hint = ValueHint::FilePath)]
    keys: Option<PathBuf>,
    #[command(flatten)]
    opened: Opened,
}

impl Doctor {
    pub(crate) fn run(self, now: Instant) -> Result<Report, Failure> {
        let Opened { access, store } = &self.opened;
        if self.keys.is_none() && access.server.is_none() && store.registry.is_none() {
            return Err(Failure::NothingToCheck);
        }
        let mut findings = Findings::default();
        let ring: Option<Arc<KeyRing>> =
            self.keys.as_deref().and_then(|path| keys::check(path, now, &mut findings));
        crate::runtime()?.block_on(async {
            registry::check(store, &mut findings).await?;
            server::check(access, ring.as_deref(), &mut findings).await
        })?;
        for (part, flag) in [
            (self.keys.is_some(), "the key file: name it with --keys"),
            (store.registry.is_some(), "the registry: name it with --registry"),
            (access.server.is_some(), "the server: name it with --server"),
        ] {
            if !part {
                findings.leave_out(flag);
            }
        }
        Ok(findings.report())
    }
}
