//! Money that arrived.

use store::{By, Delivery, NewOrder, Order, OrderStatus, Paid, Store, StoreError};
use testkit::{Database, on_each_engine};
use tokio::task::JoinSet;

use crate::kitchen::{CHEF, REQUEST, events, open, placed};

const PROVIDER: By<'static> = By {
    actor: "payments",
    request_id: REQUEST,
};

const fn delivery(id: &str, timestamp: i64) -> Delivery<'_> {
    Delivery { id, timestamp }
}

/// The same customer orders the same again.
async fn another(store: &Store, order: &Order) -> Order {
    let by = By {
        actor: &order.customer,
        request_id: REQUEST,
    };
    let ask = NewOrder {
        meal_id: order.meal_id,
        quantity: order.quantity,
        wanted_at: None,
        key: None,
    };
    store.place_order(&by, &ask).await.unwrap()
}

/// How many of the attempts ended with each of these.
async fn counts<const N: usize>(
    attempts: JoinSet<Result<Paid, StoreError>>,
    ends: [Paid; N],
) -> [usize; N] {
    let attempts = attempts.join_all().await;
    let paid: Vec<_> = attempts.into_iter().map(Result::unwrap).collect();
    ends.map(|end| paid.iter().filter(|paid| **paid == end).count())
}

on_each_engine!(an_order_is_paid_once);
async fn an_order_is_paid_once(db: &Database) {
    let store = open(db).await;
    let order = placed(&store).await.id;
    let pay = async |id, timestamp, order, cents| {
        let delivery = delivery(id, timestamp);
        let paid = store.record_payment(&PROVIDER, &delivery, order, cents);
        paid.await.unwrap()
    };
    // What is refused is not remembered: the same delivery passes later.
    assert_eq!(pay("m1", 1, order, 449).await, Paid::WrongAmount);
    assert_eq!(pay("m1", 1, order + 1, 450).await, Paid::NoSuchOrder);
    assert_eq!(events(&store).await.len(), 3);
    assert_eq!(pay("m1", 1, order, 450).await, Paid::Accepted);

    assert_eq!(pay("m1", 1, order, 450).await, Paid::Replayed);
    assert_eq!(pay("m1", 2, order, 450).await, Paid::Duplicate);
    assert_eq!(pay("m1", 2, order, 450).await, Paid::Replayed);
    let order = store.order(order).await.unwrap().unwrap();
    assert!(order.paid_at.is_some_and(|at| at.ends_with('Z')));
    assert_eq!(order.version, 2);
    let expected = format!("payment.received order/{}: 450 cents", order.id);
    assert_eq!(events(&store).await[3..], [expected]);
}

on_each_engine!(a_second_payment_of_an_order_is_surplus);
async fn a_second_payment_of_an_order_is_surplus(db: &Database) {
    let store = open(db).await;
    let order = placed(&store).await.id;
    let pay = async |id, timestamp, cents| {
        let delivery = delivery(id, timestamp);
        let paid = store.record_payment(&PROVIDER, &delivery, order, cents);
        paid.await.unwrap()
    };
    assert_eq!(pay("m1", 1, 450).await, Paid::Accepted);
    let paid = store.order(order).await.unwrap();

    assert_eq!(pay("m2", 1, 449).await, Paid::WrongAmount);
    assert_eq!(pay("m2", 1, 450).await, Paid::Surplus);
    assert_eq!(pay("m2", 1, 450).await, Paid::Replayed);
    assert_eq!(pay("m2", 2, 450).await, Paid::Duplicate);
    assert_eq!(pay("m3", 1, 450).await, Paid::Surplus);
    assert_eq!(pay("m1", 2, 450).await, Paid::Duplicate);

    assert_eq!(store.order(order).await.unwrap(), paid);
    let expected = ["received", "surplus", "surplus"]
        .map(|what| format!("payment.{what} order/{order}: 450 cents"));
    assert_eq!(events(&store).await[3..], expected);
    // It has a row, too, or there would be nothing to repeat.
    db.refuses(
        "INSERT INTO payments (order_id, provider, delivery_id, amount_cents)
        SELECT order_id, provider, delivery_id, amount_cents FROM payments
        WHERE delivery_id = 'm3'",
    )
    .await;
}

on_each_engine!(a_payment_of_a_cancelled_order_is_surplus);
async fn a_payment_of_a_cancelled_order_is_surplus(db: &Database) {
    let store = open(db).await;
    let order = placed(&store).await;
    let (from, to) = (order.status, OrderStatus::Cancelled);
    let cancelled = store.move_order(&CHEF, order.id, 1, from, to).await;
    for (id, timestamp, expected) in [
        ("m1", 1, Paid::Surplus),
        ("m1", 2, Paid::Duplicate),
        ("m2", 1, Paid::Surplus),
    ] {
        let delivery = delivery(id, timestamp);
        let paid = store.record_payment(&PROVIDER, &delivery, order.id, 450);
        assert_eq!(paid.await.unwrap(), expected, "{id} {timestamp}");
    }
    let after = store.order(order.id).await.unwrap();
    assert_eq!(after, Some(cancelled.unwrap()));
    let expected = format!("payment.surplus order/{}: 450 cents", order.id);
    assert_eq!(events(&store).await[4..], [expected.clone(), expected]);
}

on_each_engine!(a_known_event_pays_no_other_order);
async fn a_known_event_pays_no_other_order(db: &Database) {
    let store = open(db).await;
    let first = placed(&store).await;
    let second = another(&store, &first).await;
    for (timestamp, order, expected) in [
        (1, first.id, Paid::Accepted),
        (2, second.id, Paid::Duplicate),
    ] {
        let delivery = delivery("m1", timestamp);
        let paid = store.record_payment(&PROVIDER, &delivery, order, 450).await;
        assert_eq!(paid.unwrap(), expected);
    }
    let second = store.order(second.id).await.unwrap().unwrap();
    assert_eq!(second.paid_at, None);
}

on_each_engine!(a_delivery_that_is_not_acted_on_is_remembered);
async fn a_delivery_that_is_not_acted_on_is_remembered(db: &Database) {
    let store = open(db).await;
    for (provider, id, timestamp, is_new) in [
        ("payments", "m1", 1, true),
        ("payments", "m1", 1, false),
        ("payments", "m1", 2, true),
        ("payments", "m2", 1, true),
        ("couriers", "m1", 1, true),
    ] {
        let noted = store
            .note_delivery(provider, &delivery(id, timestamp))
            .await;
        assert_eq!(noted.unwrap(), is_new, "{provider} {id} {timestamp}");
    }
    assert!(events(&store).await.is_empty());
}

on_each_engine!(of_many_deliveries_at_once_one_is_accepted);
async fn of_many_deliveries_at_once_one_is_accepted(db: &Database) {
    let store = open(db).await;
    let order = placed(&store).await.id;
    let mut attempts = JoinSet::new();
    for n in 0..12 {
        let store = store.clone();
        attempts.spawn(async move {
            // Three attempts of one event, each of them four times.
            let delivery = delivery("m1", n % 3);
            store.record_payment(&PROVIDER, &delivery, order, 450).await
        });
    }
    let expected = [Paid::Accepted, Paid::Duplicate, Paid::Replayed];
    assert_eq!(counts(attempts, expected).await, [1, 2, 9]);
    assert_eq!(events(&store).await.len(), 4);
}

on_each_engine!(of_many_payments_at_once_all_but_one_are_surplus);
async fn of_many_payments_at_once_all_but_one_are_surplus(db: &Database) {
    let store = open(db).await;
    let order = placed(&store).await.id;
    let mut attempts = JoinSet::new();
    for n in 0..12 {
        let store = store.clone();
        attempts.spawn(async move {
            // Four events, each of them told three times.
            let id = format!("m{}", n % 4);
            let delivery = delivery(&id, n);
            store.record_payment(&PROVIDER, &delivery, order, 450).await
        });
    }
    let expected = [Paid::Accepted, Paid::Surplus, Paid::Duplicate];
    assert_eq!(counts(attempts, expected).await, [1, 3, 8]);
    assert_eq!(events(&store).await.len(), 7);
}

on_each_engine!(an_event_told_of_two_orders_at_once_pays_one);
async fn an_event_told_of_two_orders_at_once_pays_one(db: &Database) {
    let store = open(db).await;
    let first = placed(&store).await;
    let mut orders = vec![first.id];
    for _ in 1..8 {
        orders.push(another(&store, &first).await.id);
    }
    let mut attempts = JoinSet::new();
    for (order, timestamp) in orders.into_iter().zip(1..) {
        let store = store.clone();
        attempts.spawn(async move {
            let delivery = delivery("m1", timestamp);
            store.record_payment(&PROVIDER, &delivery, order, 450).await
        });
    }
    let expected = [Paid::Accepted, Paid::Duplicate];
    assert_eq!(counts(attempts, expected).await, [1, 7]);
}
