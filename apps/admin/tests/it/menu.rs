//! What staff make of the menu.

use testkit::{form, hidden};

use crate::kitchen::Kitchen;

#[tokio::test]
async fn a_meal_is_added_and_changed() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.staff().await;
    let page = browser.page("/menu").await;
    let fields = [
        ("name", "Pho"),
        ("description", "Rice noodles,\r\nherbs"),
        ("price_cents", "11,5"),
    ];
    let answer = browser.send(&page, "/menu", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let page = browser.page(answer.header("location")).await;
    assert!(
        page.contains("role=\"status\">The meal is on the menu."),
        "{page}"
    );
    let (_, pho) = page.split_once("<h2>Pho</h2>").unwrap();
    let (_, action) = pho.split_once("action=\"").unwrap();
    let action = action.split('"').next().unwrap();
    let shown = form(&page, action);
    assert!(
        shown.contains(">Rice noodles,\nherbs</textarea>"),
        "{shown}"
    );
    assert!(
        shown.contains("value=\"11.50\"") && shown.contains(" checked"),
        "{shown}"
    );

    // A box without its tick is not sent.
    let version = hidden(shown, "version");
    let fields = [
        ("description", "None left"),
        ("price_cents", "12"),
        ("version", version),
    ];
    let answer = browser.send(&page, action, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let page_after = browser.page("/menu").await;
    let shown = form(&page_after, action);
    assert!(
        shown.contains("value=\"12.00\"") && !shown.contains(" checked"),
        "{shown}"
    );

    // The page from before does not write over it unasked.
    let answer = browser.send(&page, action, &fields).await;
    assert_eq!(answer.status, 409);
    let conflict = answer.text();
    assert!(
        form(&conflict, action).contains("role=\"alert\">Somebody else"),
        "{conflict}"
    );
    let version = hidden(form(&conflict, action), "version");
    let fields = [
        ("description", ""),
        ("price_cents", "9"),
        ("version", version),
        ("available", "yes"),
    ];
    assert_eq!(browser.send(&conflict, action, &fields).await.status, 303);
}

#[tokio::test]
async fn what_is_wrong_stands_beside_the_field() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.staff().await;
    let page = browser.page("/menu").await;
    for (name, price, field) in [
        ("Ramen", "9.50", "name"),
        (" ", "9.50", "name"),
        ("Pho", "a lot", "price_cents"),
        ("Pho", "0", "price_cents"),
        ("Pho", "1000.01", "price_cents"),
    ] {
        let fields = [
            ("name", name),
            ("description", "typed"),
            ("price_cents", price),
        ];
        let answer = browser.send(&page, "/menu", &fields).await;
        assert_eq!(answer.status, 422, "{name} {price}");
        let page = answer.text();
        let shown = form(&page, "/menu");
        assert!(shown.contains(&format!("id=\"{field}-error\"")), "{shown}");
        assert!(shown.contains(&format!("value=\"{price}\"")), "{shown}");
        assert!(shown.contains(">typed</textarea>"), "{shown}");
        assert_eq!(page.matches("class=\"error\"").count(), 1, "{page}");
    }
    let fields = [("description", "x"), ("price_cents", "?"), ("version", "1")];
    let answer = browser.send(&page, "/menu/1", &fields).await;
    assert_eq!(answer.status, 422);
    assert!(form(&answer.text(), "/menu/1").contains("id=\"price_cents-1-error\""));
    let fields = [
        ("csrf", hidden(&page, "csrf")),
        ("price_cents", "1"),
        ("version", "1"),
    ];
    assert_eq!(browser.0.post_form("/menu/999", &fields).await.status, 404);
}
