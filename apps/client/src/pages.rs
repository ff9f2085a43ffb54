//! The pages of `client`.

use guard::Identity;
use guard::page::Page;

/// Where customers begin.
pub(crate) async fn home(identity: Identity) -> Page {
    Page::new("Your kitchen")
        .text(&format!("Signed in as {}.", identity.subject))
        .text("What you order here is cooked within the hour.")
}

/// Where whoever has no session ends up.
pub(crate) async fn sign_in() -> Page {
    Page::new("Sign in")
        .text("Your browser sent no session, or one that has ended.")
        .link("/", "Try again")
}
