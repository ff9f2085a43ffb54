//! The `client` surface: pages for signed-in customers.

use std::process::ExitCode;

use settings::Surface;

fn main() -> ExitCode {
    serve::cli(Surface::Client, client::records, &[], client::start)
}
