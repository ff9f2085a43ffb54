//! Whatever a signed-in browser sends: never our fault, and never without our headers.

use axum::http::Method;
use guard::RouteRecord;
use testkit::{Browser, hidden};

use crate::surfaces::{Surface, Surfaces};

/// As many for each surface: about what one person may send before the rate limit.
const REQUESTS: usize = 300;

const NASTY: [&str; 16] = [
    "",
    "1",
    "-1",
    "0",
    "9223372036854775807",
    "9223372036854775808",
    "1e309",
    "NaN",
    "%00",
    "%ff%fe",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "\u{202e}\u{0}\u{7f}",
    "2026-11-21T08:01",
    "cooking",
    "🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜🍜",
];
const FIELDS: [&str; 14] = [
    "meal_id",
    "quantity",
    "wanted_at",
    "once",
    "version",
    "status",
    "from",
    "name",
    "description",
    "price",
    "available",
    "email",
    "password",
    "cursor",
];

/// Small, and the same each time: a failure can be looked at again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        // Knuth's MMIX constants.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

async fn fuzz(surface: &Surface, routes: &[RouteRecord], email: &str) {
    let browser = Browser::new(&surface.url);
    let signed_in = browser.sign_in(email, "pancakes-for-all").await;
    assert_eq!(signed_in.status, 303, "{}", signed_in.text());
    let page = browser.page("/").await;
    let http = &browser.0;
    let mut dice = Dice(1);
    let mut answered = [0; 6];
    let routes: Vec<_> = routes
        .iter()
        .filter(|route| route.path != "/sign-out")
        .collect();
    for _ in 0..REQUESTS {
        let route = routes[dice.below(routes.len())];
        let id = dice.of(&[
            "1",
            "2",
            "0",
            "-1",
            "99999999999999999999",
            "%00",
            "%ff",
            "a%2fb",
            "%F0%9F%8D%9C",
        ]);
        let mut path = route.path.replace("{id}", id);
        if dice.below(3) == 0 {
            path = format!(
                "{path}?{}={}",
                dice.of(&FIELDS),
                dice.of(&["", "%ff", "1", "-1", "a%00b", "cooking"])
            );
        }
        let answer = if route.method == "GET" && dice.below(4) > 0 {
            http.get(&path).await
        } else {
            let mut form = vec![("csrf", hidden(&page, "csrf"))];
            for _ in 0..dice.below(7) {
                form.push((dice.of(&FIELDS), dice.of(&NASTY)));
            }
            if dice.below(5) == 0 {
                let method = dice.of(&["PUT", "DELETE", "PATCH", "OPTIONS", "QUERY"]);
                let method: Method = method.parse().unwrap();
                http.send(
                    method,
                    &path,
                    &[(
                        "content-type",
                        dice.of(&["text/plain", "application/json", "x"]),
                    )],
                    "\u{0}{[",
                )
                .await
            } else {
                http.post_form(&path, &form).await
            }
        };
        let what = format!("{} {path}", route.method);
        assert!(
            answer.status.as_u16() < 500,
            "{what}: {} {}",
            answer.status,
            answer.text()
        );
        answer.assert_headers(&what);
        answered[usize::from(answer.status.as_u16() / 100)] += 1;
    }
    // Not all turned away at the door.
    assert!(answered[2] > 50 && answered[4] > 50, "{answered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_a_signed_in_browser_sends_is_our_fault() {
    let surfaces = Surfaces::start("fuzz", &[("APP_ENV", "local")]).await;
    let (of_client, of_admin) = (client::records(), admin::records());
    tokio::join!(
        fuzz(&surfaces.client, &of_client, "customer@example.test"),
        fuzz(&surfaces.admin, &of_admin, "staff@example.test"),
    );
    for surface in [surfaces.client, surfaces.admin, surfaces.api] {
        let (code, written) = surface.stop();
        assert_eq!(code, Some(0));
        assert!(
            !written.contains("panic") && !written.contains("ERROR"),
            "{written}"
        );
    }
}
