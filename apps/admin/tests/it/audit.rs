//! What was done can be read.

use testkit::{form, hidden};

use crate::kitchen::Kitchen;

#[tokio::test]
async fn staff_read_what_they_did() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.staff().await;
    let page = browser.page("/menu").await;
    let version = hidden(form(&page, "/menu/1"), "version");
    let fields = [
        ("description", "x"),
        ("price_cents", "1.25"),
        ("version", version),
    ];
    let answer = browser.send(&page, "/menu/1", &fields).await;
    assert_eq!(answer.status, 303);
    let id = answer.header("x-request-id").to_owned();

    let audit = browser.page("/audit").await;
    assert!(audit.contains("<caption"), "{audit}");
    assert!(
        audit.contains("<th scope=\"row\">meal.changed</th>"),
        "{audit}"
    );
    // The id that the browser was told went all the way to the row.
    assert!(audit.contains(&format!("<code>{id}</code>")), "{audit}");
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.staff().await;
    kitchen
        .database
        .execute(
            "insert into audit_events (at, actor, action, subject, detail, request_id) \
             select e.at, e.actor, e.action, e.subject, e.detail, e.request_id \
             from audit_events e, orders a, orders b, orders c, orders d",
        )
        .await;
    let (mut path, mut pages, mut rows) = ("/audit".to_owned(), 0, 0);
    loop {
        let page = browser.page(&path).await;
        pages += 1;
        rows += page.matches("<th scope=\"row\">").count();
        let Some((_, next)) = page.split_once("rel=\"next\" href=\"") else {
            break;
        };
        next.split('"').next().unwrap().clone_into(&mut path);
    }
    assert_eq!((pages, rows), (2, 82));
}
