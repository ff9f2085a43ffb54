//! What stands before every handler: identity, role, rate limit, body limit, time-out, security
//! headers.
//!
//! A route is registered together with its policy, so there is no way to have one without the
//! other:
//!
//! ```
//! use axum::body::Body;
//! use axum::http::{Request, StatusCode};
//! use guard::{Deny, GuardedRouter, Guards, public, signed_in};
//! use settings::AppEnv;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let app = GuardedRouter::new()
//!     .get("/menu", public("anyone may read the menu"), async || "pancakes")
//!     .get("/orders", signed_in(), async || "yours")
//!     .finish(Guards::new(Deny::Problem, AppEnv::Production));
//!
//! let get = async |path| {
//!     let request = Request::get(path).body(Body::empty()).unwrap();
//!     app.clone().oneshot(request).await.unwrap()
//! };
//! assert_eq!(get("/menu").await.status(), StatusCode::OK);
//! assert_eq!(get("/orders").await.status(), StatusCode::UNAUTHORIZED);
//! assert!(get("/nowhere").await.headers().contains_key("content-security-policy"));
//! # }
//! ```

mod answer;
mod app;
mod client_addr;
mod csrf;
mod gate;
mod guards;
mod headers;
mod identity;
mod page;
mod policy;
mod problem;
mod rate;
mod recent;
mod route;
mod router;
mod session_cookie;
mod tokens;
mod webhook;

pub use app::App;
pub use client_addr::ClientAddr;
pub use guards::{Deny, Guards};
pub use identity::{Authenticated, Authentication, Authenticator, Csrf, Identity, Role};
pub use policy::{Access, Policy, public, role, signed_in, webhook};
pub use problem::{FieldError, Problem};
pub use rate::{RateClass, SharedRates, Throttle};
pub use router::{GuardedRouter, RouteRecord};
pub use session_cookie::SessionCookie;
pub use tokens::{SignedTokens, TokenError, random_token};
pub use webhook::{Delivery, WebhookKey};
