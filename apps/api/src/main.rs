//! The `api` surface: JSON for machines.

use std::process::ExitCode;

fn main() -> ExitCode {
    api::main()
}
