//! A client that does what it is told: it follows no redirect and hides no status.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::migrations::must;

/// Speaks to one server. Each method panics when there is no answer.
pub struct Http {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
    cookies: Option<Mutex<BTreeMap<String, String>>>,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Http {
    /// A client of the server at `base`, such as `http://127.0.0.1:4711`, that keeps no cookies.
    pub fn new(base: impl Into<String>) -> Http {
        Http {
            base: base.into(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            cookies: None,
        }
    }

    /// A client that sends back the cookies it was given, as a browser does, but over plain HTTP
    /// also those that are meant for TLS.
    pub fn with_cookies(base: impl Into<String>) -> Http {
        Http {
            cookies: Some(Mutex::default()),
            ..Http::new(base)
        }
    }

    /// Sends a request with exactly these headers, and the cookies it keeps.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let doing = format!("send {method} {path}");
        let mut request = Request::new(Full::new(body.into()));
        *request.method_mut() = method;
        *request.uri_mut() = must(&doing, format!("{}{path}", self.base).parse());
        for (name, value) in headers {
            let name: HeaderName = must(&doing, name.parse());
            let value: HeaderValue = must(&doing, value.parse());
            request.headers_mut().append(name, value);
        }
        if let Some(cookies) = self.cookie_header() {
            let cookies = must(&doing, cookies.parse());
            request.headers_mut().append(COOKIE, cookies);
        }
        let response = must(&doing, self.client.request(request).await);
        let (parts, body) = response.into_parts();
        let body = must(&doing, body.collect().await).to_bytes();
        self.keep_cookies(&parts.headers);
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// Sends a GET without headers.
    ///
    /// # Panics
    /// As [`Http::send`].
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    /// Posts a form as a page of this server would, with its `origin`.
    ///
    /// # Panics
    /// As [`Http::send`].
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let headers = [
            (CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded"),
            ("origin", &self.base),
        ];
        self.send(Method::POST, path, &headers, form).await
    }

    /// The value of a cookie that is kept.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar()?.get(name).cloned()
    }

    /// Puts a cookie in the place of one that is kept, if it keeps any.
    pub fn set_cookie(&self, name: &str, value: &str) {
        if let Some(mut jar) = self.jar() {
            jar.insert(name.to_owned(), value.to_owned());
        }
    }

    fn jar(&self) -> Option<MutexGuard<'_, BTreeMap<String, String>>> {
        let jar = self.cookies.as_ref()?;
        Some(jar.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn cookie_header(&self) -> Option<String> {
        let jar = self.jar()?;
        let pairs: Vec<_> = jar.iter().map(|(name, v)| format!("{name}={v}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        let Some(mut jar) = self.jar() else { return };
        for cookie in headers.get_all(SET_COOKIE) {
            let cookie = String::from_utf8_lossy(cookie.as_bytes());
            let (pair, attributes) = cookie.split_once(';').unwrap_or((&cookie, ""));
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let mut attributes = attributes.split(';').map(str::trim);
            if attributes.any(|attribute| attribute.eq_ignore_ascii_case("max-age=0")) {
                jar.remove(name.trim());
            } else {
                jar.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// The body as text; what is none is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        let doing = format!("read `{}` as JSON", self.text());
        must(&doing, serde_json::from_slice(&self.body))
    }

    /// The first header of this name; empty when there is none.
    ///
    /// # Panics
    /// When it is no text.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| must("read a header", value.to_str()))
    }

    /// It has each header that all answers of an app have, once. Says `what` was asked when not.
    ///
    /// # Panics
    /// When one is missing or there twice.
    #[track_caller]
    pub fn assert_headers(&self, what: &str) {
        for name in [
            "content-security-policy",
            "x-content-type-options",
            "x-frame-options",
            "referrer-policy",
            "permissions-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "cross-origin-embedder-policy",
            "x-request-id",
        ] {
            let count = self.headers.get_all(name).iter().count();
            assert_eq!(count, 1, "{what}: {name}");
        }
    }
}
