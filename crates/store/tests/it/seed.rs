//! The rows that every local database begins with.

use argon2::{Argon2, PasswordHash, PasswordVerifier};
use store::Role;
use testkit::{Database, on_each_engine};

use crate::kitchen::{ALL, open};

const SEED: &str = include_str!("../../../../migrations/seed.sql");

on_each_engine!(the_seed_can_be_applied_again);
async fn the_seed_can_be_applied_again(db: &Database) {
    db.execute(SEED).await;
    let store = open(db).await;
    let before = (
        store.menu(ALL).await.unwrap(),
        store.orders(None, ALL).await.unwrap(),
    );
    assert_eq!((before.0.len(), before.1.len()), (3, 3));
    db.execute(SEED).await;
    let after = (
        store.menu(ALL).await.unwrap(),
        store.orders(None, ALL).await.unwrap(),
    );
    assert_eq!(before, after);

    for (email, role) in [
        ("customer@example.test", Role::Customer),
        ("staff@example.test", Role::Staff),
    ] {
        let (account, hash) = store.credentials(email).await.unwrap().unwrap();
        assert_eq!(account.role, role);
        let hash = PasswordHash::new(&hash).unwrap();
        let verified = Argon2::default().verify_password(b"pancakes-for-all", &hash);
        assert!(verified.is_ok(), "{verified:?}");
    }
}
