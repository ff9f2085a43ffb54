//! The `admin` surface: pages for staff.

use std::process::ExitCode;

fn main() -> ExitCode {
    admin::main()
}
