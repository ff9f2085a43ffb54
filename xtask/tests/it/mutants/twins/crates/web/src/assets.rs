//! What every page needs.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

const STYLE: &str = "body { margin: 0 auto }";
const ICON: &str = "<svg xmlns='http://www.w3.org/2000/svg'/>";

pub fn router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let style = get(|| async { ([(CONTENT_TYPE, "text/css")], STYLE) });
    let icon = get(|| async { ([(CONTENT_TYPE, "image/svg+xml")], ICON) });
    Router::new()
        .route("/style.css", style)
        .route("/icon.svg", icon)
}
