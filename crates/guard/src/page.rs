//! Small HTML pages. All text is escaped on its way in, so no page can be built from unescaped
//! input.

use std::fmt::Write as _;

use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

use crate::{GuardedRouter, public};

const STYLESHEET: &str = include_str!("page.css");

/// A page made of a heading and what is added to it.
#[derive(Debug)]
#[must_use]
pub struct Page {
    title: String,
    body: String,
}

impl Page {
    /// A page with this heading.
    pub fn new(title: &str) -> Self {
        Self {
            title: escaped(title),
            body: String::new(),
        }
    }

    /// Adds a paragraph.
    pub fn text(self, text: &str) -> Self {
        self.push(&format!("<p>{}</p>\n", escaped(text)))
    }

    /// Adds a list.
    pub fn list<T: AsRef<str>>(self, items: impl IntoIterator<Item = T>) -> Self {
        let mut list = String::from("<ul>\n");
        for item in items {
            let _ = writeln!(list, "<li>{}</li>", escaped(item.as_ref()));
        }
        self.push(&list).push("</ul>\n")
    }

    /// Adds a link. The target is a constant: escaping alone would not make a foreign one safe.
    pub fn link(self, target: &'static str, label: &str) -> Self {
        self.push(&format!(
            "<p><a href=\"{}\">{}</a></p>\n",
            escaped(target),
            escaped(label)
        ))
    }

    fn push(mut self, html: &str) -> Self {
        self.body.push_str(html);
        self
    }

    pub(crate) fn render(&self) -> String {
        let Self { title, body } = self;
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n\
             <main>\n<h1>{title}</h1>\n{body}</main>\n</html>\n"
        )
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        Html(self.render()).into_response()
    }
}

/// The route of the stylesheet that every page links.
pub fn stylesheet<S: Clone + Send + Sync + 'static>() -> GuardedRouter<S> {
    GuardedRouter::new().get(
        "/style.css",
        public("the sign-in page is styled before anyone is signed in"),
        async || {
            let headers = [
                (header::CONTENT_TYPE, "text/css; charset=utf-8"),
                (header::CACHE_CONTROL, "public, max-age=3600"),
            ];
            (headers, STYLESHEET)
        },
    )
}

fn escaped(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut html, c| {
            match c {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&#39;"),
                _ => html.push(c),
            }
            html
        })
}
