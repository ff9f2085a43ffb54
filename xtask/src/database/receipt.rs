//! The receipt of a deployment to staging: what was applied there, signed. Production takes no
//! migration without one.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ed25519_compact::{KeyPair, PublicKey, SecretKey, Seed, Signature};
use jiff::{SignedDuration, Timestamp};
use marker::Identity;
use serde::{Deserialize, Serialize};
use sqlx::migrate::AppliedMigration;

use super::clock;
use super::record::{Applied, IdentityForm};
use crate::cx::{Cx, write_atomic};
use crate::environment;
use crate::exit::Problem;
use crate::migrations::run::{Folder, is_same_text};
use crate::project::setup;

/// Where the seed of the signing key is: 32 bytes in hexadecimal. Staging's deployment alone has it.
pub(crate) const PRIVATE_KEY: &str = "RECEIPT_PRIVATE_KEY";
/// Where the key to check with is: 32 bytes in hexadecimal.
pub(crate) const PUBLIC_KEY: &str = "RECEIPT_PUBLIC_KEY";
/// Where the path of the receipt is, for production.
pub(crate) const PATH: &str = "STAGING_RECEIPT";

const FORMAT: u32 = 2;
/// The one environment that gives receipts.
const ENVIRONMENT: &str = "staging";

/// What a deployment of staging has done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Receipt {
    format: u32,
    environment: String,
    #[serde(with = "IdentityForm")]
    identity: Identity,
    /// See [`crate::migrations::run::Plan::hash`].
    plan_hash: String,
    /// Everything that the database has now, oldest first.
    applied: Vec<Applied>,
    /// HEAD, in hexadecimal.
    commit: String,
    /// RFC 3339, UTC.
    created_at: String,
    /// Of the backup that was made before, in hexadecimal.
    backup_sha256: String,
    took_s: Took,
}

/// What every format of a receipt has.
#[derive(Deserialize)]
struct Form {
    format: u32,
}

/// Seconds of each step.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Took {
    pub(crate) verify: f64,
    pub(crate) backup: f64,
    pub(crate) migrate: f64,
}

/// The file: the signature is over the very bytes of `payload`, which is JSON itself, so that
/// there is one way to read them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    payload: String,
    signature: String,
}

impl Receipt {
    /// Of what was applied just now to the database `identity`.
    pub(crate) fn new(
        identity: Identity,
        plan_hash: &str,
        applied: &[AppliedMigration],
        commit: &str,
        backup_sha256: &str,
        took: Took,
    ) -> Self {
        Self {
            format: FORMAT,
            environment: ENVIRONMENT.to_owned(),
            identity,
            plan_hash: plan_hash.to_owned(),
            applied: applied.iter().map(Applied::from).collect(),
            commit: commit.to_owned(),
            created_at: Timestamp::now().to_string(),
            backup_sha256: backup_sha256.to_owned(),
            took_s: took,
        }
    }

    /// Signs it and writes it below `target/xtask/receipts`.
    pub(crate) fn write(&self, cx: &Cx) -> Result<PathBuf> {
        let signed = sign(self, &private_key()?)?;
        let stamp = self.created_at.replace([':', '-'], "");
        let name = format!("{ENVIRONMENT}-{stamp}.json");
        let path = cx.state().join("receipts").join(name);
        write_atomic(&path, signed)?;
        Ok(path)
    }

    /// The receipt that the environment names, its signature checked.
    ///
    /// # Errors
    /// Exit 3: no path, no key, a file that cannot be read, or a signature that does not fit.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let path = environment::var(PATH).with_context(|| {
            Problem::precondition(format!(
                "{PATH} is not set: nothing shows that staging has these migrations"
            ))
            .help(format!(
                "cargo xtask deploy db in staging writes a receipt; set {PATH} to its path"
            ))
        })?;
        let text = std::fs::read_to_string(root.join(&path)).with_context(|| {
            Problem::precondition(format!("failed to read the staging receipt `{path}`")).help(
                format!("set {PATH} to the file that `deploy db` wrote in staging"),
            )
        })?;
        verify(&text, &public_key()?)
            .with_context(|| format!("the staging receipt `{path}` is refused"))
    }

    /// Whether it shows, now, that staging has each of the `pending` versions as it is here.
    ///
    /// # Errors
    /// Exit 3: it is of another environment, too old, of the future, or lacks a version.
    pub(crate) fn covers(&self, folder: &Folder, pending: &[i64], max_age_h: u32) -> Result<()> {
        if self.environment != ENVIRONMENT {
            return Err(Problem::precondition(format!(
                "the receipt is of `{}`, not of `{ENVIRONMENT}`",
                self.environment
            ))
            .help("cargo xtask deploy db in staging, then here with its receipt")
            .into());
        }
        self.is_recent(Timestamp::now(), max_age_h)?;
        let lacks = |version: &&i64| {
            let has = self
                .applied
                .iter()
                .find(|applied| applied.version == **version);
            !has.zip(folder.of(**version))
                .is_some_and(|(applied, (migration, _))| {
                    unhex(&applied.checksum)
                        .is_some_and(|checksum| is_same_text(migration, &checksum))
                })
        };
        let missing: Vec<String> = pending.iter().filter(lacks).map(i64::to_string).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Problem::precondition(format!(
            "staging has not applied, or not with this text: {}",
            missing.join(", ")
        ))
        .help("deploy this very commit to staging first: cargo xtask deploy db")
        .into())
    }

    fn is_recent(&self, now: Timestamp, max_age_h: u32) -> Result<()> {
        let created: Timestamp = self.created_at.parse().with_context(|| {
            Problem::precondition(format!("`{}` in the receipt is no time", self.created_at))
                .help("cargo xtask deploy db in staging writes a new one")
        })?;
        let age = clock::age("the receipt", created, now)?;
        if age > SignedDuration::from_hours(i64::from(max_age_h)) {
            return Err(Problem::precondition(format!(
                "the receipt is {} h old, and {max_age_h} h are allowed",
                age.as_hours()
            ))
            .help("cargo xtask deploy db in staging, then here with the new receipt")
            .into());
        }
        Ok(())
    }
}

fn sign(receipt: &Receipt, key: &SecretKey) -> Result<String> {
    let payload = serde_json::to_string(receipt).context("failed to render the receipt")?;
    let signature = marker::hex(key.sign(&payload, None).as_ref());
    let signed = Signed { payload, signature };
    serde_json::to_string_pretty(&signed).context("failed to render the receipt")
}

fn verify(text: &str, key: &PublicKey) -> Result<Receipt> {
    let refused = |why: &str| {
        Problem::precondition(why)
            .help("take the file as `deploy db` wrote it in staging, and the public key of that environment")
    };
    let signed: Signed = serde_json::from_str(text).with_context(|| refused("it is no receipt"))?;
    let signature = unhex(&signed.signature).unwrap_or_default();
    Signature::from_slice(&signature)
        .and_then(|signature| key.verify(&signed.payload, &signature))
        .map_err(|_| refused("its signature does not fit"))?;
    // Another format has other fields.
    let Form { format } = serde_json::from_str(&signed.payload)
        .with_context(|| refused("its payload is no receipt"))?;
    if format != FORMAT {
        let why = format!("its format is {format}, and {FORMAT} is known here");
        return Err(Problem::precondition(why)
            .help("deploy this very commit to staging: cargo xtask deploy db")
            .into());
    }
    serde_json::from_str(&signed.payload).with_context(|| refused("its payload is no receipt"))
}

/// The key that receipts are signed with.
///
/// # Errors
/// Exit 3, without a word of what is set.
pub(crate) fn private_key() -> Result<SecretKey> {
    Ok(KeyPair::from_seed(Seed::new(key(PRIVATE_KEY)?)).sk)
}

fn public_key() -> Result<PublicKey> {
    Ok(PublicKey::new(key(PUBLIC_KEY)?))
}

fn key(name: &str) -> Result<[u8; 32]> {
    let help = "cargo xtask deploy keygen makes a pair: the private key is a secret of staging's deployment, the public one is set in production's";
    let text = environment::var(name)
        .with_context(|| Problem::precondition(format!("{name} is not set")).help(help))?;
    unhex(text.trim())
        .and_then(|bytes| bytes.try_into().ok())
        .with_context(|| {
            Problem::precondition(format!("{name} is not 32 bytes in hexadecimal")).help(help)
        })
}

/// A new pair of keys, private and public, in hexadecimal.
pub(crate) fn new_pair() -> Result<(String, String)> {
    let private = setup::random()?;
    let seed = unhex(&private)
        .and_then(|bytes| bytes.try_into().ok())
        .context("failed to make a key")?;
    let public = marker::hex(KeyPair::from_seed(Seed::new(seed)).pk.as_ref());
    Ok((private, public))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(seed: u8) -> KeyPair {
        KeyPair::from_seed(Seed::new([seed; 32]))
    }

    fn receipt() -> Receipt {
        let identity = Identity {
            system: "7".to_owned(),
            database: "kitchen".to_owned(),
            server: "10.0.0.5:5432".to_owned(),
        };
        let applied = AppliedMigration {
            version: 1,
            checksum: b"sum".as_slice().into(),
        };
        Receipt::new(
            identity,
            "plan",
            &[applied],
            "commit",
            "backup",
            Took::default(),
        )
    }

    #[test]
    fn what_was_signed_is_taken_and_nothing_else() {
        let text = sign(&receipt(), &keys(1).sk).unwrap();
        verify(&text, &keys(1).pk).unwrap();
        verify(&text, &keys(2).pk).unwrap_err();
        for (from, to) in [
            ("\\\"version\\\":1", "\\\"version\\\":2"),
            ("kitchen", "kitchem"),
            ("payload\": \"", "payload\": \" "),
            ("signature\": \"", "signature\": \"00"),
        ] {
            let edited = text.replacen(from, to, 1);
            assert_ne!(edited, text, "{from}");
            let error = format!("{:#}", verify(&edited, &keys(1).pk).unwrap_err());
            assert!(error.contains("signature does not fit"), "{error}");
        }
        verify("", &keys(1).pk).unwrap_err();
    }

    #[test]
    fn a_receipt_of_another_format_is_called_so() {
        let payload = r#"{"format":1,"database":{"name":"kitchen"}}"#.to_owned();
        let signature = marker::hex(keys(1).sk.sign(&payload, None).as_ref());
        let text = serde_json::to_string(&Signed { payload, signature }).unwrap();
        let error = format!("{:#}", verify(&text, &keys(1).pk).unwrap_err());
        assert_eq!(error, "its format is 1, and 2 is known here");
    }

    #[test]
    fn a_receipt_has_its_time() {
        let receipt = receipt();
        let created: Timestamp = receipt.created_at.parse().unwrap();
        let at = |hours: i64| created + SignedDuration::from_hours(hours);
        receipt.is_recent(at(168), 168).unwrap();
        let old = format!("{:#}", receipt.is_recent(at(169), 168).unwrap_err());
        assert!(old.contains("169 h old"), "{old}");
        let early = format!("{:#}", receipt.is_recent(at(-1), 168).unwrap_err());
        assert!(early.contains("60 min in the future"), "{early}");
    }
}
