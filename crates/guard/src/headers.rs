//! The headers that every answer carries, whatever the handler did.

use std::mem;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use settings::AppEnv;

/// Everything our pages load is their own; nothing may frame them.
const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                   base-uri 'none'; frame-ancestors 'none'";

const ALWAYS: [(HeaderName, HeaderValue); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CSP),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // Not `no-referrer`: browsers then send `origin: null`, and a CSRF check has nothing to go by.
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-embedder-policy"),
        HeaderValue::from_static("require-corp"),
    ),
];

/// Two years, the least that browsers' preload lists take.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// The headers of every answer in an environment.
pub(crate) fn hardened(env: AppEnv) -> HeaderMap {
    // Room for what an answer has of its own: the clones inherit it.
    let mut headers = HeaderMap::with_capacity(2 * ALWAYS.len());
    headers.extend(ALWAYS);
    if !env.is_local() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    headers
}

/// Sets them all, over whatever is there: a handler's own value does not stay beside ours. Adds the
/// answer's headers to a copy of ours, which is less work than adding ours one by one.
pub(crate) fn harden(headers: &mut HeaderMap, hardened: &HeaderMap) {
    let own = mem::replace(headers, hardened.clone());
    let mut name = None;
    for (next, value) in own {
        // Without a name it is one more value of the one before.
        name = next.or(name);
        if let Some(name) = &name
            && !hardened.contains_key(name)
        {
            headers.append(name, value);
        }
    }
}

/// For answers that are one caller's business, and for errors, which should not outlive their
/// cause.
pub(crate) fn forbid_storing(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
