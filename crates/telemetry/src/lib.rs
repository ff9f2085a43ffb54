//! Structured logs: JSON lines on stdout, readable ones on a developer's machine, each with its
//! request's id.

mod causes;
mod request_id;

use std::io;

use settings::AppEnv;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::TryInitError;

pub use causes::with_causes;
pub use request_id::RequestId;

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter does not parse.
    #[error("`LOG` is `{filter}`, not a log filter such as `info,sqlx=warn`")]
    Filter {
        /// What was given.
        filter: String,
        /// Why it does not parse.
        source: ParseError,
    },
    /// The filter parses, and silences whatever it does not name.
    #[error("`LOG` is `{0}`, which gives no level for all the rest, such as `info`")]
    NoLevel(String),
    /// The process has a logger already.
    #[error("logging is set up already")]
    Twice(#[from] TryInitError),
}

/// Sets up logging for the whole process.
pub fn init(env: AppEnv, filter: &str) -> Result<(), Error> {
    use tracing_subscriber::util::SubscriberInitExt as _;

    Ok(subscriber(env, filter, io::stdout)?.try_init()?)
}

/// The subscriber behind [`init`], writing where it is told: a test can read what was logged.
pub fn subscriber<W>(
    env: AppEnv,
    filter: &str,
    writer: W,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, Error>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let parsed = EnvFilter::builder()
        .parse(filter)
        .map_err(|source| Error::Filter {
            filter: filter.to_owned(),
            source,
        })?;
    if !has_bare_level(filter) {
        return Err(Error::NoLevel(filter.to_owned()));
    }
    let builder = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        // A log that cannot be written would be told on standard error, with a panic when that is
        // gone, too: no request may fail for its log line.
        .log_internal_errors(false)
        .with_writer(writer);
    Ok(if env.is_local() {
        Box::new(builder.with_ansi(false).finish())
    } else {
        // Only the innermost span: it is the request's, and all it carries is the id.
        Box::new(
            builder
                .json()
                .flatten_event(true)
                .with_span_list(false)
                .finish(),
        )
    })
}

/// A misspelt level is a target to the parser: `inof` would silence all but a crate of that name.
fn has_bare_level(filter: &str) -> bool {
    filter
        .split(',')
        .map(str::trim)
        .any(|part| !part.is_empty() && part.parse::<LevelFilter>().is_ok())
}
