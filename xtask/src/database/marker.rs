//! What is said of a database that is not the one that was marked for here.

use marker::Refusal;

use super::Target;
use crate::exit::Problem;

/// The error of a refused database: exit 3.
pub(crate) fn refusal(target: &Target, refusal: &Refusal) -> Problem {
    Problem::precondition(format!("`{target}` is refused: {refusal}")).help(refusal.help())
}
