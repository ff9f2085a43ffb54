//! Orders that are asked for again.

use store::{MealChange, NewOrder, OrderStatus, StoreError};
use testkit::{Database, on_each_engine};
use tokio::task::JoinSet;

use crate::kitchen::{ALL, CHEF, by, customer, events, new_meal, one, open, soup};

const KEY: Option<&str> = Some("key-1");

on_each_engine!(an_order_asked_for_again_is_the_one_placed_then);
async fn an_order_asked_for_again_is_the_one_placed_then(db: &Database) {
    let store = open(db).await;
    let (ada, soup) = (customer(&store, "ada").await, soup(&store).await);
    let ask = NewOrder {
        quantity: 20,
        wanted_at: Some("2026-12-24T18:30:00.123456+01:00".parse().unwrap()),
        key: KEY,
        ..one(&soup)
    };
    let order = store.place_order(&by(&ada), &ask).await.unwrap();
    assert_eq!(store.place_order(&by(&ada), &ask).await.unwrap(), order);
    // To the millisecond the same moment.
    let reworded = NewOrder {
        wanted_at: Some("2026-12-24T17:30:00.123Z".parse().unwrap()),
        ..ask
    };
    let again = store.place_order(&by(&ada), &reworded).await;
    assert_eq!(again.unwrap(), order);

    // Whatever has become of the order and of the meal: it could not be placed any more.
    let change = MealChange {
        description: "with gold",
        price_cents: i32::MAX,
        available: false,
        version: 1,
    };
    store.change_meal(&CHEF, soup.id, &change).await.unwrap();
    let (from, to) = (OrderStatus::Placed, OrderStatus::Cancelled);
    let moved = store.move_order(&CHEF, order.id, 1, from, to).await;
    let again = store.place_order(&by(&ada), &ask).await;
    assert_eq!(again.unwrap(), moved.unwrap());

    assert_eq!(store.orders(None, ALL).await.unwrap().len(), 1);
    let events = events(&store).await;
    let placed = events
        .iter()
        .filter(|said| said.starts_with("order.placed"));
    assert_eq!(placed.count(), 1, "{events:?}");
}

on_each_engine!(a_key_is_for_one_order);
async fn a_key_is_for_one_order(db: &Database) {
    let store = open(db).await;
    let (ada, soup) = (customer(&store, "ada").await, soup(&store).await);
    let cake = store.add_meal(&CHEF, &new_meal("cake")).await.unwrap();
    let ask = NewOrder {
        quantity: 2,
        wanted_at: Some("2026-12-24T17:30:00.123Z".parse().unwrap()),
        key: KEY,
        ..one(&soup)
    };
    store.place_order(&by(&ada), &ask).await.unwrap();
    for other in [
        NewOrder {
            meal_id: cake.id,
            ..ask
        },
        NewOrder {
            meal_id: cake.id + 1,
            ..ask
        },
        NewOrder { quantity: 1, ..ask },
        NewOrder { quantity: 0, ..ask },
        NewOrder {
            wanted_at: None,
            ..ask
        },
        NewOrder {
            wanted_at: Some("2026-12-24T17:30:00.124Z".parse().unwrap()),
            ..ask
        },
    ] {
        let refused = store.place_order(&by(&ada), &other).await;
        assert!(
            matches!(refused, Err(StoreError::Conflict("PLACE_ORDER"))),
            "{other:?}: {refused:?}"
        );
    }
    assert_eq!(store.orders(None, ALL).await.unwrap().len(), 1);
    assert_eq!(events(&store).await.len(), 4);
}

on_each_engine!(other_keys_and_other_customers_are_independent);
async fn other_keys_and_other_customers_are_independent(db: &Database) {
    let store = open(db).await;
    let (ada, bob) = (customer(&store, "ada").await, customer(&store, "bob").await);
    let soup = soup(&store).await;
    let mut ids = Vec::new();
    for (who, key) in [
        (&ada, KEY),
        (&bob, KEY),
        (&ada, Some("KEY-1")),
        (&ada, None),
        (&ada, None),
    ] {
        let ask = NewOrder { key, ..one(&soup) };
        let order = store.place_order(&by(who), &ask).await.unwrap();
        assert_eq!(order.customer, who.id);
        ids.push(order.id);
    }
    ids.reverse();
    let all = store.orders(None, ALL).await.unwrap();
    assert_eq!(all.iter().map(|order| order.id).collect::<Vec<_>>(), ids);
}

on_each_engine!(what_was_refused_leaves_its_key_free);
async fn what_was_refused_leaves_its_key_free(db: &Database) {
    let store = open(db).await;
    let (ada, soup) = (customer(&store, "ada").await, soup(&store).await);
    let ask = NewOrder {
        key: KEY,
        ..one(&soup)
    };
    let none = NewOrder { quantity: 0, ..ask };
    let refused = store.place_order(&by(&ada), &none).await;
    assert!(
        matches!(refused, Err(StoreError::Invalid(_))),
        "{refused:?}"
    );
    let unknown = NewOrder {
        meal_id: soup.id + 1,
        ..ask
    };
    let refused = store.place_order(&by(&ada), &unknown).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound(_))),
        "{refused:?}"
    );
    store.place_order(&by(&ada), &ask).await.unwrap();
}

on_each_engine!(of_many_calls_with_one_key_at_once_all_get_the_one_order);
async fn of_many_calls_with_one_key_at_once_all_get_the_one_order(db: &Database) {
    let store = open(db).await;
    // A second pool, as a second instance of the service has.
    let stores = [store.clone(), open(db).await];
    let (ada, soup) = (customer(&store, "ada").await, soup(&store).await);
    let mut callers = JoinSet::new();
    for n in 0..16 {
        let (store, ada) = (stores[n % 2].clone(), ada.clone());
        let ask = NewOrder {
            key: KEY,
            ..one(&soup)
        };
        callers.spawn(async move { store.place_order(&by(&ada), &ask).await });
    }
    let placed: Vec<_> = callers.join_all().await;
    let placed: Vec<_> = placed.into_iter().map(Result::unwrap).collect();
    let all = store.orders(None, ALL).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(placed, vec![all[0].clone(); 16]);
    assert_eq!(events(&store).await.len(), 3);
}
