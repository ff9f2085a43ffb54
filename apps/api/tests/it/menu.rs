//! The menu.

use contract::{Meal, Page};
use serde_json::json;
use testkit::{Database, on_each_engine};

use crate::actors::Actor as _;
use crate::app::TestApp;
use crate::expect::Expect as _;

on_each_engine!(staff_add_meals_that_everyone_sees);
async fn staff_add_meals_that_everyone_sees(database: &Database) {
    let app = TestApp::on(database).await;
    let empty = json!({"items": [], "next_cursor": null});
    assert_eq!(app.anonymous().get("/v1/menu").await.expect(200), empty);

    let soup = json!({"name": "Soup", "price_cents": 450});
    let meal = app.staff().await.post("/v1/menu", soup).await.expect(201);
    let expected = json!({
        "id": meal["id"],
        "name": "Soup",
        "description": "",
        "price_cents": 450,
        "available": true,
        "version": 1,
    });
    assert_eq!(meal, expected);
    assert_eq!(app.anonymous().items("/v1/menu").await, [expected]);
}

on_each_engine!(a_name_that_is_taken_conflicts);
async fn a_name_that_is_taken_conflicts(database: &Database) {
    let app = TestApp::on(database).await;
    let staff = app.staff().await;
    staff.add_meal("Soup", 450).await;
    let again = json!({"name": "Soup", "price_cents": 500});
    let answer = staff.post("/v1/menu", again).await;
    answer.refused(409, "there is a meal with this name already");
}

on_each_engine!(staff_change_meals_and_take_them_off_the_menu);
async fn staff_change_meals_and_take_them_off_the_menu(database: &Database) {
    let app = TestApp::on(database).await;
    let staff = app.staff().await;
    let soup = staff.add_meal("Soup", 450).await;
    let path = format!("/v1/menu/{}", soup.id);
    let change =
        json!({"description": "hot", "price_cents": 500, "available": false, "version": 1});
    let changed: Meal = staff.patch(&path, &change).await.parse(200);
    let expected = Meal {
        description: "hot".to_owned(),
        price_cents: 500,
        available: false,
        version: 2,
        ..soup
    };
    assert_eq!(changed, expected);
    assert_eq!(app.anonymous().items("/v1/menu").await, [json!(null); 0]);
    assert_eq!(staff.items("/v1/menu/all").await, [json!(expected)]);

    let stale = staff.patch(&path, &change).await;
    stale.refused(409, "it was changed in the meantime: its version is 2 now");
    let unknown = staff.patch("/v1/menu/4711", &change).await;
    unknown.refused(404, "what the request refers to is not there");
}

#[tokio::test]
async fn long_menus_come_in_pages() {
    let app = TestApp::new().await;
    let staff = app.staff().await;
    for n in 1..=5 {
        staff.add_meal(&format!("Meal {n}"), 100 * n).await;
    }
    let anonymous = app.anonymous();
    let mut names = Vec::new();
    let mut path = "/v1/menu?limit=2".to_owned();
    for expected in [2, 2, 1] {
        let page: Page<Meal> = anonymous.get(&path).await.parse(200);
        assert_eq!(page.items.len(), expected);
        names.extend(page.items.into_iter().map(|meal| meal.name));
        let Some(cursor) = page.next_cursor else {
            break;
        };
        path = format!("/v1/menu?limit=2&cursor={cursor}");
    }
    assert_eq!(names, ["Meal 1", "Meal 2", "Meal 3", "Meal 4", "Meal 5"]);
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused() {
    let app = TestApp::new().await;
    let get = async |query: &str| app.anonymous().get(&format!("/v1/menu?{query}")).await;
    get("limit=0").await.invalid(&[("limit", "lower than 1")]);
    get("limit=101")
        .await
        .invalid(&[("limit", "greater than 100")]);
    get("limit=-1")
        .await
        .invalid(&[("limit", "cannot be read")]);
    get("limit=99999999")
        .await
        .invalid(&[("limit", "cannot be read")]);
    get("limit=1&limit=2")
        .await
        .invalid(&[("limit", "is given twice")]);
    get("page=2")
        .await
        .invalid(&[("", "unknown field, expected `cursor` or `limit`")]);
    let cursor = get("cursor=x&limit=1000").await.expect(422);
    assert_eq!(cursor["errors"][0]["field"], "cursor");
    assert_eq!(cursor["errors"][1]["field"], "limit");
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named() {
    let app = TestApp::new().await;
    let staff = app.staff().await;
    let bad = json!({"name": " ", "description": "x".repeat(501), "price_cents": 0});
    staff.post("/v1/menu", bad).await.invalid(&[
        ("description", "length is greater than 500"),
        ("name", "must not be empty"),
        ("price_cents", "lower than 1"),
    ]);
    let long = json!({"name": "x".repeat(81), "description": "hot\r", "price_cents": 100_001});
    staff.post("/v1/menu", long).await.invalid(&[
        (
            "description",
            "must have no control characters but line breaks",
        ),
        ("name", "length is greater than 80"),
        ("price_cents", "greater than 100000"),
    ]);
    let control = json!({"name": "So\0up", "description": "hot\nor cold", "price_cents": 450});
    let answer = staff.post("/v1/menu", control).await;
    answer.invalid(&[("name", "must have no control characters")]);
}

#[tokio::test]
async fn a_body_of_another_shape_is_explained() {
    let app = TestApp::new().await;
    let staff = app.staff().await;
    let post = async |body| staff.post("/v1/menu", body).await;
    post(json!({"name": "Soup"}))
        .await
        .invalid(&[("price_cents", "is missing")]);
    let text = json!({"name": "Soup", "price_cents": "450, expected or not"});
    post(text)
        .await
        .invalid(&[("price_cents", "expected a whole number")]);
    post(json!({"name": 7, "price_cents": 1}))
        .await
        .invalid(&[("name", "expected a string")]);
    post(json!(["Soup"]))
        .await
        .invalid(&[("", "expected struct NewMeal with 3 elements")]);
    post(json!("Soup"))
        .await
        .invalid(&[("", "expected struct NewMeal")]);
}
