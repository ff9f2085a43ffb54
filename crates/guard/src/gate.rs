//! What happens between the match of a route and its handler.

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::SystemTime;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use metrics::counter;
use tower::Service;

use crate::headers::forbid_storing;
use crate::rate::Caller;
use crate::route::{self, Route};
use crate::{
    Access, Authenticated, ClientAddr, Csrf, Deny, Guards, Identity, Problem, csrf, webhook,
};

/// The guard of one route, around its handler.
#[derive(Clone)]
pub(crate) struct Gate<S> {
    pub(crate) route: Arc<Route>,
    pub(crate) guards: Arc<Guards>,
    pub(crate) handler: S,
}

impl<S> Service<Request> for Gate<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (parts, body) = request.into_parts();
        // Boxed, so that the future does not hold the head of the request once for each step.
        let stand = self.clone().stand(Box::new(parts), body);
        Box::pin(async move { Ok(stand.await) })
    }
}

impl<S> Gate<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    /// Runs the handler if the policy lets the request through. The time-out spans all of it, so a
    /// session store or a body that hangs is finalised like a handler that does.
    async fn stand(mut self, parts: Box<Parts>, body: Body) -> Response {
        route::found(&self.route);
        let timeout = self.route.policy.timeout;
        // What a change is answered with is its sender's alone: tokens, a session, a receipt.
        let is_storable = !self.route.policy.access.is_private() && parts.method.is_safe();
        let admission = Admission {
            guards: &self.guards,
            route: &self.route,
        };
        // Outside of the work, so that it is there whatever becomes of that.
        let set_cookie = OnceLock::new();
        let work = pin!(async {
            match admission.admit(parts, body, &set_cookie).await {
                Ok(request) => self
                    .handler
                    .call(request)
                    .await
                    .unwrap_or_else(|never| match never {}),
                Err(denial) => denial.into_response(),
            }
        });
        let outcome = tokio::time::timeout(timeout, caught(work)).await;
        let mut response = outcome.unwrap_or_else(|_| {
            tracing::warn!(timeout = ?timeout, "request timed out");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE)
                .detail("the request took too long and was given up")
                .retry_after(1)
                .into_response()
        });
        if let Some(cookie) = set_cookie.get()
            && !response.headers().contains_key(header::SET_COOKIE)
        {
            response
                .headers_mut()
                .insert(header::SET_COOKIE, cookie.clone());
        }
        if !is_storable {
            forbid_storing(response.headers_mut());
        }
        response
    }
}

/// Turns a panic into an answer: one request's fault does not end the others on its connection.
fn caught(mut work: Pin<&mut impl Future<Output = Response>>) -> impl Future<Output = Response> {
    poll_fn(move |cx| {
        // The future is not polled again after a panic, so nobody sees what it left behind.
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))).unwrap_or_else(|_| {
            // `telemetry` has logged where, and what may be told of it.
            Poll::Ready(Problem::new(StatusCode::INTERNAL_SERVER_ERROR).into_response())
        })
    })
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

/// The checks of one route, in their order.
struct Admission<'a> {
    guards: &'a Guards,
    route: &'a Route,
}

impl Admission<'_> {
    async fn admit(
        &self,
        mut parts: Box<Parts>,
        body: Body,
        set_cookie: &OnceLock<HeaderValue>,
    ) -> Result<Request, Denial> {
        let found = self.authenticate(&mut parts).await?;
        if let Some(cookie) = found.set_cookie {
            set_cookie.get_or_init(|| cookie);
        }
        // Before the verdict on access, so that guessing tokens is slowed down as well.
        self.count(&parts, found.identity.as_ref()).await?;
        self.check_access(found.identity.as_ref())?;
        self.check_length(&parts)?;
        let body = self.check_sender(&mut parts, body).await?;
        if let Some(identity) = found.identity {
            parts.extensions.insert(identity);
        }
        if body.is_end_stream() {
            return Ok(Request::from_parts(*parts, body));
        }
        let body = Body::new(Limited::new(body, self.route.policy.body_limit));
        let mut request = Request::from_parts(*parts, body);
        // Ours holds for every way of reading the body; axum's own would cap policies that allow
        // more.
        DefaultBodyLimit::disable().apply(&mut request);
        Ok(request)
    }

    async fn authenticate(&self, parts: &mut Parts) -> Result<Authenticated, Problem> {
        if self.route.policy.access.is_private() {
            self.guards.authenticator.authenticate(parts).await
        } else {
            Ok(Authenticated::default())
        }
    }

    async fn count(&self, parts: &Parts, identity: Option<&Identity>) -> Result<(), Problem> {
        let caller = identity.map_or_else(
            || Caller::at(parts.extensions.get::<ClientAddr>().copied()),
            |identity| Caller::Subject(identity.subject.clone()),
        );
        self.guards.count(self.route, caller).await
    }

    fn check_access(&self, identity: Option<&Identity>) -> Result<(), Denial> {
        match (self.route.policy.access, identity) {
            (Access::Public(_) | Access::Webhook(_), _) | (Access::SignedIn, Some(_)) => Ok(()),
            (Access::Role(role), Some(identity)) if identity.role == role => Ok(()),
            (Access::Role(_), Some(_)) => {
                let denied = Problem::new(StatusCode::FORBIDDEN);
                Err(denied.detail("your role does not allow this").into())
            }
            (Access::SignedIn | Access::Role(_), None) => Err(match self.guards.deny {
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
        if announced.is_some_and(|length| length > self.route.policy.body_limit) {
            return Err(self.too_long());
        }
        Ok(())
    }

    /// Holds the body against who claims to have sent it: a provider's signature, or the token of a
    /// form. Gives the body back whole.
    async fn check_sender(&self, parts: &mut Parts, body: Body) -> Result<Body, Problem> {
        if let Access::Webhook(provider) = self.route.policy.access {
            let body = self.read(body).await?;
            // `finish` has seen to it that there is one.
            let key = self.guards.webhook_keys.get(provider);
            let verified = key.ok_or(webhook::Refusal::BadSignature).and_then(|key| {
                webhook::verify(provider, key, &parts.headers, &body, SystemTime::now())
            });
            let delivery = verified.inspect_err(|refusal| {
                let result = refusal.as_str();
                counter!("webhook_deliveries_total", "provider" => provider, "result" => result)
                    .increment(1);
            })?;
            parts.extensions.insert(delivery);
            return Ok(body.into());
        }
        if !csrf::applies_to(&parts.method) {
            return Ok(body);
        }
        match self.guards.authenticator.csrf(parts) {
            Csrf::NotNeeded => Ok(body),
            Csrf::Required(token) => {
                csrf::check_origin(&parts.headers, self.guards.env)?;
                let token = token.ok_or_else(csrf::without_token)?;
                let body = self.read(body).await?;
                csrf::check_token(&token, &body)?;
                Ok(body.into())
            }
        }
    }

    async fn read(&self, body: Body) -> Result<Bytes, Problem> {
        let collected = Limited::new(body, self.route.policy.body_limit).collect();
        match Box::pin(collected).await {
            Ok(whole) => Ok(whole.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(self.too_long()),
            Err(_) => Err(Problem::new(StatusCode::BAD_REQUEST).detail("the body ended early")),
        }
    }

    fn too_long(&self) -> Problem {
        let limit = self.route.policy.body_limit;
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE)
            .detail(format!("at most {limit} bytes are accepted"))
    }
}
