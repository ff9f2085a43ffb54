//! What most tests begin with: an open store with somebody to act, and something to eat.

use store::{Account, By, Environment, Meal, NewAccount, NewMeal, NewOrder, Order, PageOf};
use store::{Role, Store};
use testkit::Database;

/// More than any test has.
pub(crate) const ALL: PageOf = PageOf {
    after: None,
    limit: 1000,
};

pub(crate) const REQUEST: &str = "request-1";

pub(crate) const CHEF: By<'static> = By {
    actor: "chef",
    request_id: REQUEST,
};

pub(crate) async fn open(db: &Database) -> Store {
    Store::connect(db.url(), Environment::Dev).await.unwrap()
}

/// The account `<name>@example.test`.
pub(crate) async fn customer(store: &Store, name: &str) -> Account {
    let new = NewAccount {
        email: &format!("{name}@example.test"),
        name,
        password_hash: "$argon2id$not-really",
        role: Role::Customer,
    };
    store.add_account(REQUEST, &new).await.unwrap()
}

pub(crate) fn by(account: &Account) -> By<'_> {
    By {
        actor: &account.id,
        request_id: REQUEST,
    }
}

/// Costs 450 cents.
pub(crate) fn new_meal(name: &str) -> NewMeal<'_> {
    NewMeal {
        name,
        description: "with bread",
        price_cents: 450,
    }
}

pub(crate) async fn soup(store: &Store) -> Meal {
    store.add_meal(&CHEF, &new_meal("soup")).await.unwrap()
}

/// One of it.
pub(crate) fn one(meal: &Meal) -> NewOrder<'static> {
    NewOrder {
        meal_id: meal.id,
        quantity: 1,
        wanted_at: None,
        key: None,
    }
}

/// A customer's order of one soup, for 450 cents.
pub(crate) async fn placed(store: &Store) -> Order {
    let (ada, soup) = (customer(store, "ada").await, soup(store).await);
    store.place_order(&by(&ada), &one(&soup)).await.unwrap()
}

/// What was done, oldest first: `order.placed order/1: 1 of meal/1 for 450 cents`.
pub(crate) async fn events(store: &Store) -> Vec<String> {
    let events = store.audit(ALL).await.unwrap().into_iter().rev();
    events
        .map(|event| format!("{} {}: {}", event.action, event.subject, event.detail))
        .collect()
}
