//! What everyone sees.

use api::Resources;
use axum::http::Method;
use flags::Flags;
use guard::App;
use serve::Health;
use settings::{ApiSettings, AppEnv, Settings as _, SiteSettings};
use store::{Environment, Store};
use testkit::{Database, Http, Served};

const KEY: &str = "a-key-that-nothing-but-tests-knows";

fn health() -> Health {
    Health::new("", Vec::new())
}

fn site(api: &str) -> App {
    let settings = SiteSettings::from_source(&|name| (name == "API_URL").then(|| api.to_owned()));
    site::app(&settings.unwrap(), None, &health())
}

async fn api(database: &Database) -> Served {
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
    Served::start(api::app(&settings.unwrap(), &resources, &health())).await
}

#[tokio::test]
async fn the_menu_is_the_apis_and_outlives_it() {
    let database = testkit::sqlite().await;
    database
        .execute(include_str!("../../../../migrations/seed.sql"))
        .await;
    database
        .execute("update meals set description = '<script>alert(1)</script>' where id = 1")
        .await;
    let api = api(&database).await;
    let site = Served::start(site(&api.url())).await;
    let http = Http::new(site.url());
    let home = http.get("/").await;
    assert_eq!(home.status, 200);
    assert!(home.text().contains("href=\"/menu\""), "{}", home.text());
    assert_eq!(home.header("set-cookie"), "");

    let menu = http.get("/menu").await.text();
    assert!(
        menu.contains("<h2>Ramen</h2>") && menu.contains("€12.50"),
        "{menu}"
    );
    assert!(
        menu.contains("&#60;script&#62;") && !menu.contains("<script"),
        "{menu}"
    );
    // Nobody asks again so soon, and nobody notices that there is no one to ask.
    database.execute("update meals set available = false").await;
    drop(api);
    let still = http.get("/menu").await;
    assert_eq!((still.status.as_u16(), still.text()), (200, menu));
}

#[tokio::test]
async fn without_any_menu_the_page_says_so() {
    let nowhere = {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", gone.local_addr().unwrap())
    };
    let site = Served::start(site(&nowhere)).await;
    let http = Http::new(site.url());
    let menu = http.get("/menu").await;
    assert_eq!(menu.status, 503);
    assert_eq!(menu.header("cache-control"), "no-store");
    let text = menu.text();
    assert!(text.contains("cannot be reached right now"), "{text}");
    assert!(
        !text.contains("127.0.0.1") && !text.contains("os error"),
        "{text}"
    );
    for path in ["/", "/readyz", "/livez", "/health"] {
        assert_eq!(http.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_the_headers() {
    let site = Served::start(site("http://127.0.0.1:9")).await;
    let http = Http::new(site.url());
    let routes = site::records();
    assert_eq!(routes.len(), 7);
    let known = routes
        .iter()
        .map(|route| (Method::GET, route.path.as_str()));
    let errors = [
        (Method::GET, "/nowhere"),
        (Method::POST, "/menu"),
        (Method::OPTIONS, "/menu"),
    ];
    for (method, path) in known.chain(errors) {
        let answer = http.send(method.clone(), path, &[], "").await;
        answer.assert_headers(&format!("{method} {path}"));
    }
}
