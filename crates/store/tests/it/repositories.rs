//! Each repository method on both engines.

use store::{Marker, Meal, NewMeal, NewOrder, Store, StoreError};
use testkit::{Database, on_each_engine};

async fn open(db: &Database) -> Store {
    Store::connect(db.url(), Marker::Dev).await.unwrap()
}

fn meal(name: &str) -> NewMeal {
    NewMeal {
        name: name.to_owned(),
        description: "with bread".to_owned(),
        price_cents: 450,
    }
}

on_each_engine!(the_menu_holds_what_is_available_by_number);
async fn the_menu_holds_what_is_available_by_number(db: &Database) {
    let store = open(db).await;
    assert_eq!(store.menu().await.unwrap(), []);
    let soup = store.add_meal(&meal("soup")).await.unwrap();
    let expected = Meal {
        id: soup.id,
        name: "soup".to_owned(),
        description: "with bread".to_owned(),
        price_cents: 450,
        available: true,
    };
    assert_eq!(soup, expected);
    let salad = store.add_meal(&meal("a salad")).await.unwrap();
    assert_eq!(store.menu().await.unwrap(), [soup, salad.clone()]);
    db.execute("UPDATE meals SET available = FALSE WHERE name = 'soup'")
        .await;
    assert_eq!(store.menu().await.unwrap(), [salad]);
}

on_each_engine!(a_meal_is_added_once_and_has_a_price);
async fn a_meal_is_added_once_and_has_a_price(db: &Database) {
    let store = open(db).await;
    store.add_meal(&meal("soup")).await.unwrap();
    let again = store.add_meal(&meal("soup")).await;
    assert!(
        matches!(again, Err(StoreError::Conflict("ADD_MEAL"))),
        "{again:?}"
    );
    let free = store
        .add_meal(&NewMeal {
            price_cents: 0,
            ..meal("water")
        })
        .await;
    assert!(
        matches!(free, Err(StoreError::Invalid("ADD_MEAL"))),
        "{free:?}"
    );
    assert_eq!(store.menu().await.unwrap().len(), 1);
}

on_each_engine!(an_order_is_placed_as_asked);
async fn an_order_is_placed_as_asked(db: &Database) {
    let store = open(db).await;
    let soup = store.add_meal(&meal("soup")).await.unwrap();
    let ask = NewOrder {
        meal_id: soup.id,
        quantity: 20,
    };
    let order = store.place_order("ada", &ask).await.unwrap();
    assert_eq!((order.customer.as_str(), order.meal_id), ("ada", soup.id));
    assert_eq!(
        (order.quantity, order.status.as_str(), order.version),
        (20, "placed", 1)
    );
    let shape: String = order
        .placed_at
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect();
    assert_eq!(shape, "9999-99-99T99:99:99.999Z", "{}", order.placed_at);
    assert_eq!(store.orders_of("ada").await.unwrap(), [order]);
}

on_each_engine!(an_order_needs_an_available_meal_and_a_sane_quantity);
async fn an_order_needs_an_available_meal_and_a_sane_quantity(db: &Database) {
    let store = open(db).await;
    let soup = store.add_meal(&meal("soup")).await.unwrap();
    let unknown = NewOrder {
        meal_id: soup.id + 1,
        quantity: 1,
    };
    let result = store.place_order("ada", &unknown).await;
    assert!(matches!(result, Err(StoreError::NotFound(_))), "{result:?}");
    for quantity in [0, 21, -1] {
        let result = store
            .place_order(
                "ada",
                &NewOrder {
                    meal_id: soup.id,
                    quantity,
                },
            )
            .await;
        assert!(matches!(result, Err(StoreError::Invalid(_))), "{result:?}");
    }
    db.execute("UPDATE meals SET available = FALSE").await;
    let result = store
        .place_order(
            "ada",
            &NewOrder {
                meal_id: soup.id,
                quantity: 1,
            },
        )
        .await;
    assert!(matches!(result, Err(StoreError::NotFound(_))), "{result:?}");
    assert_eq!(store.orders_of("ada").await.unwrap(), []);
}

on_each_engine!(a_customer_sees_the_newest_hundred_of_their_own);
async fn a_customer_sees_the_newest_hundred_of_their_own(db: &Database) {
    let store = open(db).await;
    let soup = store.add_meal(&meal("soup")).await.unwrap();
    let ask = NewOrder {
        meal_id: soup.id,
        quantity: 1,
    };
    store.place_order("bob", &ask).await.unwrap();
    let mut placed = Vec::new();
    for _ in 0..101 {
        placed.push(store.place_order("ada", &ask).await.unwrap().id);
    }
    let seen: Vec<i64> = store
        .orders_of("ada")
        .await
        .unwrap()
        .iter()
        .map(|order| order.id)
        .collect();
    let newest: Vec<i64> = placed.into_iter().rev().take(100).collect();
    assert_eq!(seen, newest);
    assert_eq!(store.orders_of("bob").await.unwrap().len(), 1);
    assert_eq!(store.orders_of("eve' OR '1'='1").await.unwrap(), []);
}

#[tokio::test]
async fn postgres_calls_a_text_with_a_nul_invalid() {
    let Some(db) = testkit::postgres().await else {
        return;
    };
    let added = open(&db).await.add_meal(&meal("so\0up")).await;
    assert!(matches!(added, Err(StoreError::Invalid(_))), "{added:?}");
}

on_each_engine!(concurrent_writers_wait_for_each_other);
async fn concurrent_writers_wait_for_each_other(db: &Database) {
    let store = open(db).await;
    let soup = store.add_meal(&meal("soup")).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let store = store.clone();
        writers.spawn(async move {
            store
                .place_order(
                    "ada",
                    &NewOrder {
                        meal_id: soup.id,
                        quantity: 1,
                    },
                )
                .await
        });
    }
    for result in writers.join_all().await {
        result.unwrap();
    }
    assert_eq!(store.orders_of("ada").await.unwrap().len(), 40);
}

#[test]
fn unknown_fields_are_refused() {
    let parsed = serde_json::from_str::<NewOrder>(r#"{"meal_id": 1, "quantity": 2}"#).unwrap();
    assert_eq!(
        parsed,
        NewOrder {
            meal_id: 1,
            quantity: 2
        }
    );
    let extra = r#"{"meal_id": 1, "quantity": 2, "status": "ready"}"#;
    assert!(serde_json::from_str::<NewOrder>(extra).is_err());
    let extra = r#"{"name": "soup", "price_cents": 1, "id": 7}"#;
    assert!(serde_json::from_str::<NewMeal>(extra).is_err());
}
