//! A single-page application with sessions, on bare hyper: the workspace's default run, and a node of `examples/cluster`.
//!
//! A request goes through `app` (metrics, headers, the route table), the session layer, and one of the handlers
//! `login`, `cart`, `account`, `live` and `qr`, or the console of its `office`. `page/` holds the front end.

mod account;
mod answer;
mod app;
mod cart;
mod flags;
mod live;
mod login;
mod metrics;
mod office;
mod page;
mod people;
mod qr;
mod registry;
mod routes;
mod server;
mod start;
#[cfg(test)]
mod tests;
mod throttle;

use std::io::{self, IsTerminal as _, Write as _};
use std::pin::pin;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

pub use crate::flags::Flags;
use crate::start::StartError;

/// The whole program after its flags: serves until the process is told to stop, and says how it went.
pub async fn serve(flags: Flags) -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours).init();
    match run(flags).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", start::chain(&error));
            ExitCode::FAILURE
        }
    }
}

/// Starts, serves until the process is told to stop, and leaves everything where it survives.
async fn run(flags: Flags) -> Result<(), StartError> {
    let mut stop = pin!(start::told_to_stop()?);
    let started = tokio::select! {
        started = start::start(&flags) => started?,
        () = &mut stop => return Ok(()),
    };
    announce(&started.address);
    let (app, counters) = (started.app, started.counters);
    let stop = async {
        stop.await;
        tracing::info!("finishing open requests");
        // Streams would not end by themselves.
        app.sessions.close_streams();
    };
    server::serve(started.listener, app::service(app.clone()), stop).await;
    counters.save().await;
    app.sessions.shut_down().await.map_err(|_| StartError::Flush)
}

/// Says on standard output where the server listens; tests and scripts wait for this line.
fn announce(address: &str) {
    let mut out = io::stdout().lock();
    // Nobody may be reading: that is no reason not to serve.
    let _ = writeln!(out, "listening on http://{address}").and_then(|()| out.flush());
}
