//! Accounts.

use serde_json::json;
use testkit::{Database, on_each_engine};

use crate::actors::Actor as _;
use crate::app::TestApp;
use crate::expect::Expect as _;

on_each_engine!(whoever_signs_up_is_a_customer);
async fn whoever_signs_up_is_a_customer(database: &Database) {
    let app = TestApp::on(database).await;
    let account = app
        .anonymous()
        .sign_up("Ada@Example.test", "correct horse")
        .await
        .expect(201);
    let id = account["id"].as_str().unwrap();
    assert!(!id.is_empty());
    let expected =
        json!({"id": id, "email": "ada@example.test", "name": "Ada", "role": "customer"});
    assert_eq!(account, expected);
}

on_each_engine!(an_address_has_one_account_whatever_its_case);
async fn an_address_has_one_account_whatever_its_case(database: &Database) {
    let app = TestApp::on(database).await;
    app.account("ada", guard::Role::Customer).await;
    app.anonymous()
        .sign_up("ADA@example.test", "correct horse")
        .await
        .refused(409, "there is an account with this e-mail address already");
}

#[tokio::test]
async fn nobody_signs_up_as_staff() {
    let app = TestApp::new().await;
    let staff = json!({
        "email": "eve@example.test",
        "name": "Eve",
        "password": "correct horse",
        "role": "staff",
    });
    app.anonymous()
        .post("/v1/accounts", staff)
        .await
        .invalid(&[(
            "",
            "unknown field, expected one of `email`, `name`, `password`",
        )]);
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named() {
    let app = TestApp::new().await;
    let bad = json!({"email": "ada", "name": " ", "password": "short"});
    app.anonymous().post("/v1/accounts", bad).await.invalid(&[
        ("email", "must be an e-mail address"),
        ("name", "must not be empty"),
        ("password", "length is lower than 12"),
    ]);
}

#[tokio::test]
async fn an_account_holder_sees_the_account() {
    let app = TestApp::new().await;
    let ada = app.customer("ada").await;
    let expected =
        json!({"id": ada.id, "email": "ada@example.test", "name": "ada", "role": "customer"});
    assert_eq!(ada.get("/v1/accounts/me").await.expect(200), expected);
}
