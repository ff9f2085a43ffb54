//! The orders of everybody, as staff see and move them.

use contract::{Order, OrderStatus, Page};
use serde_json::json;
use testkit::{Database, on_each_engine};

use crate::actors::Actor as _;
use crate::app::TestApp;
use crate::expect::Expect as _;

on_each_engine!(staff_move_an_order_from_the_stove_to_the_door);
async fn staff_move_an_order_from_the_stove_to_the_door(database: &Database) {
    let app = TestApp::on(database).await;
    let (ada, staff) = (app.customer("ada").await, app.staff().await);
    let soup = staff.add_meal("Soup", 450).await;
    let mut order = ada.order(&soup, 1).await;
    for status in [
        OrderStatus::Cooking,
        OrderStatus::Ready,
        OrderStatus::Delivered,
    ] {
        let moved: Order = staff.move_on(&order, status).await.parse(200);
        assert_eq!((moved.status, moved.version), (status, order.version + 1));
        order = moved;
    }
    assert_eq!(ada.items("/v1/orders").await, [json!(order)]);
}

/// Every pair of states, on one engine: the rule is ours, not the database's.
#[tokio::test]
async fn only_legal_moves_are_made() {
    use OrderStatus::{Cancelled, Cooking, Delivered, Placed, Ready};

    let app = TestApp::new().await;
    let (ada, staff) = (app.customer("ada").await, app.staff().await);
    let soup = staff.add_meal("Soup", 450).await;
    for path in [
        &[Placed][..],
        &[Cooking],
        &[Cooking, Ready],
        &[Cooking, Ready, Delivered],
        &[Cancelled],
    ] {
        for to in [Placed, Cooking, Ready, Delivered, Cancelled] {
            let mut order = ada.order(&soup, 1).await;
            for &status in path.iter().filter(|&&status| status != Placed) {
                order = staff.move_on(&order, status).await.parse(200);
            }
            let from = order.status;
            let answer = staff.move_on(&order, to).await;
            let is_legal = matches!(
                (from, to),
                (Placed, Cooking | Cancelled) | (Cooking, Ready | Cancelled) | (Ready, Delivered)
            );
            if is_legal {
                assert_eq!(answer.parse::<Order>(200).status, to);
            } else {
                answer.refused(
                    409,
                    &format!("an order that is `{from}` cannot become `{to}`"),
                );
            }
        }
    }
}

on_each_engine!(of_two_who_move_an_order_one_is_told_of_the_other);
async fn of_two_who_move_an_order_one_is_told_of_the_other(database: &Database) {
    let app = TestApp::on(database).await;
    let (ada, staff) = (app.customer("ada").await, app.staff().await);
    let order = ada.order(&staff.add_meal("Soup", 450).await, 1).await;
    let (one, other) = tokio::join!(
        staff.move_on(&order, OrderStatus::Cooking),
        staff.move_on(&order, OrderStatus::Cancelled),
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);

    let cooking = ada.order(&staff.add_meal("Stew", 650).await, 1).await;
    staff
        .move_on(&cooking, OrderStatus::Cooking)
        .await
        .expect(200);
    let stale = staff.move_on(&cooking, OrderStatus::Ready).await;
    stale.refused(409, "it was changed in the meantime: its version is 2 now");
}

on_each_engine!(staff_list_everybodys_orders_by_status);
async fn staff_list_everybodys_orders_by_status(database: &Database) {
    let app = TestApp::on(database).await;
    let (ada, bob, staff) = (
        app.customer("ada").await,
        app.customer("bob").await,
        app.staff().await,
    );
    let soup = staff.add_meal("Soup", 450).await;
    let (adas, bobs) = (ada.order(&soup, 1).await, bob.order(&soup, 1).await);
    let adas: Order = staff.move_on(&adas, OrderStatus::Cooking).await.parse(200);

    let list = async |query: &str| {
        let page: Page<Order> = staff
            .get(&format!("/v1/kitchen/orders{query}"))
            .await
            .parse(200);
        page.items
    };
    assert_eq!(list("").await, [bobs.clone(), adas.clone()]);
    assert_eq!(list("?status=cooking").await, std::slice::from_ref(&adas));
    assert_eq!(
        list("?status=placed&limit=1").await,
        std::slice::from_ref(&bobs)
    );
    assert_eq!(list(&format!("?cursor={}", bobs.id)).await, [adas]);
    assert!(list("?status=ready").await.is_empty());

    let answer = staff.get("/v1/kitchen/orders?status=eaten").await;
    answer.invalid(&[(
        "status",
        "expected one of `placed`, `cooking`, `ready`, `delivered`, `cancelled`",
    )]);
}

#[tokio::test]
async fn an_order_that_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    let change = json!({"status": "cooking", "version": 1});
    let answer = app
        .staff()
        .await
        .patch("/v1/kitchen/orders/4711", change)
        .await;
    answer.refused(404, "there is no such order");
}
