//! Who sends a request: guards for routers, and an argument for handlers.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

/// Tokens by whom they were given to.
#[derive(Clone, Default)]
pub struct Keys(Arc<Vec<(String, User)>>);

#[derive(Clone)]
pub struct User {
    pub name: String,
    pub is_staff: bool,
}

impl Keys {
    pub fn user(&self, headers: &HeaderMap) -> Option<User> {
        let token = headers.get("authorization")?.to_str().ok()?;
        let token = token.strip_prefix("Bearer ")?;
        self.0
            .iter()
            .find(|(known, _)| known == token)
            .map(|(_, user)| user.clone())
    }
}

/// Turns away whoever is not signed in.
pub async fn require_user(
    State(keys): State<Keys>,
    mut request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let user = keys
        .user(request.headers())
        .ok_or(StatusCode::UNAUTHORIZED)?;
    request.extensions_mut().insert(user);
    Ok(next.run(request).await)
}

/// Turns away whoever is no member of staff.
pub async fn require_staff(
    State(keys): State<Keys>,
    mut request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let Some(user) = keys.user(request.headers()) else {
        return Err(StatusCode::UNAUTHORIZED);
    };
    if !user.is_staff {
        return Err(StatusCode::FORBIDDEN);
    }
    request.extensions_mut().insert(user);
    Ok(next.run(request).await)
}

/// Notes who is there, and lets everybody in.
pub async fn note_user(State(keys): State<Keys>, mut request: Request, next: Next) -> Response {
    if let Some(user) = keys.user(request.headers()) {
        request.extensions_mut().insert(user);
    }
    next.run(request).await
}

/// A member of staff, for handlers that say so themselves.
pub struct Staff(pub User);

/// Whoever sends the request, if they are known.
pub struct Visitor(pub Option<User>);

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        match parts.extensions.get::<User>() {
            Some(user) if user.is_staff => Ok(Self(user.clone())),
            Some(_) => Err(StatusCode::FORBIDDEN),
            None => Err(StatusCode::UNAUTHORIZED),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        Ok(Self(parts.extensions.get::<User>().cloned()))
    }
}
