//! The last line of redaction: fields that are not on the list, messages that were not compiled in,
//! and credentials within texts are not written.

use std::borrow::Cow;
use std::fmt::{self, Debug, Write};

use super::literal::is_literal;
use super::scrub::{GONE, scrub};

/// Every field that is written. Add a name here only if its values can never be a person's or a
/// secret: the value of any other field is dropped, and counted.
pub(crate) fn is_listed(field: &str) -> bool {
    matches!(
        field,
        "addr"
            | "bytes"
            | "check"
            | "env"
            | "error"
            | "forced"
            | "latency_ms"
            | "location"
            | "method"
            | "open"
            | "panic"
            | "route"
            | "sha"
            | "status"
            | "timeout"
    )
}

/// How much of a value is looked at, and how much of that is written, in bytes.
const MAX_READ: usize = 8192;
const MAX_VALUE: usize = 1024;

/// What is written of a text.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    // First scrubbed, then cut: half a credential is not recognised.
    match scrub(up_to(text, MAX_READ)) {
        Cow::Borrowed(text) => up_to(text, MAX_VALUE).into(),
        Cow::Owned(mut text) => {
            text.truncate(text.floor_char_boundary(MAX_VALUE));
            text.into()
        }
    }
}

/// What is looked at of any other value, as a text that is not scrubbed yet.
pub(crate) fn shown_debug(value: &dyn Debug) -> String {
    let mut text = Bounded(String::new());
    // Stops at the bound, with an error that says no more than that.
    let _ = write!(text, "{value:?}");
    text.0
}

/// Writes a message without what was put into it at run time: the message is code, the rest is data.
pub(crate) fn push_literal(to: &mut impl Write, message: &dyn Debug) {
    let mut literals = Literals { to, gone: false };
    let _ = write!(literals, "{message:?}");
}

/// Passes on what was compiled in.
struct Literals<'a, W> {
    to: &'a mut W,
    /// The last part was left out.
    gone: bool,
}

impl<W: Write> Write for Literals<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if is_literal(text) {
            self.gone = false;
            return self.to.write_str(text);
        }
        if !std::mem::replace(&mut self.gone, true) {
            self.to.write_char(GONE)?;
        }
        Ok(())
    }
}

/// Takes no more than the bound, so that no value is formatted for nothing.
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_READ - self.0.len();
        self.0.push_str(up_to(text, room));
        if text.len() > room {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}

fn up_to(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
