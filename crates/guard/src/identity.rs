//! Who is calling.

use std::fmt;
use std::pin::Pin;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
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

/// The answer of an [`Authenticator`]: nobody, somebody, or a failure to find out.
pub type Authentication<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Identity>, Problem>> + Send + 'a>>;

/// Finds out who is calling. Each app supplies its own.
pub trait Authenticator: Send + Sync + 'static {
    /// Reads the identity from the head of a request.
    fn authenticate<'a>(&'a self, parts: &'a Parts) -> Authentication<'a>;
}

/// For an app that knows no callers: everyone is anonymous.
#[derive(Clone, Copy, Debug)]
pub struct NoIdentities;

impl Authenticator for NoIdentities {
    fn authenticate<'a>(&'a self, _: &'a Parts) -> Authentication<'a> {
        Box::pin(async { Ok(None) })
    }
}
