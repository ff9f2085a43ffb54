//! The pages of `admin`.

use guard::Identity;
use guard::page::Page;

/// Where staff begin.
pub(crate) async fn home(identity: Identity) -> Page {
    Page::new("The pass")
        .text(&format!("Signed in as {}.", identity.subject))
        .text("What is ordered comes in here.")
}

/// Where whoever has no session ends up.
pub(crate) async fn sign_in() -> Page {
    Page::new("Sign in")
        .text("Your browser sent no session, or one that has ended.")
        .link("/", "Try again")
}
