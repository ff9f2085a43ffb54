//! `cargo xtask release`: makes a release, and says what there is to say of those that were made.

mod make;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::{Args, Subcommand};
use semver::Version;

use crate::cli::{self, Format};
use crate::cx::Shared;
use crate::exit::{Code, Problem};
use crate::release::changelog::FILE;
use crate::release::{audit, notes, publish, suggest};
use crate::repo;

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_precedence_over_arg = true
)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Option<Sub>,
    #[command(flatten)]
    make: make::Make,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Tag the release whose pull request (`--pr`) is merged, once trunk is what was planned
    Tag(make::How),
    /// Print what the changelog says of a version, complete in itself: for a page of the release
    Notes {
        /// `v1.2.3` or `1.2.3`
        version: String,
    },
    /// Hold tags, changelog, manifests, dates, links and signatures of all releases against each other
    Audit {
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Make the page of a tagged release on GitHub with `gh`: draft, files, a check of both, publish.
    /// Safe to repeat
    Publish {
        /// `v1.2.3`
        tag: String,
        /// Files beside the archive of the sources
        files: Vec<PathBuf>,
    },
    /// Say which level the next release needs, and why. Red where changelog, commits and API disagree
    Suggest {
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

pub(crate) fn run(shared: &Arc<Shared>, options: &Options) -> Result<Code> {
    let Some(command) = &options.command else {
        return make::run(shared, &options.make);
    };
    match command {
        Sub::Tag(how) => make::tag(shared, how),
        Sub::Notes { version } => notes(shared, version),
        Sub::Audit { format } => audit(shared, *format),
        Sub::Publish { tag, files } => publish::publish(shared, tag, files),
        Sub::Suggest { format } => suggest(shared, *format),
    }
}

fn notes(shared: &Shared, name: &str) -> Result<Code> {
    let version = Version::parse(name.strip_prefix('v').unwrap_or(name)).map_err(|error| {
        Problem::new(Code::Usage, format!("`{name}` is no version: {error}"))
            .help("cargo xtask release notes v1.2.3")
    })?;
    let text = shared.read(FILE)?;
    let repo = repo::open(&shared.root)?;
    let notes = notes::notes(repo.as_ref(), &shared.root, &text, &version)?;
    cli::say(notes.trim_end())?;
    Ok(Code::Done)
}

fn suggest(shared: &Shared, format: Format) -> Result<Code> {
    let suggestion = suggest::suggest(&shared.root)?;
    match format {
        Format::Json => cli::say_json(&suggestion)?,
        Format::Human | Format::Github => suggest::show(&suggestion)?,
    }
    Ok(if suggestion.is_blocked() {
        Code::Red
    } else {
        Code::Done
    })
}

fn audit(shared: &Arc<Shared>, format: Format) -> Result<Code> {
    let audit = audit::audit(shared)?;
    match format {
        Format::Json => cli::say_json(&audit)?,
        Format::Human | Format::Github => audit::show(&audit)?,
    }
    Ok(if audit.is_red() {
        Code::Red
    } else {
        Code::Done
    })
}
