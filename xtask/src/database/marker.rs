//! What is said of a database that is not the one that was marked for here.

use marker::{Environment, Refusal};

use super::Target;
use crate::exit::Problem;

/// The error of a refused database: exit 3.
pub(crate) fn refusal(target: &Target, refusal: &Refusal) -> Problem {
    let help = match refusal {
        Refusal::Unmarked {
            expected: Environment::Dev,
        } => "if this is a database of yours: cargo xtask db mark dev".to_owned(),
        Refusal::Unmarked { expected } => {
            format!("check DATABASE_URL; a new database is marked once: cargo xtask db mark {expected}")
        }
        Refusal::Edited => {
            "put the row of `_env_marker` back; or, once you know whose data it is, cargo xtask db mark ENVIRONMENT --adopt".to_owned()
        }
        Refusal::Copy { environment, .. } => format!(
            "check DATABASE_URL; a copy that takes the place of the original is adopted: cargo xtask db mark {environment} --adopt; where a server's address changes, name it by DATABASE_SERVER_ID"
        ),
        Refusal::Wrong { .. } => {
            "check DATABASE_URL and APP_ENV; a marker is never changed to fit".to_owned()
        }
    };
    Problem::precondition(format!("`{target}` is refused: {refusal}")).help(help)
}
