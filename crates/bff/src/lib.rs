//! What the surfaces with pages share ("backend for frontend"): the way to `api`, the session of a
//! browser, and the frame of a page.
//!
//! A browser never talks to `api`. It holds one encrypted cookie; the tokens in it are used, and
//! renewed, from here.

mod api;
mod client;
mod error;
mod form;
mod input;
mod once;
mod page;
mod session;
mod show;
pub mod sign_in;
mod start;

pub use api::Api;
pub use client::ApiClient;
pub use error::{ApiError, ApiProblem};
pub use form::{Errors, Form};
pub use input::Input;
pub use page::{Link, Page, Profile, assets};
pub use session::{Bff, Session};
pub use show::{amount, cents, moment, money};
pub use start::start;
