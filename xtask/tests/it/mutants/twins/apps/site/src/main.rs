//! The `site` surface: public pages.

mod pages;
mod router;

use std::net::SocketAddr;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3003").await?;
    let service = router::app().into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await
}
