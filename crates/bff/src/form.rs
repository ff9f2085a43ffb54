//! Forms: what was typed, and what is wrong with it.

use askama::Template;
use askama::filters::HtmlSafe;
use axum::http::StatusCode;

use crate::{ApiProblem, Input, Session};

/// Why a form was not accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    status: StatusCode,
    problem: Option<String>,
    fields: Vec<(String, String)>,
}

impl Errors {
    /// Something about the whole of it.
    pub fn problem(status: StatusCode, problem: impl Into<String>) -> Self {
        Self {
            status,
            problem: Some(problem.into()),
            fields: Vec::new(),
        }
    }

    /// Something about one field, which is to be typed anew: 422.
    pub fn field(field: &str, message: &str) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            problem: None,
            fields: vec![(field.to_owned(), message.to_owned())],
        }
    }

    /// What the page with the form is answered with: 200 if nothing is wrong.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What is wrong with the whole of it.
    pub fn into_problem(self) -> Option<String> {
        self.problem
    }

    fn of(&self, field: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let (_, message) = fields.find(|(name, _)| name == field)?;
        Some(message)
    }
}

impl From<ApiProblem> for Errors {
    fn from(problem: ApiProblem) -> Self {
        let fields: Vec<_> = problem
            .errors
            .into_iter()
            .map(|error| (error.field, error.message))
            .collect();
        let words = match problem.retry_after {
            Some(seconds) if problem.status == StatusCode::TOO_MANY_REQUESTS => {
                Some(format!("Too many tries. Please wait {seconds} seconds."))
            }
            _ if fields.is_empty() => Some(problem.detail.unwrap_or(problem.title)),
            _ => None,
        };
        Self {
            status: problem.status,
            problem: words,
            fields,
        }
    }
}

/// A form on a page. Written in a template it is what every form begins with: the CSRF token, and
/// what is wrong with the whole of it.
#[derive(Clone, Debug, Template)]
#[template(path = "form.html")]
pub struct Form {
    csrf: String,
    scope: Option<i64>,
    values: Vec<(&'static str, String)>,
    errors: Errors,
}

impl HtmlSafe for Form {}

impl Form {
    /// An empty one.
    pub fn new(session: &Session) -> Self {
        Self {
            csrf: session.csrf().to_owned(),
            scope: None,
            values: Vec::new(),
            errors: Errors::default(),
        }
    }

    /// Tells it from others of its kind on the same page.
    #[must_use]
    pub fn scope(self, id: i64) -> Self {
        let scope = Some(id);
        Self { scope, ..self }
    }

    /// Fills in a field. Never a password: it would stand in the page's source.
    #[must_use]
    pub fn value(mut self, field: &'static str, value: impl Into<String>) -> Self {
        self.values.push((field, value.into()));
        self
    }

    /// Says what is wrong.
    #[must_use]
    pub fn errors(self, errors: Errors) -> Self {
        Self { errors, ..self }
    }

    /// A field, by the `type` of its HTML input (or `textarea`), its name and its label.
    pub fn input<'a>(&'a self, kind: &'a str, name: &'a str, label: &'a str) -> Input<'a> {
        let id = match self.scope {
            Some(scope) => format!("{name}-{scope}"),
            None => name.to_owned(),
        };
        let mut values = self.values.iter();
        let value = values.find(|(field, _)| *field == name);
        let value = value.map_or("", |(_, value)| value);
        Input::new(id, kind, name, label, value, self.errors.of(name))
    }
}
