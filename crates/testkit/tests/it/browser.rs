//! A browser sends the form that it is shown.

use axum::response::Html;
use guard::{Deny, GuardedRouter, Guards, public};
use settings::AppEnv;
use testkit::{Browser, Served, form, hidden};

const PAGE: &str = r#"
<form method="post" action="/sign-out"><input type="hidden" name="csrf" value="c"></form>
<form method="post" action="/soup"><input type="hidden" name="csrf" value="c">
<input type="hidden" name="once" value="1"></form>
<form method="post" action="/stew"><input type="hidden" name="csrf" value="c">
<input type="hidden" name="once" value="2"><input type="hidden" name="version" value="7"></form>"#;

#[tokio::test]
async fn a_form_goes_with_its_own_tokens_and_what_was_filled_in() {
    let open = || public("a test calls it");
    let app = GuardedRouter::new()
        .get("/", open(), async || Html(PAGE))
        .post("/sign-out", open(), async |sent: String| sent)
        .post("/stew", open(), async |sent: String| sent)
        .finish(Guards::new(Deny::Page, AppEnv::Local));
    let served = Served::start(app).await;
    let browser = Browser::new(served.url());
    let page = browser.page("/").await;
    let stew = browser.send(&page, "/stew", &[("quantity", "2")]).await;
    assert_eq!(stew.text(), "quantity=2&csrf=c&once=2");
    stew.assert_headers("/stew");
    let out = browser.submit("/", "/sign-out", &[]).await;
    assert_eq!(out.text(), "csrf=c");

    assert_eq!(hidden(&page, "once"), "1");
    assert_eq!(hidden(form(&page, "/stew"), "version"), "7");
}

#[test]
#[should_panic = "no form leads to `/cake`"]
fn a_form_that_is_not_there_is_not_sent() {
    form(PAGE, "/cake");
}

#[test]
#[should_panic = "no hidden field `version`"]
fn nor_is_a_field_of_another_form_read() {
    hidden(form(PAGE, "/soup"), "version");
}
