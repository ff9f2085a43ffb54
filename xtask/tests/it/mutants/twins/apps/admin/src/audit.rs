//! Who changed what.

use axum::response::Html;
use web::auth::Staff;

pub(crate) async fn list(Staff(user): Staff) -> Html<String> {
    Html(format!("<h1>Audit</h1><p>{}</p>", user.name))
}
