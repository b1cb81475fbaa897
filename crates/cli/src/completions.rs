//! `countersign completions`: what a shell needs to complete our commands.

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde_json::Value;

use crate::output::Report;

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which shell; for bash, `source <(countersign completions bash)`.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run<C: CommandFactory>(self) -> Report {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut C::command(), "countersign", &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        let json = Value::from(script.clone());
        Report::done(script, json)
    }
}
