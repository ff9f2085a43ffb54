//! The events: one for each change, for ever.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use store::{AuditEvent, OrderStatus, PageOf};
use testkit::{Database, on_each_engine};
use tokio::time::timeout;

use crate::kitchen::{ALL, CHEF, by, customer, events, one, open, placed, soup};

on_each_engine!(an_event_tells_who_did_what_when_and_why);
async fn an_event_tells_who_did_what_when_and_why(db: &Database) {
    let store = open(db).await;
    let meal = soup(&store).await;
    let seen = store.audit(ALL).await.unwrap();
    let expected = AuditEvent {
        id: seen[0].id,
        at: seen[0].at.clone(),
        actor: "chef".to_owned(),
        action: "meal.added".to_owned(),
        subject: format!("meal/{}", meal.id),
        detail: "`soup` for 450 cents".to_owned(),
        request_id: "request-1".to_owned(),
    };
    assert_eq!(seen, [expected]);
    assert!(seen[0].at.len() == 24 && seen[0].at.ends_with('Z'));

    let ada = customer(&store, "ada").await;
    store.place_order(&by(&ada), &one(&meal)).await.unwrap();
    let all = store.audit(ALL).await.unwrap();
    let who: Vec<_> = all.iter().map(|event| event.actor.as_str()).collect();
    assert_eq!(who, [&ada.id, &ada.id, "chef"]);
    let page = PageOf {
        after: Some(all[0].id),
        limit: 1,
    };
    assert_eq!(store.audit(page).await.unwrap(), all[1..2]);
}

on_each_engine!(an_event_is_neither_changed_nor_removed);
async fn an_event_is_neither_changed_nor_removed(db: &Database) {
    let store = open(db).await;
    soup(&store).await;
    let before = events(&store).await;
    for tampering in [
        "UPDATE audit_events SET actor = 'nobody'",
        "DELETE FROM audit_events",
        "DELETE FROM audit_events WHERE action = 'meal.added'",
    ] {
        let refused = db.refuses(tampering).await;
        assert!(
            refused.contains("audit events are never changed"),
            "{refused}"
        );
    }
    let tampering = match db.engine() {
        "sqlite" => {
            "INSERT OR REPLACE INTO audit_events (id, actor, action, subject, detail, request_id)
             SELECT id, 'nobody', action, subject, detail, request_id FROM audit_events"
        }
        _ => "TRUNCATE audit_events",
    };
    let refused = db.refuses(tampering).await;
    assert!(
        refused.contains("audit events are never changed"),
        "{refused}"
    );
    assert_eq!(events(&store).await, before);
}

on_each_engine!(a_change_without_its_event_does_not_happen);
async fn a_change_without_its_event_does_not_happen(db: &Database) {
    let store = open(db).await;
    let order = placed(&store).await;
    db.execute("ALTER TABLE audit_events RENAME COLUMN detail TO details")
        .await;
    let moved = (OrderStatus::Placed, OrderStatus::Cooking);
    let failed = store.move_order(&CHEF, order.id, 1, moved.0, moved.1).await;
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(store.order(order.id).await.unwrap(), Some(order));
    let menu = store.menu(ALL).await.unwrap();
    let added = store
        .add_meal(&CHEF, &crate::kitchen::new_meal("salad"))
        .await;
    assert!(added.is_err(), "{added:?}");
    assert_eq!(store.menu(ALL).await.unwrap(), menu);
}

/// Drops the future in the middle of its n-th step, if it has as many.
async fn give_up_after(mut polls: usize, future: impl Future) {
    let mut future = pin!(future);
    let poll = |cx: &mut Context<'_>| {
        polls -= 1;
        let done = future.as_mut().poll(cx).map(|_| ());
        if polls == 0 { Poll::Ready(()) } else { done }
    };
    poll_fn(poll).await;
}

on_each_engine!(a_change_that_is_given_up_at_any_moment_is_whole_or_not_at_all);
async fn a_change_that_is_given_up_at_any_moment_is_whole_or_not_at_all(db: &Database) {
    let store = open(db).await;
    let (ada, soup) = (customer(&store, "ada").await, soup(&store).await);
    let lock = match db.engine() {
        "sqlite" => "BEGIN EXCLUSIVE; COMMIT",
        _ => "BEGIN; LOCK TABLE meals; COMMIT",
    };
    for polls in 1..=20 {
        give_up_after(polls, store.place_order(&by(&ada), &one(&soup))).await;
        // A connection that was left inside of the change would read on in it, and never let go.
        for _ in 0..3 {
            store.menu(ALL).await.unwrap();
        }
        let locked = timeout(Duration::from_secs(2), db.execute(lock)).await;
        assert!(locked.is_ok(), "{polls}");
    }
    let orders = store.orders(None, ALL).await.unwrap().len();
    let events = events(&store).await;
    let placed = events.iter().filter(|e| e.starts_with("order.placed"));
    assert_eq!(placed.count(), orders);
    assert!(orders > 0 && orders < 20, "{orders}");
}
