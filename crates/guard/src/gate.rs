//! What happens between the match of a route and its handler.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http_body_util::Limited;
use settings::AppEnv;

use crate::headers::forbid_storing;
use crate::rate::{Caller, Limiter};
use crate::{Access, Authenticator, ClientAddr, Identity, Policy, Problem};

/// How an app turns a caller away, and in which form it answers errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deny {
    /// 401 and 403 as problem+json.
    Problem,
    /// 401 and 403 as a page: for an app without sign-in.
    Page,
    /// 303 to the sign-in page when signed out, 403 as a page for the wrong role.
    SignIn(&'static str),
}

/// What all routes of an app have in common.
pub(crate) struct Shared {
    pub(crate) authenticator: Box<dyn Authenticator>,
    pub(crate) deny: Deny,
    pub(crate) env: AppEnv,
    pub(crate) limiter: Limiter,
}

/// The guard of one route.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) policy: Policy,
    pub(crate) shared: Arc<Shared>,
}

/// Runs the handler if the policy lets the request through. The time-out spans all of it, so a
/// session store or a body that hangs is finalised like a handler that does.
pub(crate) async fn stand(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let outcome = tokio::time::timeout(gate.policy.timeout, async {
        match gate.admit(request).await {
            Ok(request) => next.run(request).await,
            Err(denial) => denial.into_response(),
        }
    });
    let mut response = outcome.await.unwrap_or_else(|_| {
        tracing::warn!(timeout = ?gate.policy.timeout, "request timed out");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE)
            .detail("the request took too long and was given up")
            .retry_after(1)
            .into_response()
    });
    if gate.is_private() {
        forbid_storing(response.headers_mut());
    }
    response
}

/// Why a request does not reach its handler.
enum Denial {
    Problem(Problem),
    SignIn(&'static str),
}

impl From<Problem> for Denial {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl IntoResponse for Denial {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::SignIn(path) => Redirect::to(path).into_response(),
        }
    }
}

impl Gate {
    async fn admit(&self, request: Request) -> Result<Request, Denial> {
        let (mut parts, body) = request.into_parts();
        let identity = if self.is_private() {
            self.shared.authenticator.authenticate(&parts).await?
        } else {
            None
        };
        // Before the verdict on access, so that guessing tokens is slowed down as well.
        self.count(&parts, identity.as_ref())?;
        self.check_access(identity.as_ref())?;
        self.check_length(&parts)?;
        if let Some(identity) = identity {
            parts.extensions.insert(identity);
        }
        let body = Body::new(Limited::new(body, self.policy.body_limit));
        let mut request = Request::from_parts(parts, body);
        // Ours holds for every way of reading the body; axum's own would cap policies that allow
        // more.
        DefaultBodyLimit::disable().apply(&mut request);
        Ok(request)
    }

    fn is_private(&self) -> bool {
        self.policy.access.reason().is_none()
    }

    fn count(&self, parts: &Parts, identity: Option<&Identity>) -> Result<(), Problem> {
        let caller = identity.map_or_else(
            || Caller::at(parts.extensions.get::<ClientAddr>().copied()),
            |identity| Caller::Subject(identity.subject.clone()),
        );
        self.shared
            .limiter
            .take(self.policy.rate, caller, Instant::now())
            .map_err(|wait| {
                Problem::new(StatusCode::TOO_MANY_REQUESTS)
                    .detail("too many requests")
                    .retry_after(wait.as_secs() + 1)
            })
    }

    fn check_access(&self, identity: Option<&Identity>) -> Result<(), Denial> {
        match (self.policy.access, identity) {
            (Access::Public(_), _) | (Access::SignedIn, Some(_)) => Ok(()),
            (Access::Role(role), Some(identity)) if identity.role == role => Ok(()),
            (Access::Role(_), Some(_)) => {
                let denied = Problem::new(StatusCode::FORBIDDEN);
                Err(denied.detail("your role does not allow this").into())
            }
            (Access::SignedIn | Access::Role(_), None) => Err(match self.shared.deny {
                Deny::SignIn(path) => Denial::SignIn(path),
                Deny::Problem | Deny::Page => Problem::new(StatusCode::UNAUTHORIZED)
                    .detail("sign in first")
                    .into(),
            }),
        }
    }

    /// Refuses a body that announces to be too long before any of it is read.
    fn check_length(&self, parts: &Parts) -> Result<(), Problem> {
        let announced = parts.headers.get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > self.policy.body_limit) {
            let limit = self.policy.body_limit;
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE)
                .detail(format!("at most {limit} bytes are accepted")));
        }
        Ok(())
    }
}
