//! What customers ask for.

use std::slice::from_ref;

use store::{NewOrder, OrderStatus, PageOf, StoreError};
use testkit::{Database, on_each_engine};
use tokio::task::JoinSet;

use crate::kitchen::{ALL, CHEF, by, customer, events, one, open, placed, soup};

on_each_engine!(an_order_is_placed_as_asked);
async fn an_order_is_placed_as_asked(db: &Database) {
    let store = open(db).await;
    let (ada, soup) = (customer(&store, "ada").await, soup(&store).await);
    let ask = NewOrder {
        quantity: 20,
        // To the millisecond, and in UTC.
        wanted_at: Some("2026-12-24T18:30:00.123456+01:00".parse().unwrap()),
        ..one(&soup)
    };
    let order = store.place_order(&by(&ada), &ask).await.unwrap();
    assert_eq!(
        (&order.customer, order.customer_name.as_str()),
        (&ada.id, "ada")
    );
    assert_eq!((order.meal_id, order.meal.as_str()), (soup.id, "soup"));
    assert_eq!((order.quantity, order.total_cents), (20, 9000));
    assert_eq!((order.status, order.version), (OrderStatus::Placed, 1));
    assert_eq!(order.wanted_at.as_deref(), Some("2026-12-24T17:30:00.123Z"));
    assert_eq!(order.paid_at, None);
    assert_shape(&order.placed_at);
    assert_eq!(store.order(order.id).await.unwrap(), Some(order.clone()));
    assert_eq!(store.order(0).await.unwrap(), None);
    assert_eq!(
        store.orders_of(&ada.id, ALL).await.unwrap(),
        *from_ref(&order)
    );
    let expected = format!(
        "order.placed order/{}: 20 of meal/{} for 9000 cents",
        order.id, soup.id
    );
    assert_eq!(events(&store).await[2..], [expected]);

    // The price was that of the moment.
    db.execute("UPDATE meals SET price_cents = 1").await;
    assert_eq!(store.order(order.id).await.unwrap(), Some(order));
}

/// RFC 3339 in UTC with milliseconds.
#[track_caller]
fn assert_shape(time: &str) {
    let digit = |c: char| if c.is_ascii_digit() { '9' } else { c };
    let shape: String = time.chars().map(digit).collect();
    assert_eq!(shape, "9999-99-99T99:99:99.999Z", "{time}");
}

on_each_engine!(an_order_needs_what_it_names);
async fn an_order_needs_what_it_names(db: &Database) {
    let store = open(db).await;
    let (ada, soup) = (customer(&store, "ada").await, soup(&store).await);
    let nobody = store.place_order(&CHEF, &one(&soup)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound(_))), "{nobody:?}");
    let unknown = NewOrder {
        meal_id: soup.id + 1,
        ..one(&soup)
    };
    let refused = store.place_order(&by(&ada), &unknown).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound(_))),
        "{refused:?}"
    );
    for quantity in [0, 21, -1, i32::MAX] {
        let ask = NewOrder {
            quantity,
            ..one(&soup)
        };
        let refused = store.place_order(&by(&ada), &ask).await;
        assert!(
            matches!(refused, Err(StoreError::Invalid(_))),
            "{refused:?}"
        );
    }
    db.execute("UPDATE meals SET available = FALSE").await;
    let refused = store.place_order(&by(&ada), &one(&soup)).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound(_))),
        "{refused:?}"
    );
    assert_eq!(store.orders(None, ALL).await.unwrap(), []);
    assert_eq!(events(&store).await.len(), 2);
}

on_each_engine!(lists_come_newest_first_and_in_pages);
async fn lists_come_newest_first_and_in_pages(db: &Database) {
    let store = open(db).await;
    let soup = soup(&store).await;
    let (ada, bob) = (customer(&store, "ada").await, customer(&store, "bob").await);
    let (mut hers, mut all) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let order = store.place_order(&by(&ada), &one(&soup)).await.unwrap();
        hers.insert(0, order.clone());
        all.insert(0, order);
        let order = store.place_order(&by(&bob), &one(&soup)).await.unwrap();
        all.insert(0, order);
    }
    let mut page = PageOf {
        after: None,
        limit: 2,
    };
    for expected in [&hers[..2], &hers[2..4], &hers[4..], &[]] {
        assert_eq!(store.orders_of(&ada.id, page).await.unwrap(), expected);
        page.after = expected.last().map(|order| order.id).or(page.after);
    }
    let (placed, moved) = (OrderStatus::Placed, OrderStatus::Cooking);
    let cooking = store.move_order(&CHEF, all[1].id, 1, placed, moved);
    all[1] = cooking.await.unwrap();
    assert_eq!(store.orders(None, ALL).await.unwrap(), all);
    let cooking = store.orders(Some(moved), ALL).await.unwrap();
    assert_eq!(cooking, [all.remove(1)]);
    let page = PageOf {
        after: Some(all[0].id),
        limit: 3,
    };
    let next = store.orders(Some(placed), page).await.unwrap();
    assert_eq!(next, all[1..4]);
    let nobody = store.orders_of("eve' OR '1'='1", ALL).await.unwrap();
    assert_eq!(nobody, []);
}

on_each_engine!(an_order_moves_from_where_it_is);
async fn an_order_moves_from_where_it_is(db: &Database) {
    use OrderStatus::{Cancelled, Cooking, Placed};

    let store = open(db).await;
    let order = placed(&store).await;
    let moves = async |version, from, to| {
        store
            .move_order(&CHEF, order.id, version, from, to)
            .await
            .map(|order| (order.status, order.version))
    };
    assert_eq!(moves(1, Placed, Cooking).await.unwrap(), (Cooking, 2));
    for (version, from) in [(1, Placed), (1, Cooking), (2, Placed), (3, Cooking)] {
        let stale = moves(version, from, Cancelled).await;
        assert!(
            matches!(
                stale,
                Err(StoreError::Stale {
                    query: "MOVE_ORDER",
                    current: 2
                })
            ),
            "{stale:?}"
        );
    }
    let nothing = store
        .move_order(&CHEF, order.id + 1, 1, Placed, Cooking)
        .await;
    assert!(
        matches!(nothing, Err(StoreError::NotFound(_))),
        "{nothing:?}"
    );
    assert_eq!(moves(2, Cooking, Cancelled).await.unwrap(), (Cancelled, 3));
    let expected = [
        format!("order.moved order/{}: placed -> cooking", order.id),
        format!("order.cancelled order/{}: cooking -> cancelled", order.id),
    ];
    assert_eq!(events(&store).await[3..], expected);
}

on_each_engine!(of_many_moves_of_one_version_one_succeeds);
async fn of_many_moves_of_one_version_one_succeeds(db: &Database) {
    let store = open(db).await;
    let id = placed(&store).await.id;
    let mut cooks = JoinSet::new();
    for n in 0..8 {
        let store = store.clone();
        let to = [OrderStatus::Cooking, OrderStatus::Cancelled][n % 2];
        cooks.spawn(async move {
            store
                .move_order(&CHEF, id, 1, OrderStatus::Placed, to)
                .await
        });
    }
    let mut moved = Vec::new();
    for result in cooks.join_all().await {
        match result {
            Ok(order) => moved.push(order),
            Err(StoreError::Stale { current, .. }) => assert_eq!(current, 2),
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(moved, store.orders(None, ALL).await.unwrap());
    assert_eq!(events(&store).await.len(), 4);
}

on_each_engine!(concurrent_writers_wait_for_each_other);
async fn concurrent_writers_wait_for_each_other(db: &Database) {
    let store = open(db).await;
    let (ada, soup) = (customer(&store, "ada").await, soup(&store).await);
    let mut writers = JoinSet::new();
    for _ in 0..40 {
        let (store, ada, ask) = (store.clone(), ada.clone(), one(&soup));
        writers.spawn(async move { store.place_order(&by(&ada), &ask).await });
    }
    for result in writers.join_all().await {
        result.unwrap();
    }
    assert_eq!(store.orders_of(&ada.id, ALL).await.unwrap().len(), 40);
    assert_eq!(events(&store).await.len(), 42);
    let state = store.pool_state();
    assert!(state.idle + state.used >= 1, "{state:?}");
}
