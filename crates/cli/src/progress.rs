//! Progress of long work: a bar on the terminal, nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

/// Below so many, work is done before a bar is seen.
const WORTH_IT: u64 = 512;

/// Work under way. It shows itself on standard error, if that is a terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Of so many sessions.
    pub(crate) fn of(total: u64) -> Self {
        if total < WORTH_IT {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(total);
        // A template that is wrong would be found by the first run.
        if let Ok(style) =
            ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} sessions, {eta} left")
        {
            bar.set_style(style);
        }
        bar.tick();
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        Self(bar)
    }

    /// So many more are done.
    pub(crate) fn add(&self, done: u64) {
        self.0.inc(done);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
