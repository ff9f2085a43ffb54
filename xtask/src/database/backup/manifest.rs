//! What is written down of a backup, beside its dump. Without it a dump is no backup.

use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use marker::{Environment, Identity};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::content::Content;
use crate::database::record::{Applied, IdentityForm};
use crate::exit::{Code, Problem};
use crate::migrations::Engine;

/// The form of manifests written here.
const FORMAT: u32 = 1;

/// A backup that was proven when it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) engine: Engine,
    /// Of the marker of the database.
    #[serde(with = "EnvironmentForm")]
    pub(crate) environment: Environment,
    /// Of the database.
    #[serde(with = "IdentityForm")]
    pub(crate) identity: Identity,
    /// When the snapshot was taken: the data is of this moment.
    pub(crate) created_at: Timestamp,
    /// As the server, or the library of SQLite, states it.
    pub(crate) server_version: String,
    /// Of `pg_dump`; none for SQLite.
    pub(crate) dump_version: Option<String>,
    /// HEAD of the checkout that made it; none outside of git.
    pub(crate) release: Option<String>,
    /// What was applied, in the order of the versions. The last one is the schema's version.
    pub(crate) migrations: Vec<Applied>,
    pub(crate) content: Content,
    pub(crate) dump: Dump,
    /// From the connection to the end of the proof.
    pub(crate) took_ms: u64,
}

/// The file with the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dump {
    /// Its name, in the folder of the manifest.
    pub(crate) file: String,
    pub(crate) bytes: u64,
    /// In hexadecimal.
    pub(crate) sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Environment", rename_all = "lowercase")]
enum EnvironmentForm {
    Dev,
    Staging,
    Prod,
}

/// The file: the manifest, and SHA-256 over its compact JSON. It is no secret, so it makes an edit
/// deliberate, and tells one that is not.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    manifest: Manifest,
    digest: String,
}

impl Manifest {
    pub(super) const FORMAT: u32 = FORMAT;

    /// The text of the file.
    pub(super) fn to_text(&self) -> Result<String> {
        let sealed = Sealed {
            manifest: self.clone(),
            digest: self.digest()?,
        };
        let text = serde_json::to_string_pretty(&sealed);
        Ok(text.context("failed to write the manifest as JSON")? + "\n")
    }

    /// Reads a manifest that is as it was written.
    ///
    /// # Errors
    /// Exit 3 when it is not there, exit 1 when it is not as it was written.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let text = std::fs::read_to_string(path).with_context(|| {
            Problem::precondition(format!("failed to read the manifest `{name}`"))
                .help("name the `.json` of a backup; cargo xtask db backup makes one")
        })?;
        let red = |what: String| {
            Problem::new(Code::Red, what)
                .help("take another backup of this database, or make one: cargo xtask db backup")
        };
        let sealed: Sealed = serde_json::from_str(&text)
            .with_context(|| red(format!("`{name}` is no manifest of a backup")))?;
        let manifest = sealed.manifest;
        if manifest.format != FORMAT {
            return Err(Problem::precondition(format!(
                "`{name}` has the form {}, and {FORMAT} is known here",
                manifest.format
            ))
            .help("read it with the release that wrote it")
            .into());
        }
        if manifest.digest()? != sealed.digest {
            return Err(red(format!("`{name}` was changed after it was written")).into());
        }
        Ok(manifest)
    }

    fn digest(&self) -> Result<String> {
        let text = serde_json::to_string(self).context("failed to write the manifest as JSON")?;
        Ok(marker::hex(&Sha256::digest(text)))
    }
}
