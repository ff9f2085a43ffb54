//! What migrations make of the rows that were there before them.

use store::{By, Delivery, OrderStatus, Paid};
use testkit::Database;

use crate::kitchen::{ALL, REQUEST, by, customer, events, one, open};

/// The first migration that finds rows of the old shape.
const ACCOUNTS: i64 = 20_261_121_090_000;
/// The migration that lets an order be paid more than once.
const SURPLUS_PAYMENTS: i64 = 20_261_121_090_900;

const OLD_ROWS: &str = "
INSERT INTO meals (name, description, price_cents) VALUES ('soup', 'with bread', 450);
INSERT INTO meals (name, price_cents, available) VALUES ('gold leaf', 2000000000, FALSE);
INSERT INTO orders (customer, meal_id, quantity, status, version, placed_at)
    VALUES ('ada', 1, 2, 'delivered', 4, '2026-11-20T12:00:00.500Z');
INSERT INTO orders (customer, meal_id, quantity) VALUES ('Ada', 2, 20);
INSERT INTO orders (customer, meal_id, quantity) VALUES ('ada', 1, 1);
INSERT INTO orders (customer, meal_id, quantity) VALUES ('', 1, 1);
INSERT INTO orders (customer, meal_id, quantity) VALUES ('Zoë; '' --', 1, 3);
";

#[tokio::test]
async fn sqlite_rows_of_the_old_shape_survive() {
    old_rows_survive(testkit::sqlite_before(ACCOUNTS).await).await;
}

#[tokio::test]
async fn postgres_rows_of_the_old_shape_survive() {
    if let Some(db) = testkit::postgres_before(ACCOUNTS).await {
        old_rows_survive(db).await;
    }
}

async fn old_rows_survive(db: Database) {
    db.execute(OLD_ROWS).await;
    db.migrate().await;

    let store = open(&db).await;
    let meals = store.meals(ALL).await.unwrap();
    let versions: Vec<_> = meals
        .iter()
        .map(|meal| (&*meal.name, meal.version))
        .collect();
    assert_eq!(versions, [("soup", 1), ("gold leaf", 1)]);

    let mut orders = store.orders(None, ALL).await.unwrap();
    orders.reverse();
    let kept: Vec<_> = orders
        .iter()
        .map(|order| (&*order.customer, &*order.customer_name, order.total_cents))
        .collect();
    let expected = [
        ("ada", "ada", 900),
        ("Ada", "Ada", i32::MAX),
        ("ada", "ada", 450),
        ("", "", 450),
        ("Zoë; ' --", "Zoë; ' --", 1350),
    ];
    assert_eq!(kept, expected);
    let first = &orders[0];
    assert_eq!((first.id, first.meal_id, first.quantity), (1, 1, 2));
    assert_eq!((first.status, first.version), (OrderStatus::Delivered, 4));
    assert_eq!(first.placed_at, "2026-11-20T12:00:00.500Z");
    assert_eq!((&first.wanted_at, &first.paid_at), (&None, &None));

    // Nobody signs in as what was only a text, nor is it an event that there is an account for it.
    let zoe = store.account("Zoë; ' --").await.unwrap().unwrap();
    assert_eq!(zoe.email, "5a6fc3ab3b2027202d2d@customer.invalid");
    assert_eq!(store.credentials(&zoe.email).await.unwrap(), None);
    assert!(events(&store).await.is_empty());

    // The numbers go on, and a customer must exist from now on.
    let order = store.place_order(&by(&zoe), &one(&meals[0])).await.unwrap();
    assert_eq!(order.id, 6);
    customer(&store, "ada").await;
    db.refuses(
        "INSERT INTO orders (customer, meal_id, quantity, total_cents) VALUES ('eve', 1, 1, 1)",
    )
    .await;
    db.refuses("INSERT INTO orders (customer, meal_id, quantity) VALUES ('ada', 1, 1)")
        .await;
}

const ONE_PAYMENT: &str = "
INSERT INTO meals (name, price_cents) VALUES ('soup', 450);
INSERT INTO accounts (id, email, name, password_hash, role)
    VALUES ('ada', 'ada@example.test', 'ada', '!', 'customer');
INSERT INTO orders (customer, meal_id, quantity, total_cents, paid_at)
    VALUES ('ada', 1, 1, 450, '2026-11-20T12:00:00.500Z');
INSERT INTO payments (order_id, provider, delivery_id, amount_cents)
    VALUES (1, 'payments', 'm1', 450);
";

#[tokio::test]
async fn sqlite_payments_survive() {
    payments_survive(testkit::sqlite_before(SURPLUS_PAYMENTS).await).await;
}

#[tokio::test]
async fn postgres_payments_survive() {
    if let Some(db) = testkit::postgres_before(SURPLUS_PAYMENTS).await {
        payments_survive(db).await;
    }
}

async fn payments_survive(db: Database) {
    db.execute(ONE_PAYMENT).await;
    db.migrate().await;

    let store = open(&db).await;
    let provider = By {
        actor: "payments",
        request_id: REQUEST,
    };
    // The old row is what makes the first a duplicate: its delivery is not known.
    for (id, expected) in [("m1", Paid::Duplicate), ("m2", Paid::Surplus)] {
        let delivery = Delivery { id, timestamp: 1 };
        let paid = store.record_payment(&provider, &delivery, 1, 450).await;
        assert_eq!(paid.unwrap(), expected, "{id}");
    }
    db.refuses(
        "INSERT INTO payments (order_id, provider, delivery_id, amount_cents)
        VALUES (2, 'payments', 'm3', 450)",
    )
    .await;
}
