//! Who is calling.

use std::fmt;
use std::pin::Pin;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::Problem;

/// What an identity may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Orders meals.
    Customer,
    /// Runs the kitchen.
    Staff,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
        })
    }
}

/// A caller that has proven who it is. As a handler's argument it is the one its policy let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Names the caller.
    pub subject: String,
    /// What it may do.
    pub role: Role,
    /// The session that the proof belongs to, if it belongs to one.
    pub session: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a handler asks for an identity, but its route is public");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR)
        })
    }
}

/// What an [`Authenticator`] found out.
#[derive(Clone, Debug, Default)]
pub struct Authenticated {
    /// Who is calling, if anybody known.
    pub identity: Option<Identity>,
    /// For the answer, whatever it is, unless the handler sets a cookie itself.
    pub set_cookie: Option<HeaderValue>,
}

/// The answer of an [`Authenticator`], or its failure to find one.
pub type Authentication<'a> =
    Pin<Box<dyn Future<Output = Result<Authenticated, Problem>> + Send + 'a>>;

/// What a request that changes something must bring to show that its sender meant it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Csrf {
    /// Nothing: the app knows its callers by what no browser sends by itself.
    NotNeeded,
    /// This text in the form field `csrf`; without one, no form of ours was ever shown.
    Required(Option<String>),
}

/// Finds out who is calling. Each app supplies its own.
pub trait Authenticator: Send + Sync + 'static {
    /// Reads the identity from the head of a request. Asked for routes that are not public; what it
    /// puts into the extensions is there for the handler.
    fn authenticate<'a>(&'a self, parts: &'a mut Parts) -> Authentication<'a>;

    /// What a request that changes something must bring, on public routes, too.
    fn csrf(&self, _: &Parts) -> Csrf {
        Csrf::NotNeeded
    }
}

/// For an app that knows no callers: everyone is anonymous.
pub(crate) struct NoIdentities;

impl Authenticator for NoIdentities {
    fn authenticate<'a>(&'a self, _: &'a mut Parts) -> Authentication<'a> {
        Box::pin(async { Ok(Authenticated::default()) })
    }
}
