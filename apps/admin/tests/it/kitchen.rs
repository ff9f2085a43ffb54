//! A kitchen of its own for each test: a seeded database, `api` on it, and `admin` before it.

use api::Resources;
use flags::Flags;
use serve::Health;
use settings::{AdminSettings, ApiSettings, AppEnv, Settings as _};
use store::{Environment, Store};
use testkit::{Browser, Database, Served};

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
            store: Store::connect(database.url(), Environment::Dev)
                .await
                .unwrap(),
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
        Browser::new(self.admin.url())
    }

    /// A browser in which the seeded member of staff is signed in.
    pub(crate) async fn staff(&self) -> Browser {
        let browser = self.browser();
        let answer = browser.sign_in(STAFF, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }
}
