//! The `admin` surface: pages for staff.

use std::process::ExitCode;

use settings::Surface;

fn main() -> ExitCode {
    serve::cli(Surface::Admin, admin::records, &[], admin::start)
}
