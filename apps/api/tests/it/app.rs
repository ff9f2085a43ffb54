//! The app on one test's database.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use flags::Flags;
use guard::{App, Identity, Role, SignedTokens, WebhookKey};
use serde_json::Value;
use serve::Health;
use settings::{ApiSettings, Settings as _};
use store::{By, Environment, Store};
use testkit::{Answer, Database};
use tower::ServiceExt as _;

use crate::actors::{Anonymous, Customer, Provider, Staff};

/// Signs the access tokens of all tests.
pub(crate) const TOKEN_KEY: &str = "a-key-that-nothing-but-tests-knows";
/// Signs the payment provider's deliveries.
pub(crate) const PAYMENTS_KEY: &str = "a-provider-that-only-tests-hear-of";

/// A hash that no password has, at the least cost.
const NO_PASSWORD: &str =
    "$argon2id$v=19$m=8,t=1,p=1$bm8gcGFzc3dvcmQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The app on one test's database.
pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) store: Store,
    settings: ApiSettings,
    /// Removed with the app, where no other engine is tried.
    _database: Option<Database>,
}

impl TestApp {
    /// As in production, where preorders are not open yet.
    pub(crate) async fn on(database: &Database) -> Self {
        Self::in_env(database, "production").await
    }

    /// On a new SQLite database, for what is the same on each engine.
    pub(crate) async fn new() -> Self {
        let database = testkit::sqlite().await;
        let app = Self::on(&database).await;
        Self {
            _database: Some(database),
            ..app
        }
    }

    pub(crate) async fn in_env(database: &Database, env: &str) -> Self {
        let store = Store::connect(database.url(), Environment::Dev)
            .await
            .unwrap();
        let settings = ApiSettings::from_source(&|name| {
            let value = match name {
                "APP_ENV" => env,
                "DATABASE_URL" => "postgres://localhost/the-store-is-open-already",
                "API_TOKEN_KEY" => TOKEN_KEY,
                "API_PAYMENTS_KEY" => PAYMENTS_KEY,
                "RELEASE_SHA" => "abc123",
                _ => return None,
            };
            Some(value.to_owned())
        });
        Self::with(store, settings.unwrap())
    }

    fn with(store: Store, settings: ApiSettings) -> Self {
        let resources = api::Resources {
            store: store.clone(),
            flags: Flags::load(settings.common.app_env).unwrap(),
            rates: None,
        };
        let health = Health::new(&settings.common.release_sha, api::checks(&resources));
        Self {
            app: api::app(&settings, &resources, &health),
            store,
            settings,
            _database: None,
        }
    }

    /// The same app after its keys were changed.
    pub(crate) fn with_token_keys(&self, keys: &[&str]) -> Self {
        let mut settings = self.settings.clone();
        settings.token_keys = keys.iter().map(|&key| key.into()).collect();
        Self::with(self.store.clone(), settings)
    }

    pub(crate) fn anonymous(&self) -> Anonymous {
        Anonymous(Client::new(&self.app, None))
    }

    pub(crate) async fn customer(&self, name: &str) -> Customer {
        let identity = self.account(name, Role::Customer).await;
        let (client, _) = self.signed_in(&identity);
        Customer {
            client,
            id: identity.subject,
        }
    }

    pub(crate) async fn staff(&self) -> Staff {
        let identity = self.account("chef", Role::Staff).await;
        let (client, _) = self.signed_in(&identity);
        Staff {
            client,
            id: identity.subject,
        }
    }

    /// Opens an account without a password: hashing takes long, and few tests are about it.
    pub(crate) async fn account(&self, name: &str, role: Role) -> Identity {
        let new = store::NewAccount {
            email: &format!("{name}@example.test"),
            name,
            password_hash: NO_PASSWORD,
            role: match role {
                Role::Customer => store::Role::Customer,
                Role::Staff => store::Role::Staff,
            },
        };
        let account = self.store.add_account("a-test", &new).await.unwrap();
        let by = By {
            actor: &account.id,
            request_id: "a-test",
        };
        // Any text does for the hash of a token that nobody has.
        let session = self
            .store
            .open_session(&by, &account.id, Duration::from_hours(1));
        let session = session.await.unwrap();
        Identity {
            subject: account.id,
            role,
            session: Some(session),
        }
    }

    /// A client with an access token, and the token.
    pub(crate) fn signed_in(&self, identity: &Identity) -> (Client, String) {
        let tokens = SignedTokens::new(&self.settings.token_keys);
        let token = tokens.issue(identity, Duration::from_mins(15)).unwrap();
        (self.bearer(&token), token)
    }

    pub(crate) fn bearer(&self, access_token: &str) -> Client {
        Client::new(&self.app, Some(access_token.to_owned()))
    }

    pub(crate) fn provider(&self) -> Provider {
        Provider {
            client: Client::new(&self.app, None),
            key: WebhookKey::new(&PAYMENTS_KEY.into()),
        }
    }
}

/// Sends requests with one caller's token, or without.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) app: App,
    authorization: Option<String>,
}

impl Client {
    fn new(app: &App, token: Option<String>) -> Self {
        Self {
            app: app.clone(),
            authorization: token.map(|token| format!("Bearer {token}")),
        }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.send_with(method, path, &[], body).await
    }

    pub(crate) async fn send_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| body.to_string().into());
        answer(&self.app, request.body(body).unwrap()).await
    }
}

/// What the app answers to a request of any kind.
pub(crate) async fn answer(app: &App, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.unwrap(),
    }
}
