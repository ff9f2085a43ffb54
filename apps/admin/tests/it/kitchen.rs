//! A kitchen of its own for each test: a seeded database, `api` on it, and `admin` before it.

use api::Resources;
use flags::Flags;
use serve::Health;
use settings::{AdminSettings, ApiSettings, AppEnv, Settings as _};
use store::{Marker, Store};
use testkit::{Answer, Database, Http, Served};

pub(crate) const KEY: &str = "a-key-that-nothing-but-tests-knows";
pub(crate) const CUSTOMER: &str = "customer@example.test";
pub(crate) const STAFF: &str = "staff@example.test";
pub(crate) const PASSWORD: &str = "pancakes-for-all";
pub(crate) const COOKIE: &str = "admin-session";

pub(crate) struct Kitchen {
    pub(crate) database: Database,
    pub(crate) admin: Served,
    _api: Served,
}

impl Kitchen {
    pub(crate) async fn open() -> Self {
        let database = testkit::sqlite().await;
        database
            .execute(include_str!("../../../../migrations/seed.sql"))
            .await;
        let resources = Resources {
            store: Store::connect(database.url(), Marker::Dev).await.unwrap(),
            flags: Flags::load(AppEnv::Local).unwrap(),
            rates: None,
        };
        let settings = ApiSettings::from_source(&|name| match name {
            "API_TOKEN_KEY" | "API_PAYMENTS_KEY" => Some(KEY.to_owned()),
            _ => None,
        });
        let health = Health::new("", Vec::new());
        let api = Served::start(api::app(&settings.unwrap(), &resources, &health)).await;
        let settings = AdminSettings::from_source(&|name| match name {
            "ADMIN_SESSION_KEY" => Some(KEY.to_owned()),
            "API_URL" => Some(api.url()),
            _ => None,
        });
        let admin = admin::app(&settings.unwrap(), None, &health);
        Self {
            database,
            admin: Served::start(admin).await,
            _api: api,
        }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser(Http::with_cookies(self.admin.url()))
    }

    /// A browser in which the seeded member of staff is signed in.
    pub(crate) async fn staff(&self) -> Browser {
        let browser = self.browser();
        let answer = browser.sign_in(STAFF, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }
}

/// A browser without JavaScript: it keeps cookies and sends the forms it is shown.
pub(crate) struct Browser(pub(crate) Http);

impl Browser {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.0.get(path).await
    }

    /// A page that must be there.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text()
    }

    /// Sends what a form on `html` would, with these fields filled in.
    pub(crate) async fn send(&self, html: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        assert!(html.contains(&format!("action=\"{action}\"")), "{html}");
        let csrf = hidden(html, "csrf");
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", csrf)]).collect();
        self.0.post_form(action, &fields).await
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Answer {
        let page = self.page("/sign-in").await;
        let fields = [("email", email), ("password", password)];
        self.send(&page, "/sign-in", &fields).await
    }
}

/// The value of the first hidden field of this name.
#[track_caller]
pub(crate) fn hidden<'a>(html: &'a str, name: &str) -> &'a str {
    let field = format!("type=\"hidden\" name=\"{name}\" value=\"");
    let (_, rest) = html.split_once(&field).expect(html);
    rest.split('"').next().unwrap()
}

/// The part of a page that is the form with this action.
#[track_caller]
pub(crate) fn form<'a>(html: &'a str, action: &str) -> &'a str {
    let (_, rest) = html
        .split_once(&format!("action=\"{action}\""))
        .expect(html);
    rest.split("</form>").next().unwrap()
}
