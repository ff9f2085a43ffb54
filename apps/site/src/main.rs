//! The `site` surface: public pages.

use std::process::ExitCode;

use settings::Surface;

fn main() -> ExitCode {
    serve::cli(Surface::Site, site::records, &[], site::start)
}
