//! Orders on their way through the kitchen.

use testkit::{form, hidden};

use crate::kitchen::Kitchen;

/// The seed's only order that was placed, and nothing else.
const PLACED: &str = "/orders/3";

#[tokio::test]
async fn staff_move_an_order_along_its_legal_ways_only() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.staff().await;
    let mut action = None;
    for (status, buttons) in [
        ("placed", &["cooking", "cancelled"][..]),
        ("cooking", &["ready", "cancelled"]),
        ("ready", &["delivered"]),
    ] {
        let board = browser.page(&format!("/?status={status}")).await;
        let path = action.get_or_insert_with(|| first_action(&board));
        let offered = form(&board, path);
        let all = ["placed", "cooking", "ready", "delivered", "cancelled"];
        for to in all {
            let button = format!("name=\"status\" value=\"{to}\"");
            assert_eq!(
                offered.contains(&button),
                buttons.contains(&to),
                "{offered}"
            );
        }
        let version = hidden(offered, "version");
        let fields = [
            ("status", buttons[0]),
            ("version", version),
            ("from", status),
        ];
        let answer = browser.send(&board, path, &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let back = format!("/?done=moved&status={status}");
        assert_eq!(answer.header("location"), back);
        let board = browser.page(&back).await;
        assert!(
            board.contains("role=\"status\">The order has moved on."),
            "{board}"
        );
        assert!(!board.contains(&format!("action=\"{path}\"")), "{board}");
    }
    let delivered = browser.page("/?status=delivered").await;
    assert!(delivered.contains("Casey Customer"), "{delivered}");
    assert!(!delivered.contains("action=\"/orders/"), "{delivered}");
}

/// Where the first order of a board is moved.
fn first_action(board: &str) -> String {
    let (_, rest) = board.split_once("action=\"/orders/").expect(board);
    format!("/orders/{}", rest.split('"').next().unwrap())
}

#[tokio::test]
async fn who_comes_second_is_told_and_changes_nothing() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.staff().await;
    let board = browser.page("/?status=placed").await;
    let path = first_action(&board);
    let version = hidden(form(&board, &path), "version");
    let cook = [("status", "cooking"), ("version", version)];
    assert_eq!(browser.send(&board, &path, &cook).await.status, 303);
    // The same click again, and another one from the page of before.
    for to in ["cooking", "cancelled"] {
        let fields = [("status", to), ("version", version)];
        let answer = browser.send(&board, &path, &fields).await;
        assert_eq!(answer.status, 409);
        let page = answer.text();
        assert!(
            page.contains("has changed since you looked at it"),
            "{page}"
        );
        assert!(form(&page, &path).contains("value=\"ready\""), "{page}");
    }
    // No button offers it.
    let fields = [("status", "delivered"), ("version", "2")];
    assert_eq!(browser.send(&board, &path, &fields).await.status, 409);
    for fields in [
        [("status", "eaten"), ("version", "2")],
        [("status", "ready"), ("version", "two")],
    ] {
        assert_eq!(browser.send(&board, &path, &fields).await.status, 422);
    }
}

#[tokio::test]
async fn the_board_shows_what_is_open_and_no_markup_of_strangers() {
    let kitchen = Kitchen::open().await;
    kitchen
        .database
        .execute(
            "update accounts set name = '<script>alert(1)</script>' where role = 'customer'; \
             update meals set name = '\"><img src=x>' where name = 'Shakshuka'",
        )
        .await;
    let browser = kitchen.staff().await;
    let board = browser.page("/").await;
    for lane in ["Placed", "Cooking", "Ready"] {
        assert!(board.contains(&format!("{lane} <span")), "{board}");
    }
    assert!(!board.contains("Delivered <span"), "{board}");
    assert!(board.contains("&#60;script&#62;"), "{board}");
    for evil in ["<script", "<img"] {
        assert!(!board.contains(evil), "{board}");
        assert!(!browser.page("/menu").await.contains(evil));
    }
    assert_eq!(browser.get("/?status=eaten").await.status, 400);
    assert_eq!(kitchen.browser().get(PLACED).await.status, 405);
}
