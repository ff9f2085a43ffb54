//! The `client` surface: pages for customers.

mod menu;
mod orders;
mod router;
mod sign_up;

use web::auth::Keys;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3001").await?;
    axum::serve(listener, router::app(Keys::default()).into_make_service()).await
}
