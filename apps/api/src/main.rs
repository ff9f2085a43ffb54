//! The `api` surface: JSON for machines.

use std::process::ExitCode;

use settings::Surface;

fn main() -> ExitCode {
    serve::cli(
        Surface::Api,
        api::records,
        &[("openapi", api::openapi_json)],
        api::start,
    )
}
