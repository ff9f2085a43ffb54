//! HTTP to `api`, over a private network: bounded in time and size.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use telemetry::RequestId;
use tokio::time::{Instant, timeout_at};

use crate::{Api, ApiError, ApiProblem};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Less than a request of ours may take, so that whoever waits is told what is wrong.
const TIMEOUT: Duration = Duration::from_secs(8);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Less than `api` keeps an idle connection: one that it is about to close would lose a request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// A page of a hundred rows has a fraction of it.
const MAX_ANSWER: usize = 1024 * 1024;

/// Connections to `api`, shared by all requests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ApiClient {
    http: Client<HttpConnector, Full<Bytes>>,
    url: String,
    timeout: Duration,
}

/// One request, and on whose behalf.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// With its query.
    pub(crate) path: &'a str,
    pub(crate) body: Bytes,
    pub(crate) token: Option<&'a str>,
    pub(crate) address: Option<IpAddr>,
    /// Makes `api` do it once, however often it is asked to.
    pub(crate) idempotency_key: Option<&'a str>,
    /// When it is given up; without, after the client's time-out.
    pub(crate) deadline: Option<Instant>,
}

impl ApiClient {
    /// A client of the `api` behind this `http://` URL. Connects when it is first used.
    pub fn new(url: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
            timeout: TIMEOUT,
        }
    }

    /// Gives up after this long; eight seconds unless told. All calls on behalf of one request of a
    /// browser's share that time.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// For calls on behalf of no one.
    pub fn anonymous(&self) -> Api {
        Api::new(self.clone())
    }

    /// When calls that begin now are given up.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Makes one call; anything but success is an error.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Bytes, ApiError> {
        let deadline = call.deadline.unwrap_or_else(|| self.deadline());
        let request = self.request(call)?;
        let answer = timeout_at(deadline, self.exchange(request)).await;
        let (parts, body) = answer.map_err(ApiError::unreachable)??.into_parts();
        if parts.status.is_success() {
            return Ok(body);
        }
        let problem: ApiProblem = parse(&body)?;
        let retry_after = parts.headers.get(RETRY_AFTER);
        Err(ApiError::Problem(ApiProblem {
            status: parts.status,
            retry_after: retry_after.and_then(|seconds| seconds.to_str().ok()?.parse().ok()),
            ..problem
        }))
    }

    fn request(&self, call: Call<'_>) -> Result<Request<Full<Bytes>>, ApiError> {
        let mut request = Request::builder()
            .method(call.method)
            .uri(format!("{}{}", self.url, call.path));
        if !call.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(token) = call.token {
            let mut bearer =
                HeaderValue::try_from(format!("Bearer {token}")).map_err(ApiError::unreachable)?;
            bearer.set_sensitive(true);
            request = request.header(AUTHORIZATION, bearer);
        }
        // Else its rate limits would count this service, and one visitor could use them up for all.
        // Believed where this service is among the `TRUSTED_PROXIES` of `api`.
        if let Some(address) = call.address {
            request = request.header(X_FORWARDED_FOR, address.to_string());
        }
        if let Some(key) = call.idempotency_key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(id) = RequestId::current() {
            request = request.header(X_REQUEST_ID, id.as_str());
        }
        request
            .body(Full::new(call.body))
            .map_err(ApiError::unreachable)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, ApiError> {
        let response = self.send(request).await.map_err(ApiError::unreachable)?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER)
            .collect()
            .await
            .map_err(ApiError::unreadable)?
            .to_bytes();
        Ok(Response::from_parts(parts, body))
    }

    /// A pooled connection may have died without our hearing of it. Asking once more is harmless
    /// for a question, and only for that: a lost answer does not say whether an order was placed.
    async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<hyper::body::Incoming>, Error> {
        let again = (request.method() == Method::GET).then(|| request.clone());
        match (self.http.request(request).await, again) {
            (Err(error), Some(again)) if !error.is_connect() => self.http.request(again).await,
            (answer, _) => answer,
        }
    }
}

/// Reads JSON.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(ApiError::unreadable)
}

/// Writes JSON.
pub(crate) fn json(body: &impl Serialize) -> Result<Bytes, ApiError> {
    let json = serde_json::to_vec(body).map_err(ApiError::unreachable)?;
    Ok(json.into())
}
