//! A browser without JavaScript, and what it sees of a page.

use crate::{Answer, Http};

/// Keeps cookies and sends the forms it is shown. Each method panics when there is no answer.
#[derive(Debug)]
pub struct Browser(pub Http);

impl Browser {
    /// A browser of the server at `base`, such as `http://127.0.0.1:4711`, that was never there.
    pub fn new(base: impl Into<String>) -> Browser {
        Browser(Http::with_cookies(base))
    }

    /// Asks for a page, and goes no further.
    pub async fn get(&self, path: &str) -> Answer {
        self.0.get(path).await
    }

    /// The HTML of a page that must be there.
    ///
    /// # Panics
    /// When it is not.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text()
    }

    /// Sends the form with this action that `html` shows, with these fields filled in. Its tokens,
    /// `csrf` and `once`, go with it.
    ///
    /// # Panics
    /// When there is no such form.
    pub async fn send(&self, html: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let form = form(html, action);
        let tokens = ["csrf", "once"].into_iter();
        let tokens = tokens.filter_map(|name| Some((name, find(form, name)?)));
        let fields: Vec<_> = fields.iter().copied().chain(tokens).collect();
        self.0.post_form(action, &fields).await
    }

    /// Opens a page, and sends its form with this action.
    ///
    /// # Panics
    /// When there is no such page or form.
    pub async fn submit(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(&self.page(page).await, action, fields).await
    }

    /// Signs in, where the page for it is `/sign-in`.
    ///
    /// # Panics
    /// When that shows no form.
    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        let fields = [("email", email), ("password", password)];
        self.submit("/sign-in", "/sign-in", &fields).await
    }
}

/// The part of a page that is its first form with this action.
///
/// # Panics
/// When there is none.
#[track_caller]
pub fn form<'a>(html: &'a str, action: &str) -> &'a str {
    let Some((_, form)) = html.split_once(&format!("action=\"{action}\"")) else {
        panic!("no form leads to `{action}`: {html}")
    };
    form.split_once("</form>").map_or(form, |(form, _)| form)
}

/// The value of the first hidden field of this name.
///
/// # Panics
/// When there is none.
#[track_caller]
pub fn hidden<'a>(html: &'a str, name: &str) -> &'a str {
    find(html, name).unwrap_or_else(|| panic!("no hidden field `{name}`: {html}"))
}

fn find<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let field = format!("type=\"hidden\" name=\"{name}\" value=\"");
    let (_, rest) = html.split_once(&field)?;
    rest.split('"').next()
}
