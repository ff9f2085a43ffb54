//! The frame of every page, and the two files it links.

use std::fmt::Display;

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use contract::Role;
use guard::{GuardedRouter, Problem, public};

use crate::Session;

const STYLESHEET: &str = include_str!("../assets/style.css");
const ICON: &str = include_str!("../assets/icon.svg");

/// What makes one surface another than the next.
#[derive(Debug)]
pub struct Profile {
    /// Its name, in the header and in the title of every page.
    pub title: &'static str,
    /// Where one can go from every page.
    pub links: &'static [Link],
    /// Who may sign in; everyone unless told.
    pub admits: Option<Role>,
    /// Where accounts are opened, if they are.
    pub sign_up: Option<&'static str>,
}

/// A link in the header.
#[derive(Debug)]
pub struct Link {
    /// Where it leads.
    pub path: &'static str,
    /// What it says: the title of the page it leads to.
    pub label: &'static str,
}

/// A page: a template in the frame of the surface. A handler's answer.
#[must_use]
pub struct Page<T> {
    profile: &'static Profile,
    session: Option<Session>,
    title: String,
    status: StatusCode,
    notice: Option<&'static str>,
    alert: Option<String>,
    body: T,
}

#[derive(Template)]
#[template(path = "layout.html")]
struct Layout<'a, T: Display> {
    profile: &'static Profile,
    title: &'a str,
    name: Option<&'a str>,
    csrf: Option<&'a str>,
    notice: Option<&'static str>,
    alert: Option<&'a str>,
    body: &'a T,
}

impl Session {
    /// A page for the browser of this session.
    pub fn page<T: Template + Display>(self, title: impl Into<String>, body: T) -> Page<T> {
        let profile = self.profile();
        Page {
            session: Some(self),
            ..profile.page(title, body)
        }
    }
}

impl Profile {
    /// A page that is the same for everyone.
    pub fn page<T: Template + Display>(
        &'static self,
        title: impl Into<String>,
        body: T,
    ) -> Page<T> {
        Page {
            profile: self,
            session: None,
            title: title.into(),
            status: StatusCode::OK,
            notice: None,
            alert: None,
            body,
        }
    }
}

impl<T> Page<T> {
    /// Answers with this status; 200 unless told.
    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Says what has been done.
    pub fn notice(self, notice: Option<&'static str>) -> Self {
        Self { notice, ..self }
    }

    /// Says what went wrong.
    pub fn alert(self, alert: Option<String>) -> Self {
        Self { alert, ..self }
    }
}

impl<T: Template + Display> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let layout = Layout {
            profile: self.profile,
            title: &self.title,
            name: self.session.as_ref().and_then(Session::name),
            csrf: self.session.as_ref().map(Session::csrf),
            notice: self.notice,
            alert: self.alert.as_deref(),
            body: &self.body,
        };
        let html = match layout.render() {
            Ok(html) => Html(html),
            Err(error) => return Problem::internal(&error).into_response(),
        };
        match self.session {
            Some(session) => (self.status, session, html).into_response(),
            None => (self.status, html).into_response(),
        }
    }
}

/// The stylesheet and the icon, which every page links.
pub fn assets<S: Clone + Send + Sync + 'static>() -> GuardedRouter<S> {
    GuardedRouter::new()
        .get(
            "/style.css",
            public("the sign-in page is styled before anyone is signed in"),
            async || asset("text/css; charset=utf-8", STYLESHEET),
        )
        .get(
            "/icon.svg",
            public("browsers show the icon beside every page's title"),
            async || asset("image/svg+xml", ICON),
        )
}

fn asset(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, text)
}
