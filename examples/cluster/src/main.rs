//! Many nodes by one command: a Valkey or Redis server, three nodes of `examples/spa`, and a load balancer before them.
//!
//! It tells a story first, over real sockets: a session that begins on one node, goes on on another, and ends on a third
//! is refused on all, and how soon. Then it serves until it is told to stop, and leaves nothing behind.
//!
//! [`store`] and [`node`] are the processes ([`process`]) that [`cluster`] starts and stops; [`balance`] is the load
//! balancer; [`story`] is told by a [`visitor`].

mod balance;
mod cluster;
mod node;
mod process;
mod store;
mod story;
mod visitor;

use std::future::{Future, pending};
use std::io;
use std::pin::pin;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::cluster::Cluster;

/// Any error ends the run, and is shown.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Three nodes, one Valkey or Redis server, and a load balancer.
#[derive(Parser, Debug)]
#[command(version, about, long_about = None, subcommand_negates_reqs = true)]
struct Flags {
    /// Where the load balancer listens; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: String,

    /// How many nodes.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(3..=16))]
    nodes: u8,

    /// Stop after the story.
    #[arg(long)]
    demo_only: bool,

    #[command(subcommand)]
    part: Option<Part>,
}

/// What this program starts itself as.
#[derive(Subcommand, Debug)]
enum Part {
    /// One of the nodes.
    #[command(hide = true)]
    Node(Box<countersign_example_spa::Flags>),
}

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    if let Some(Part::Node(node)) = flags.part {
        return countersign_example_spa::serve(*node).await;
    }
    match run(&flags).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts all, and stops all that was started, whatever happens in between.
async fn run(flags: &Flags) -> Outcome<()> {
    let stop = told_to_stop()?;
    let mut cluster = Cluster::new()?;
    let outcome = {
        let mut stop = pin!(stop);
        tokio::select! {
            outcome = serve(&mut cluster, flags) => outcome,
            () = &mut stop => Ok(()),
        }
    };
    println!("stopping");
    let stopped = cluster.stop().await;
    outcome.and(stopped)
}

async fn serve(cluster: &mut Cluster, flags: &Flags) -> Outcome<()> {
    cluster.start(&flags.listen, flags.nodes).await?;
    story::tell(&cluster.addresses()).await?;
    if flags.demo_only {
        return Ok(());
    }
    println!(
        "\n{}: log in as alice, password \"correct horse\"; kill a node; stop with Ctrl-C",
        cluster.site()
    );
    pending().await
}

fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
