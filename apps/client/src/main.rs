//! The `client` surface: pages for signed-in customers.

use std::process::ExitCode;

fn main() -> ExitCode {
    client::main()
}
