//! One field of a form, with its label, hint and error tied to it.

use std::fmt::Display;

use askama::Template;
use askama::filters::HtmlSafe;

/// A field, as it is written in a template. Required unless [`optional`](Self::optional).
#[derive(Debug, Template)]
#[template(path = "input.html")]
#[must_use]
pub struct Input<'a> {
    id: String,
    kind: &'a str,
    name: &'a str,
    label: &'a str,
    of: Option<&'a str>,
    value: &'a str,
    error: Option<&'a str>,
    hint: Option<&'a str>,
    is_required: bool,
    attributes: Vec<(&'static str, String)>,
}

impl HtmlSafe for Input<'_> {}

impl<'a> Input<'a> {
    pub(crate) const fn new(
        id: String,
        kind: &'a str,
        name: &'a str,
        label: &'a str,
        value: &'a str,
        error: Option<&'a str>,
    ) -> Self {
        Self {
            id,
            kind,
            name,
            label,
            of: None,
            value,
            error,
            hint: None,
            is_required: true,
            attributes: Vec::new(),
        }
    }

    /// Says what it is about, to those who hear the label without seeing where it stands.
    pub fn of(self, thing: &'a str) -> Self {
        let of = Some(thing);
        Self { of, ..self }
    }

    /// Explains what to type.
    pub fn hint(self, hint: &'a str) -> Self {
        let hint = Some(hint);
        Self { hint, ..self }
    }

    /// Says what is accepted, in place of `api`'s words: those may be for programmers.
    pub fn rule(self, rule: &'a str) -> Self {
        let error = self.error.map(|_| rule);
        Self { error, ..self }
    }

    /// May be left empty.
    pub fn optional(self) -> Self {
        Self {
            is_required: false,
            ..self
        }
    }

    /// Sets an attribute, such as `autocomplete` or `max`.
    pub fn set(mut self, attribute: &'static str, value: impl Display) -> Self {
        self.attributes.push((attribute, value.to_string()));
        self
    }

    /// A password goes one way only.
    fn shown_value(&self) -> &str {
        if self.kind == "password" {
            ""
        } else {
            self.value
        }
    }

    fn described_by(&self) -> String {
        let hint = self.hint.map(|_| format!("{}-hint", self.id));
        let error = self.error.map(|_| format!("{}-error", self.id));
        let both: Vec<_> = hint.into_iter().chain(error).collect();
        both.join(" ")
    }
}
