//! The headers that every answer carries, whatever the handler did.

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

/// Sets them all, over whatever is there.
pub(crate) fn harden(headers: &mut HeaderMap, env: AppEnv) {
    // Not `extend`, which would leave a handler's own value beside ours.
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    if !env.is_local() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

/// For answers that are one caller's business, and for errors, which should not outlive their
/// cause.
pub(crate) fn forbid_storing(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
