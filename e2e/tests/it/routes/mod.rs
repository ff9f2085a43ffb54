//! The table of routes that `cargo xtask routes` reads out of the source, held against the four
//! processes: what they register, what they let in without credentials, and what else answers.
//!
//! Each check is a function over a table that gives its complaints, so that a mutilated table shows
//! whether the check would have noticed.

mod live;
mod table;

use axum::http::Method;
use testkit::{Browser, hidden};

use crate::surfaces::Surfaces;
use live::{Live, SIGN_IN, announce, assert_all_headers, raw};
use table::{Row, differences, filled, matches, recorded, scanned};

/// Deployed as it would be, but for the addresses: ours counts as a proxy, so each request comes
/// from another caller and none is refused for coming too often.
const SETTINGS: [(&str, &str); 2] = [("APP_ENV", "preview"), ("TRUSTED_PROXIES", "127.0.0.1")];

#[track_caller]
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn the_scan_finds_what_the_apps_register() {
    let (table, recorded) = (scanned(), recorded());
    assert!(recorded.len() > 50, "{}", recorded.len());
    assert_none(&differences(table, &recorded));

    // And it would have been noticed.
    for n in 0..table.len() {
        let mut fewer = table.to_vec();
        let row = fewer.remove(n);
        assert_eq!(differences(&fewer, &recorded).len(), 1, "{row:?}");
        let more = [table, &[row]].concat();
        assert_eq!(differences(&more, &recorded).len(), 1);
        let changes: [fn(&mut Row); 7] = [
            |row| row.app.push('x'),
            |row| row.method.push('x'),
            |row| row.path.push('x'),
            |row| row.access.push('x'),
            |row| row.reason.get_or_insert_default().push('x'),
            |row| row.file.push('x'),
            |row| row.line += 1,
        ];
        for change in changes {
            let mut other = table.to_vec();
            change(&mut other[n]);
            assert_eq!(differences(&other, &recorded).len(), 2, "{:?}", other[n]);
        }
    }
}

#[test]
fn a_pattern_stands_for_the_paths_that_the_router_takes_for_it() {
    for (pattern, path, expected) in [
        ("/", "/", true),
        ("/", "//", false),
        ("/menu", "/menu", true),
        ("/menu", "/menu/", false),
        ("/menu", "/MENU", false),
        ("/menu/{id}", "/menu/1", true),
        ("/menu/{id}", "/menu/", false),
        ("/menu/{id}", "/menu/1/", false),
        ("/menu/{id}/cancel", "/menu/1/cancel", true),
        ("/menu/{id}/cancel", "/menu/1/2", false),
        ("/files/{*rest}", "/files/a/b", true),
        ("/files/{*rest}", "/files/", false),
    ] {
        assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
    }
    assert_eq!(filled("/menu"), ["/menu"]);
    let [number, uuid] = filled("/menu/{id}/cancel").try_into().unwrap();
    assert_eq!(number, "/menu/1/cancel");
    assert_eq!(uuid.len(), "/menu//cancel".len() + 36);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_surfaces_are_what_the_table_says() {
    let table = scanned();
    let surfaces = Surfaces::start("routes", &SETTINGS).await;
    let mut live = Live::all(&surfaces);
    let [api, client, admin, site] = &mut live;
    let complaints = tokio::join!(
        api.complaints(table),
        client.complaints(table),
        admin.complaints(table),
        site.complaints(table),
    );
    for complaints in [complaints.0, complaints.1, complaints.2, complaints.3] {
        assert_none(&complaints);
    }
    for live in &live {
        assert_none(&live.inventory(table).await);
        assert_none(&live.operators(table).await);
        assert!(live.sent > 500, "{}: {}", live.app, live.sent);
    }

    // And it would have been noticed: a route that the table lacks, one that it makes up, and one
    // that lets in others than it says. There is none among these that only the inventory finds.
    for n in 0..table.len() {
        let row = &table[n];
        let live = live.iter_mut().find(|live| live.app == row.app).unwrap();

        let mut fewer = table.to_vec();
        fewer.remove(n);
        let complaints = live.complaints(&fewer).await;
        let is_found = complaints
            .iter()
            .any(|complaint| complaint.contains("is not in the table, but answers"));
        assert!(is_found, "{row:?}: {complaints:?}");
        let complaints = live.inventory(&fewer).await;
        let expected = format!("{} is in the process, not in the table", row.name());
        assert_eq!(complaints, [expected]);

        let mut others = vec![Row {
            path: format!("/made-up{}", row.path),
            ..row.clone()
        }];
        for access in ["public", "signed-in", "role:staff", "webhook:payments"] {
            // Whoever has no role has no session at `admin`, and `client` asks for none: these two
            // look the same there, and only the recorder knows.
            let is_guarded = |access: &str| ["signed-in", "role:staff"].contains(&access);
            let is_same = is_guarded(access) && is_guarded(&row.access) && row.app != "api";
            if row.access != access && !is_same {
                others.push(Row {
                    access: access.to_owned(),
                    ..row.clone()
                });
            }
        }
        for other in others {
            let complaints = live.walk(std::slice::from_ref(&other)).await;
            assert!(!complaints.is_empty(), "{other:?}");
        }
    }
}

/// A 500 of a panic cannot be had from outside, as no handler of ours panics: `guard` has a test of
/// its own with one that does (`tests/it/answers.rs`). This 500 is a database without a table.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_failures_have_the_headers_as_well() {
    let surfaces = Surfaces::start("refusals", &SETTINGS).await;
    let lives = Live::all(&surfaces);
    let mut too_long = 0;
    for row in scanned() {
        let live = lives.iter().find(|live| live.app == row.app).unwrap();
        if row.is_public() || row.access.starts_with("webhook:") {
            let path = &filled(&row.path)[0];
            let answer = announce(&live.url, &row.method, path, 1 << 20);
            assert_eq!(answer.status, 413, "{}", row.name());
            assert_all_headers(&row.name(), &answer);
            too_long += 1;
        }
    }
    assert!(too_long > 20, "{too_long}");

    // Where guessing must be slow; `site` has no such route.
    for (live, path) in lives.iter().zip(["/v1/sessions", SIGN_IN, SIGN_IN]) {
        let mut statuses = vec![];
        while statuses.last() != Some(&429) && statuses.len() < 20 {
            let answer = live.http.send(Method::POST, path, &[], "").await;
            assert_all_headers(live.app, &answer);
            statuses.push(answer.status.as_u16());
        }
        assert_eq!(statuses.last(), Some(&429), "{}: {statuses:?}", live.app);
    }

    // What is no request never gets to an app. The answer is hyper's own, and has nothing in it that
    // headers could protect.
    for live in &lives {
        let answer = raw(&live.url, "GET / HTTP/1.1\r\nno header\r\n\r\n");
        let answer = (answer.status.as_u16(), answer.text());
        assert_eq!(answer, (400, String::new()), "{}", live.app);
    }

    let from = [("x-forwarded-for", "10.0.0.1")];
    let get = async |live: &Live, path: &str| live.http.send(Method::GET, path, &from, "").await;
    let [api, client, admin, site] = &lives;
    surfaces
        .database
        .execute("ALTER TABLE meals RENAME TO gone")
        .await;
    let answer = get(api, "/v1/menu").await;
    assert_eq!(answer.status, 500);
    assert_all_headers("api without a table", &answer);

    // The file is gone. Connections that are open still have it, so more are needed at once.
    let file = surfaces.database.url().trim_start_matches("sqlite://");
    std::fs::remove_file(file).unwrap();
    std::fs::create_dir(file).unwrap();
    let mut is_told = false;
    for _ in 0..20 {
        let answers = tokio::join!(
            get(api, "/v1/menu"),
            get(api, "/v1/menu"),
            get(api, "/v1/menu"),
            get(api, "/v1/menu"),
        );
        for answer in [answers.0, answers.1, answers.2, answers.3] {
            assert_all_headers("api without a database", &answer);
            is_told |= answer.status == 503;
        }
        if is_told {
            break;
        }
    }
    assert!(is_told);

    let (code, _) = surfaces.api.stop();
    assert_eq!(code, Some(0));
    let answer = get(site, "/menu").await;
    assert_eq!(answer.status, 503);
    assert_all_headers("site without api", &answer);
    for live in [client, admin] {
        let browser = Browser::new(&live.url);
        let page = browser.page(SIGN_IN).await;
        let form = format!(
            "csrf={}&email=a%40example.test&password=pancakes-for-all",
            hidden(&page, "csrf")
        );
        let origin = live.url.replace("http:", "https:");
        let headers = [
            ("origin", origin.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-forwarded-for", "10.0.0.1"),
        ];
        let answer = browser.0.send(Method::POST, SIGN_IN, &headers, form).await;
        assert_eq!(answer.status, 503, "{}", live.app);
        assert_all_headers("a page without api", &answer);
    }
}
