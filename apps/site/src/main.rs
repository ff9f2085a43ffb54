//! The `site` surface: public pages.

use std::process::ExitCode;

fn main() -> ExitCode {
    site::main()
}
