//! The `admin` surface: pages for staff.

mod audit;
mod board;
mod menu;
mod router;

use web::auth::Keys;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3002").await?;
    axum::serve(listener, router::app(Keys::default())).await
}
