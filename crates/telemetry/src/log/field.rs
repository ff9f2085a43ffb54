//! The fields of an event, as they are written into its line.

use std::error::Error;
use std::fmt::{Debug, Display, Write};

use tracing::field::{Field, Visit};

use super::Form;
use super::escape::{Escaped, push_text};
use super::redact::{is_listed, push_literal, shown, shown_debug};
use crate::with_causes;

/// Writes the fields of one event behind what the line holds already.
pub(crate) struct Fields<'a> {
    line: &'a mut String,
    form: Form,
    dropped: u64,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(line: &'a mut String, form: Form) -> Self {
        Self {
            line,
            form,
            dropped: 0,
        }
    }

    /// How many fields were not written.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Begins a field, or counts it as dropped.
    fn begin(&mut self, field: &Field) -> bool {
        let known = is_listed(field.name());
        if known {
            self.form.begin_field(self.line, field.name());
        } else {
            self.dropped += 1;
        }
        known
    }

    fn number(&mut self, field: &Field, value: impl Display) {
        if self.begin(field) {
            let _ = write!(self.line, "{value}");
        }
    }

    fn text(&mut self, field: &Field, value: &str) {
        if self.begin(field) {
            push_text(self.line, &shown(value), self.form);
        }
    }

    fn message(&mut self, message: &dyn Debug) {
        self.form.begin_message(self.line);
        push_literal(&mut Escaped(self.line), message);
        self.form.end_text(self.line);
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message(&format_args!("{value}"));
        } else {
            self.text(field, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message(value);
        } else if is_listed(field.name()) {
            self.text(field, &shown_debug(value));
        } else {
            self.dropped += 1;
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.text(field, &with_causes(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.number(field, value);
        } else {
            self.number(field, "null");
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.number(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.number(field, value);
    }
}
