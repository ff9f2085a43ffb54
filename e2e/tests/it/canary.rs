//! A secret that goes in everywhere comes out nowhere: not in a log line, a metric, an answer or a
//! complaint.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

use axum::http::Method;
use guard::RouteRecord;
use serde_json::json;
use testkit::{Answer, Http};

use crate::surfaces::{Surface, Surfaces};

/// With an underscore: a request id may have none, and a good one is told on purpose.
const CANARY: &str = "c4n4ry_secret";

#[track_caller]
fn assert_unseen(what: &str, text: &str) {
    let line = text.lines().find(|line| line.contains("c4n4ry"));
    assert!(line.is_none(), "{what}: {line:?}");
}

#[track_caller]
fn assert_no_canary(what: &str, answer: &Answer) {
    assert_unseen(what, &answer.text());
    for (name, value) in &answer.headers {
        assert_unseen(
            what,
            &format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())),
        );
    }
}

/// Sends the canary along all the ways a request has, to each route and to none.
async fn poke(surface: &Surface, routes: &[RouteRecord], authorization: &str) -> usize {
    let http = Http::new(&surface.url);
    let json = json!({
        CANARY: CANARY,
        "email": [CANARY],
        "password": CANARY,
        "refresh_token": CANARY,
        "meal_id": CANARY,
        "quantity": {CANARY: CANARY},
        "status": CANARY,
        "wanted_at": CANARY,
    });
    let bodies = [
        ("application/json", json.to_string()),
        ("application/json", format!("{{\"{CANARY}\": {CANARY}")),
        (
            "application/json",
            json!({"refresh_token": CANARY}).to_string(),
        ),
        (
            "application/x-www-form-urlencoded",
            format!("csrf={CANARY}&password={CANARY}&{CANARY}={CANARY}"),
        ),
        (CANARY, CANARY.to_owned()),
    ];
    let bearer = format!("{authorization}{CANARY}");
    let mut sent = 0;
    for (n, route) in routes.iter().enumerate() {
        let method: Method = route.method.parse().unwrap();
        for (content_type, body) in &bodies {
            for id in ["1", CANARY, "%ff"] {
                let path = route.path.replace("{id}", id);
                let query =
                    format!("cursor={CANARY}&done={CANARY}&{CANARY}={CANARY}&limit={CANARY}");
                let address = format!("10.0.{n}.{sent}");
                let authorization = if sent % 2 == 0 {
                    authorization
                } else {
                    &bearer
                };
                let headers = [
                    ("authorization", authorization),
                    ("content-type", content_type),
                    (
                        "cookie",
                        &format!("client-session={CANARY}; {CANARY}={CANARY}"),
                    ),
                    ("origin", &format!("https://{CANARY}")),
                    ("referer", &format!("https://{CANARY}/{CANARY}")),
                    ("traceparent", CANARY),
                    ("user-agent", CANARY),
                    ("webhook-id", CANARY),
                    ("webhook-signature", &format!("v1,{CANARY}")),
                    ("webhook-timestamp", CANARY),
                    ("x-forwarded-for", &format!("{CANARY}, {address}")),
                    ("x-request-id", CANARY),
                    (CANARY, CANARY),
                ];
                let target = format!("{path}?{query}");
                let answer = http
                    .send(method.clone(), &target, &headers, body.clone())
                    .await;
                assert_no_canary(&format!("{method} {path}"), &answer);
                assert!(
                    answer.status.as_u16() < 500,
                    "{method} {path}: {}",
                    answer.text()
                );
                sent += 1;
            }
        }
    }
    for (method, path) in [
        (Method::GET, format!("/{CANARY}")),
        (Method::TRACE, format!("/livez/{CANARY}")),
        (CANARY.parse().unwrap(), "/livez".to_owned()),
    ] {
        assert_no_canary(&path, &http.send(method, &path, &[], CANARY).await);
    }
    sent
}

/// What is no request at all.
fn poke_raw(surface: &Surface) {
    let addr = surface.url.trim_start_matches("http://");
    for junk in [
        format!("{CANARY}\r\n\r\n"),
        format!("GET /{CANARY} HTTP/9.9\r\nhost: {CANARY}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{CANARY}\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nhost: {CANARY}\r\ncontent-length: {CANARY}\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nhost: {CANARY}\r\ncontent-length: 9999\r\n\r\n{CANARY}"),
    ] {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.write_all(junk.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert_unseen(&junk, &String::from_utf8_lossy(&answer));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_goes_in_everywhere_comes_out_nowhere() {
    // All that is ever logged; and an address of ours counts as a proxy, so each caller is another.
    let settings = [
        ("APP_ENV", "preview"),
        ("LOG", "trace"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c4n4ry_host"),
    ];
    let surfaces = Surfaces::start(CANARY, &settings).await;
    let api = Http::new(&surfaces.api.url);
    let json = [("content-type", "application/json")];
    let post = async |path: &str, body: serde_json::Value| {
        let answer = api.send(Method::POST, path, &json, body.to_string()).await;
        assert_no_canary(path, &answer);
        answer
    };

    // A password that holds it, right and wrong.
    let password = format!("{CANARY} {CANARY}");
    let account = json!({"email": "ada@example.test", "name": "Ada", "password": password});
    assert_eq!(post("/v1/accounts", account).await.status, 201);
    let session = json!({"email": "ada@example.test", "password": password});
    assert_eq!(post("/v1/sessions", session).await.status, 201);
    let session = json!({"email": "ada@example.test", "password": CANARY});
    assert_eq!(post("/v1/sessions", session).await.status, 401);
    let staff = json!({"email": "staff@example.test", "password": "pancakes-for-all"});
    let tokens = post("/v1/sessions", staff).await.json();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());

    let sent = [
        poke(&surfaces.api, &api::records(), &bearer).await,
        poke(&surfaces.client, &client::records(), &bearer).await,
        poke(&surfaces.admin, &admin::records(), &bearer).await,
        poke(&surfaces.site, &site::records(), &bearer).await,
    ];
    assert!(sent.iter().all(|&n| n > 50), "{sent:?}");
    for surface in [
        &surfaces.api,
        &surfaces.client,
        &surfaces.admin,
        &surfaces.site,
    ] {
        poke_raw(surface);
    }

    // The database fails in the middle of a statement that holds it.
    surfaces
        .database
        .execute("ALTER TABLE accounts RENAME TO gone")
        .await;
    let broken =
        json!({"email": "c4n4ry_secret@example.test", "name": CANARY, "password": password});
    assert_eq!(post("/v1/accounts", broken).await.status, 500);

    let Surfaces {
        api,
        client,
        admin,
        site,
        ..
    } = surfaces;
    for (name, surface) in [
        ("api", api),
        ("client", client),
        ("admin", admin),
        ("site", site),
    ] {
        let metrics = Http::new(&surface.metrics_url).get("/metrics").await;
        assert!(
            metrics.text().contains("http_requests_total{"),
            "{name}: {}",
            metrics.text()
        );
        assert_no_canary(&format!("metrics of {name}"), &metrics);
        let (code, written) = surface.stop();
        assert_eq!(code, Some(0), "{name}");
        assert!(written.contains("\"answered\""), "{name}: {written}");
        assert_unseen(&format!("log of {name}"), &written);
    }
}

#[test]
fn nor_in_what_a_surface_says_when_it_cannot_start() {
    let long = format!("{CANARY}-0123456789abcdef0123456789abcdef");
    let good = [
        ("API_TOKEN_KEY", long.as_str()),
        ("API_PAYMENTS_KEY", &long),
        ("API_TOKEN_KEYS_ACCEPTED", &long),
        ("DATABASE_URL", "sqlite:///nowhere/c4n4ry_not_a_secret.db"),
        ("API_ADDR", "127.0.0.1:0"),
        ("API_METRICS_ADDR", "127.0.0.1:0"),
    ];
    for (name, value) in [
        ("API_TOKEN_KEY", CANARY),
        ("API_PAYMENTS_KEY", CANARY),
        ("API_TOKEN_KEYS_ACCEPTED", CANARY),
        ("DATABASE_URL", CANARY),
        (
            "DATABASE_URL",
            &format!("postgres://{CANARY}:{CANARY}@127.0.0.1:1/app"),
        ),
        (
            "DATABASE_URL",
            &format!("postgres://{CANARY}:{CANARY}@[::1/app?{CANARY}"),
        ),
        (
            "DATABASE_URL",
            &format!("sqlite://data/app.db?{CANARY}={CANARY}"),
        ),
        (
            "DATABASE_URL",
            &format!("postgres://app@127.0.0.1:1/app?{CANARY}={CANARY}"),
        ),
        ("REDIS_URL", CANARY),
        ("REDIS_URL", &format!("redis://{CANARY}:{CANARY}@[::1/x")),
    ] {
        let run = Command::new(env!("CARGO_BIN_EXE_e2e"))
            .arg0("api")
            .env_clear()
            .envs(good)
            .env(name, value)
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .output()
            .unwrap();
        let said = [run.stderr, run.stdout].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(run.status.code(), Some(3), "{name}={value}: {said}");
        let said = said.replace("c4n4ry_not_a_secret", "");
        assert!(said.contains("error: "), "{name}={value}: {said}");
        assert_unseen(&format!("{name}={value}"), &said);
    }
}
