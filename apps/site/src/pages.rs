//! The pages of `site`.

use guard::page::Page;

/// What is cooked every week; the daily menu is the `api`'s.
const CLASSICS: [&str; 3] = [
    "Pancakes with blueberries",
    "Lentil soup with lemon",
    "Mushroom risotto",
];

/// The front page.
pub(crate) async fn home() -> Page {
    Page::new("A kitchen around the corner")
        .text("Ordered by noon, cooked by one.")
        .link("/menu", "What we cook every week")
}

/// The classics.
pub(crate) async fn menu() -> Page {
    Page::new("Every week").list(CLASSICS).link("/", "Back")
}
