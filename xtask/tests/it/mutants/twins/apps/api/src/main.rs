//! The `api` surface: JSON for machines.

mod accounts;
mod audit;
mod kitchen;
mod menu;
mod openapi;
mod orders;
mod payments;
mod router;
mod sessions;
mod state;

use crate::state::Api;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    let app = router::app(Api::default());
    axum::serve(listener, app).await
}
