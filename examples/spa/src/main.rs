//! The program: its flags, and the server that they ask for.

use std::process::ExitCode;

use clap::Parser as _;
use countersign_example_spa::{Flags, serve};

#[tokio::main]
async fn main() -> ExitCode {
    serve(Flags::parse()).await
}
