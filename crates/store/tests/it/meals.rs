//! The menu.

use std::slice::from_ref;

use store::{Meal, MealChange, NewMeal, PageOf, StoreError};
use testkit::{Database, on_each_engine};
use tokio::task::JoinSet;

use crate::kitchen::{ALL, CHEF, events, new_meal, open, soup};

/// Takes it off the menu.
const SOLD_OUT: MealChange<'static> = MealChange {
    description: "with bread",
    price_cents: 450,
    available: false,
    version: 1,
};

on_each_engine!(the_menu_holds_what_is_available_by_number);
async fn the_menu_holds_what_is_available_by_number(db: &Database) {
    let store = open(db).await;
    assert_eq!(store.menu(ALL).await.unwrap(), []);
    let soup = soup(&store).await;
    let expected = Meal {
        id: soup.id,
        name: "soup".to_owned(),
        description: "with bread".to_owned(),
        price_cents: 450,
        available: true,
        version: 1,
    };
    assert_eq!(soup, expected);
    let salad = store.add_meal(&CHEF, &new_meal("a salad")).await.unwrap();
    assert_eq!(
        store.menu(ALL).await.unwrap(),
        [soup.clone(), salad.clone()]
    );
    let sold_out = store.change_meal(&CHEF, soup.id, &SOLD_OUT).await.unwrap();
    assert_eq!(store.menu(ALL).await.unwrap(), *from_ref(&salad));
    assert_eq!(store.meals(ALL).await.unwrap(), [sold_out, salad]);
}

on_each_engine!(the_menu_comes_in_pages);
async fn the_menu_comes_in_pages(db: &Database) {
    let store = open(db).await;
    let mut added = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        added.push(store.add_meal(&CHEF, &new_meal(name)).await.unwrap());
    }
    let mut page = PageOf {
        after: None,
        limit: 2,
    };
    for expected in [&added[..2], &added[2..4], &added[4..], &[]] {
        assert_eq!(store.menu(page).await.unwrap(), expected);
        assert_eq!(store.meals(page).await.unwrap(), expected);
        page.after = expected.last().map(|meal| meal.id).or(page.after);
    }
}

on_each_engine!(a_meal_is_added_once_and_has_a_price);
async fn a_meal_is_added_once_and_has_a_price(db: &Database) {
    let store = open(db).await;
    let meal = soup(&store).await;
    let again = store.add_meal(&CHEF, &new_meal("soup")).await;
    assert!(
        matches!(again, Err(StoreError::Conflict("ADD_MEAL"))),
        "{again:?}"
    );
    let free = NewMeal {
        price_cents: 0,
        ..new_meal("water")
    };
    let free = store.add_meal(&CHEF, &free).await;
    assert!(
        matches!(free, Err(StoreError::Invalid("ADD_MEAL"))),
        "{free:?}"
    );
    let added = format!("meal.added meal/{}: `soup` for 450 cents", meal.id);
    assert_eq!(store.menu(ALL).await.unwrap(), [meal]);
    assert_eq!(events(&store).await, [added]);
}

on_each_engine!(a_change_says_what_was_and_what_is);
async fn a_change_says_what_was_and_what_is(db: &Database) {
    let store = open(db).await;
    let id = soup(&store).await.id;
    let change = MealChange {
        description: "",
        price_cents: 500,
        ..SOLD_OUT
    };
    let changed = store.change_meal(&CHEF, id, &change).await.unwrap();
    assert_eq!(
        (changed.description.as_str(), changed.price_cents),
        ("", 500)
    );
    assert_eq!((changed.available, changed.version), (false, 2));
    let expected = format!(
        "meal.changed meal/{id}: \
         description `with bread` -> ``, price_cents 450 -> 500, available true -> false"
    );
    assert_eq!(events(&store).await[1..], [expected]);

    let stale = store.change_meal(&CHEF, id, &change).await;
    assert!(
        matches!(
            stale,
            Err(StoreError::Stale {
                query: "CHANGE_MEAL",
                current: 2
            })
        ),
        "{stale:?}"
    );
    let nothing = store.change_meal(&CHEF, id + 1, &change).await;
    assert!(
        matches!(nothing, Err(StoreError::NotFound("CHANGE_MEAL"))),
        "{nothing:?}"
    );
    let free = MealChange {
        price_cents: 0,
        version: 2,
        ..change
    };
    let free = store.change_meal(&CHEF, id, &free).await;
    assert!(
        matches!(free, Err(StoreError::Invalid("CHANGE_MEAL"))),
        "{free:?}"
    );
    assert_eq!(store.meals(ALL).await.unwrap(), [changed]);
    assert_eq!(events(&store).await.len(), 2);
}

on_each_engine!(of_many_changes_of_one_version_one_succeeds);
async fn of_many_changes_of_one_version_one_succeeds(db: &Database) {
    let store = open(db).await;
    let id = soup(&store).await.id;
    let mut cooks = JoinSet::new();
    for price_cents in 1..=8 {
        let store = store.clone();
        cooks.spawn(async move {
            let change = MealChange {
                price_cents,
                ..SOLD_OUT
            };
            store.change_meal(&CHEF, id, &change).await
        });
    }
    let mut changed = Vec::new();
    for result in cooks.join_all().await {
        match result {
            Ok(meal) => changed.push(meal),
            Err(StoreError::Stale { current, .. }) => assert_eq!(current, 2),
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(changed, store.meals(ALL).await.unwrap());
    assert_eq!(events(&store).await.len(), 2);
}

#[tokio::test]
async fn postgres_calls_a_text_with_a_nul_invalid() {
    let Some(db) = testkit::postgres().await else {
        return;
    };
    let store = open(&db).await;
    let added = store.add_meal(&CHEF, &new_meal("so\0up")).await;
    assert!(matches!(added, Err(StoreError::Invalid(_))), "{added:?}");
}
