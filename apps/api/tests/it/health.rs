//! What monitoring asks.

use serde_json::json;

use crate::actors::Actor as _;
use crate::app::TestApp;
use crate::expect::Expect as _;

#[tokio::test]
async fn health_lists_the_database() {
    let app = TestApp::new().await;
    let report = app.anonymous().get("/health").await.expect(200);
    assert_eq!(report["services"], json!({"database": "connected"}));
    assert_eq!(report["sha"], "abc123");
}
