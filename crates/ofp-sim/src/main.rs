//! `ofp-sim`: PayNet's Open Finance Platform on one machine, and the suspicious tester that PayNet
//! will be.

mod args;
mod command;
mod environment;
mod failure;

use std::process::ExitCode;

fn main() -> ExitCode {
    let environment = environment::Environment::read();
    let args = args::Args::parse_from_environment(&environment);
    ExitCode::from(command::dispatch(args, &environment))
}
