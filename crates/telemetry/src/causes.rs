//! Errors as they are written in a log.

use std::error::Error;
use std::iter;

/// An error and its causes in one line. A cause that the text before it quotes already is not
/// repeated.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in iter::successors(error.source(), |&cause| cause.source()) {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
