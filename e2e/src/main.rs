//! All surfaces in one executable, for tests that start them together: which one it is says the
//! name it is started by.

use std::path::Path;
use std::process::ExitCode;

use settings::Surface;

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&name).file_name().unwrap_or_default();
    match name.to_str() {
        Some("api") => serve::cli(
            Surface::Api,
            api::records,
            &[("openapi", api::openapi_json)],
            api::start,
        ),
        Some("client") => serve::cli(Surface::Client, client::records, &[], client::start),
        Some("admin") => serve::cli(Surface::Admin, admin::records, &[], admin::start),
        Some("site") => serve::cli(Surface::Site, site::records, &[], site::start),
        _ => ExitCode::from(2),
    }
}
