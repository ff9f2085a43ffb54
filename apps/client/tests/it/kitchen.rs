//! A kitchen of its own for each test: a seeded database, `api` on it, and `client` before it.

use api::Resources;
use axum::body::Bytes;
use axum::http::Method;
use contract::{NewSession, Order, Tokens};
use flags::Flags;
use serve::Health;
use settings::{ApiSettings, AppEnv, ClientSettings, Settings as _};
use store::{Environment, Store};
use testkit::{Answer, Browser, Database, Http, Served};

pub(crate) const KEY: &str = "a-key-that-nothing-but-tests-knows";
pub(crate) const CUSTOMER: &str = "customer@example.test";
pub(crate) const STAFF: &str = "staff@example.test";
pub(crate) const PASSWORD: &str = "pancakes-for-all";
pub(crate) const COOKIE: &str = "client-session";

pub(crate) struct Kitchen {
    pub(crate) database: Database,
    pub(crate) api: Served,
    pub(crate) client: Served,
}

impl Kitchen {
    /// With preorders, as on a developer's machine.
    pub(crate) async fn open() -> Self {
        Self::open_as(AppEnv::Local).await
    }

    /// With the flags of an environment.
    pub(crate) async fn open_as(flags: AppEnv) -> Self {
        let database = testkit::sqlite().await;
        database
            .execute(include_str!("../../../../migrations/seed.sql"))
            .await;
        let flags = Flags::load(flags).unwrap();
        let store = Store::connect(database.url(), Environment::Dev)
            .await
            .unwrap();
        let settings = ApiSettings::from_source(&|name| match name {
            "API_TOKEN_KEY" | "API_PAYMENTS_KEY" => Some(KEY.to_owned()),
            _ => None,
        });
        let resources = Resources {
            store,
            flags: flags.clone(),
            rates: None,
        };
        let api = api::app(&settings.unwrap(), &resources, &health());
        let api = Served::start(api).await;
        let client = client::app(&settings_for(&api.url()), &flags, None, &health());
        Self {
            database,
            api,
            client: Served::start(client).await,
        }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.client.url())
    }

    /// A browser in which the seeded customer is signed in.
    pub(crate) async fn customer(&self) -> Browser {
        let browser = self.browser();
        let answer = browser.sign_in(CUSTOMER, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }

    /// `api` without a page before it, for what staff do meanwhile and for what it knows.
    pub(crate) async fn api_as(&self, email: &str) -> Direct {
        let http = Http::new(self.api.url());
        let proof = NewSession {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let body = serde_json::to_string(&proof).unwrap();
        let json = [("content-type", "application/json")];
        let answer = http.send(Method::POST, "/v1/sessions", &json, body).await;
        let tokens: Tokens = serde_json::from_slice(&answer.body).unwrap();
        Direct {
            http,
            bearer: format!("Bearer {}", tokens.access_token),
        }
    }
}

pub(crate) fn health() -> Health {
    Health::new("", Vec::new())
}

/// A client of the `api` there.
pub(crate) fn settings_for(api: &str) -> ClientSettings {
    let settings = ClientSettings::from_source(&|name| match name {
        "CLIENT_SESSION_KEY" => Some(KEY.to_owned()),
        "API_URL" => Some(api.to_owned()),
        _ => None,
    });
    settings.unwrap()
}

pub(crate) struct Direct {
    http: Http,
    bearer: String,
}

impl Direct {
    pub(crate) async fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        let headers = [
            ("authorization", self.bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let body = Bytes::from(body.to_owned());
        self.http.send(method, path, &headers, body).await
    }

    pub(crate) async fn orders(&self) -> Vec<Order> {
        let answer = self.send(Method::GET, "/v1/orders", "").await;
        let page: contract::Page<Order> = serde_json::from_slice(&answer.body).unwrap();
        page.items
    }
}
