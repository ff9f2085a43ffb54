//! What customers come for.

use axum::http::Method;
use settings::AppEnv;
use testkit::hidden;

use crate::kitchen::{CUSTOMER, Kitchen, STAFF};

#[tokio::test]
async fn a_customer_orders_looks_and_cancels() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.customer().await;
    let menu = browser.page("/").await;
    assert!(menu.contains("<h2>Ramen</h2>"), "{menu}");
    assert!(menu.contains("€12.50"), "{menu}");

    let meal = ("meal_id", hidden(&menu, "meal_id"));
    let answer = browser
        .submit("/", "/orders", &[meal, ("quantity", "2")])
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let placed = answer.header("location").to_owned();
    let page = browser.page(&placed).await;
    assert!(page.contains("role=\"status\">Thank you!"), "{page}");
    assert!(
        page.contains("2 × Dal tadka") && page.contains("€17.80"),
        "{page}"
    );
    let (order, _) = placed.split_once('?').unwrap();
    let list = browser.page("/orders").await;
    assert!(list.contains(&format!("href=\"{order}\"")), "{list}");

    let version = ("version", hidden(&page, "version"));
    let cancel = format!("{order}/cancel");
    let answer = browser.submit(order, &cancel, &[version]).await;
    assert_eq!(answer.status, 303);
    let page = browser.page(answer.header("location")).await;
    assert!(
        page.contains("<span class=\"status\">cancelled</span>"),
        "{page}"
    );
    assert!(!page.contains(&cancel), "{page}");
}

#[tokio::test]
async fn a_double_click_is_one_order() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.customer().await;
    let before = kitchen.api_as(CUSTOMER).await.orders().await.len();
    let page = browser.page("/").await;
    let [csrf, once, meal] = ["csrf", "once", "meal_id"].map(|name| (name, hidden(&page, name)));
    let fields = [csrf, once, meal, ("quantity", "1")];
    let clicks = tokio::join!(
        browser.0.post_form("/orders", &fields),
        browser.0.post_form("/orders", &fields),
    );
    let third = browser.0.post_form("/orders", &fields).await;
    for click in [&clicks.0, &clicks.1, &third] {
        assert_eq!(click.status, 303, "{}", click.text());
        assert_eq!(click.header("location"), third.header("location"));
    }
    assert_eq!(
        kitchen.api_as(CUSTOMER).await.orders().await.len(),
        before + 1
    );
    // Two of it is not what the form has placed; from the next page it is another order.
    let two = [csrf, once, meal, ("quantity", "2")];
    assert_eq!(browser.0.post_form("/orders", &two).await.status, 409);
    let page = browser.page("/").await;
    let fields = [
        csrf,
        ("once", hidden(&page, "once")),
        meal,
        ("quantity", "1"),
    ];
    assert_eq!(browser.0.post_form("/orders", &fields).await.status, 303);
    assert_eq!(
        kitchen.api_as(CUSTOMER).await.orders().await.len(),
        before + 2
    );
}

#[tokio::test]
async fn the_customer_sees_what_staff_did() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.customer().await;
    let before = kitchen.api_as(CUSTOMER).await.orders().await;
    let placed = before
        .iter()
        .find(|order| order.status.as_str() == "placed");
    let (id, version) = placed.map(|order| (order.id, order.version)).unwrap();
    let path = format!("/orders/{id}");
    let seen = browser.page(&path).await;
    assert!(seen.contains("placed"), "{seen}");

    let staff = kitchen.api_as(STAFF).await;
    let moved = format!(r#"{{"status":"cooking","version":{version}}}"#);
    let path_of_staff = format!("/v1/kitchen/orders/{id}");
    let answer = staff.send(Method::PATCH, &path_of_staff, &moved).await;
    assert_eq!(answer.status, 200, "{}", answer.text());

    // The page from before still has the button: it must not undo what staff did.
    let fields = [
        ("csrf", hidden(&seen, "csrf")),
        ("version", hidden(&seen, "version")),
    ];
    let answer = browser
        .0
        .post_form(&format!("{path}/cancel"), &fields)
        .await;
    assert_eq!(answer.status, 409);
    let page = answer.text();
    assert!(
        page.contains("role=\"alert\">The order has changed"),
        "{page}"
    );
    assert!(
        page.contains("<span class=\"status\">cooking</span>"),
        "{page}"
    );
}

#[tokio::test]
async fn what_is_wrong_stands_beside_the_field() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.customer().await;
    let menu = browser.page("/").await;
    let meal = hidden(&menu, "meal_id").to_owned();
    for (quantity, status) in [("21", 422), ("two", 422), ("", 422)] {
        let fields = [("meal_id", meal.as_str()), ("quantity", quantity)];
        let answer = browser.submit("/", "/orders", &fields).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let page = answer.text();
        let typed = format!("id=\"quantity-{meal}\" name=\"quantity\" value=\"{quantity}\"");
        assert!(page.contains(&typed), "{page}");
        let tied = format!("aria-describedby=\"quantity-{meal}-error\"");
        assert!(page.contains(&tied), "{page}");
        assert!(
            page.contains(&format!("id=\"quantity-{meal}-error\"")),
            "{page}"
        );
        // The other meals' forms are left alone.
        assert_eq!(page.matches("class=\"error\"").count(), 1, "{page}");
    }
    let fields = [("meal_id", "999"), ("quantity", "1")];
    let answer = browser.submit("/", "/orders", &fields).await;
    assert_eq!(answer.status, 404);
    assert!(
        answer.text().contains("role=\"alert\""),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn preorders_are_there_while_their_flag_is_on() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.customer().await;
    let menu = browser.page("/").await;
    assert!(menu.contains("name=\"wanted_at\""), "{menu}");
    let meal = hidden(&menu, "meal_id");
    let order = |when| [("meal_id", meal), ("quantity", "1"), ("wanted_at", when)];
    let tomorrow = tomorrow();
    let answer = browser.submit("/", "/orders", &order(&tomorrow)).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let page = browser.page(answer.header("location")).await;
    assert!(page.contains("<dt>Wanted</dt>"), "{page}");
    let answer = browser
        .submit("/", "/orders", &order("2001-01-01T10:00"))
        .await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains(&format!("wanted_at-{meal}-error")));

    let kitchen = Kitchen::open_as(AppEnv::Production).await;
    let menu = kitchen.customer().await.page("/").await;
    assert!(!menu.contains("wanted_at"), "{menu}");
}

/// As a browser sends it.
fn tomorrow() -> String {
    let day = std::time::Duration::from_hours(24);
    let when = jiff::Timestamp::now() + day;
    when.strftime("%Y-%m-%dT%H:%M").to_string()
}

#[tokio::test]
async fn nobody_sees_or_cancels_the_orders_of_others() {
    let kitchen = Kitchen::open().await;
    let theirs = kitchen.api_as(CUSTOMER).await.orders().await;
    let browser = kitchen.browser();
    let answer = browser.sign_in(STAFF, crate::kitchen::PASSWORD).await;
    assert_eq!(answer.status, 303);
    let list = browser.page("/orders").await;
    assert!(list.contains("You have not ordered anything yet"), "{list}");
    for order in theirs {
        let path = format!("/orders/{}", order.id);
        assert_eq!(browser.get(&path).await.status, 404);
        let csrf = hidden(&list, "csrf");
        let fields = [("csrf", csrf), ("version", "1")];
        let answer = browser
            .0
            .post_form(&format!("{path}/cancel"), &fields)
            .await;
        assert_eq!(answer.status, 404);
    }
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let kitchen = Kitchen::open().await;
    kitchen
        .database
        .execute(
            "insert into orders (customer, meal_id, quantity, total_cents, status, version) \
             select o.customer, o.meal_id, 1, 890, 'delivered', 4 from orders o, orders p, orders q",
        )
        .await;
    let browser = kitchen.customer().await;
    let (mut path, mut seen) = ("/orders".to_owned(), 0);
    loop {
        let page = browser.page(&path).await;
        seen += page.matches("<th scope=\"row\">").count();
        let Some((_, next)) = page.split_once("rel=\"next\" href=\"") else {
            break;
        };
        next.split('"').next().unwrap().clone_into(&mut path);
    }
    assert_eq!(seen, 3 + 27);
    let answer = browser.get("/orders?cursor=1%26x").await;
    assert_eq!(answer.status, 422, "{}", answer.text());
}
