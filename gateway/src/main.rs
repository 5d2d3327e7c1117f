//! The program `gatewright`: reads the command line and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatewright::cli::main()
}
