//! The server of the network simulation: many small worlds on real sockets, each a site of its own on a clock that its
//! requests move.
//!
//! `POST /sim/worlds` makes a world, `DELETE /sim/worlds/<id>` ends it, `POST /sim/worlds/<id>/registry` makes its
//! registry fail. All other requests carry `Sim-World` and `Sim-Time` (milliseconds), and are answered by that
//! world's site at that time; what happened there since the answer before travels in `Sim-Events`.

mod happened;
mod shop;
mod site;
mod worlds;

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::worlds::Worlds;

/// One thread serves all: the simulation is as fast as one core, and two worlds never race.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    tokio::select! {
        served = serve(listener) => match served? {},
        () = end_of_input() => Ok(()),
    }
}

async fn serve(listener: TcpListener) -> std::io::Result<Infallible> {
    let worlds = Arc::new(Worlds::default());
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let worlds = worlds.clone();
        let service = hyper::service::service_fn(move |request| {
            let worlds = worlds.clone();
            async move { Ok::<_, Infallible>(worlds.answer(request).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
    }
}

/// Resolves when whoever started this server is gone, however it went.
async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut byte = [0];
    while !matches!(input.read(&mut byte).await, Ok(0) | Err(_)) {}
}
