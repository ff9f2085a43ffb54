//! Sessions and their refresh tokens.

use std::time::Duration;

use store::{Rotation, StoreError};
use testkit::{Database, on_each_engine};
use tokio::task::JoinSet;

use crate::kitchen::{CHEF, REQUEST, by, customer, events, open};

const HOUR: Duration = Duration::from_hours(1);

on_each_engine!(a_session_goes_on_from_token_to_token);
async fn a_session_goes_on_from_token_to_token(db: &Database) {
    let store = open(db).await;
    let ada = customer(&store, "ada").await;
    let session = store.open_session(&by(&ada), "h1", HOUR).await.unwrap();
    assert!(store.session_is_open(&session).await.unwrap());
    assert!(!store.session_is_open("another").await.unwrap());
    for (old, new) in [("h1", "h2"), ("h2", "h3")] {
        let rotated = store.rotate_session(REQUEST, old, new, HOUR).await.unwrap();
        let expected = Rotation::Rotated {
            session: session.clone(),
            account: ada.clone(),
        };
        assert_eq!(rotated, expected);
    }
    let unknown = store.rotate_session(REQUEST, "h4", "h5", HOUR).await;
    assert_eq!(unknown.unwrap(), Rotation::Unknown);
    let expected = [
        format!("account.opened account/{}: customer", ada.id),
        format!("session.opened session/{session}: "),
    ];
    assert_eq!(events(&store).await, expected);
}

on_each_engine!(a_token_that_is_used_again_closes_the_session);
async fn a_token_that_is_used_again_closes_the_session(db: &Database) {
    let store = open(db).await;
    let ada = customer(&store, "ada").await;
    let other = store.open_session(&by(&ada), "other", HOUR).await.unwrap();
    let session = store.open_session(&by(&ada), "h1", HOUR).await.unwrap();
    let rotate = async |old, new| store.rotate_session(REQUEST, old, new, HOUR).await.unwrap();
    assert!(matches!(rotate("h1", "h2").await, Rotation::Rotated { .. }));
    assert_eq!(rotate("h1", "h3").await, Rotation::Reused);
    assert!(!store.session_is_open(&session).await.unwrap());
    assert!(store.session_is_open(&other).await.unwrap());
    // Neither the newest token works any more, nor does the old one close anything again.
    for dead in ["h2", "h1", "h3"] {
        assert_eq!(rotate(dead, "h9").await, Rotation::Unknown, "{dead}");
    }
    let revoked = format!("session.revoked session/{session}: a refresh token was used twice");
    let events = events(&store).await;
    assert_eq!((events.len(), events.last()), (4, Some(&revoked)));
}

on_each_engine!(an_expired_token_is_unknown);
async fn an_expired_token_is_unknown(db: &Database) {
    let store = open(db).await;
    let ada = customer(&store, "ada").await;
    let session = store.open_session(&by(&ada), "h1", Duration::ZERO).await;
    let rotated = store.rotate_session(REQUEST, "h1", "h2", HOUR).await;
    assert_eq!(rotated.unwrap(), Rotation::Unknown);
    assert!(store.session_is_open(&session.unwrap()).await.unwrap());
}

on_each_engine!(closing_a_session_is_done_once);
async fn closing_a_session_is_done_once(db: &Database) {
    let store = open(db).await;
    let ada = customer(&store, "ada").await;
    let session = store.open_session(&by(&ada), "h1", HOUR).await.unwrap();
    for id in [&session, &session, "another"] {
        store.close_session(&by(&ada), id).await.unwrap();
    }
    assert!(!store.session_is_open(&session).await.unwrap());
    let rotated = store.rotate_session(REQUEST, "h1", "h2", HOUR).await;
    assert_eq!(rotated.unwrap(), Rotation::Unknown);
    let closed = format!("session.closed session/{session}: ");
    let events = events(&store).await;
    assert_eq!((events.len(), events.last()), (3, Some(&closed)));
}

on_each_engine!(a_session_needs_an_account);
async fn a_session_needs_an_account(db: &Database) {
    let store = open(db).await;
    let refused = store.open_session(&CHEF, "h1", HOUR).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound("OPEN_SESSION"))),
        "{refused:?}"
    );
    let rotated = store.rotate_session(REQUEST, "h1", "h2", HOUR).await;
    assert_eq!(rotated.unwrap(), Rotation::Unknown);
    assert!(events(&store).await.is_empty());
}

on_each_engine!(of_two_who_show_the_same_token_one_succeeds_and_the_session_ends);
async fn of_two_who_show_the_same_token_one_succeeds_and_the_session_ends(db: &Database) {
    let store = open(db).await;
    let ada = customer(&store, "ada").await;
    for round in 0..20 {
        let token = format!("h{round}");
        let session = store.open_session(&by(&ada), &token, HOUR).await.unwrap();
        let mut thieves = JoinSet::new();
        for thief in ["x", "y"] {
            let (store, token) = (store.clone(), token.clone());
            thieves.spawn(async move {
                let next = format!("{token}{thief}");
                store.rotate_session(REQUEST, &token, &next, HOUR).await
            });
        }
        let rotations = thieves.join_all().await.into_iter().map(Result::unwrap);
        let (reused, rotated): (Vec<_>, Vec<_>) =
            rotations.partition(|rotation| *rotation == Rotation::Reused);
        assert_eq!(reused.len(), 1, "{rotated:?}");
        assert!(matches!(rotated[..], [Rotation::Rotated { .. }]));
        assert!(!store.session_is_open(&session).await.unwrap());
    }
    assert_eq!(events(&store).await.len(), 1 + 2 * 20);
}
