//! Who there is.

use store::{NewAccount, Role, StoreError};
use testkit::{Database, on_each_engine};

use crate::kitchen::{REQUEST, events, open};

const ADA: NewAccount<'static> = NewAccount {
    email: "Ada@Example.test",
    name: "Ada",
    password_hash: "$argon2id$c4nary",
    role: Role::Staff,
};

on_each_engine!(an_account_is_found_by_id_and_by_address_in_any_case);
async fn an_account_is_found_by_id_and_by_address_in_any_case(db: &Database) {
    let store = open(db).await;
    let ada = store.add_account(REQUEST, &ADA).await.unwrap();
    assert_eq!(
        (ada.email.as_str(), ada.name.as_str(), ada.role),
        ("ada@example.test", "Ada", Role::Staff)
    );
    assert!(ada.id.len() == 32 && ada.id.chars().all(|c| c.is_ascii_hexdigit()));
    assert_eq!(store.account(&ada.id).await.unwrap(), Some(ada.clone()));
    assert_eq!(store.account("nobody").await.unwrap(), None);
    let found = store.credentials("ADA@example.TEST").await.unwrap();
    assert_eq!(found, Some((ada.clone(), "$argon2id$c4nary".to_owned())));
    assert_eq!(store.credentials("ada@example.tes_").await.unwrap(), None);
    let opened = format!("account.opened account/{}: staff", ada.id);
    assert_eq!(events(&store).await, [opened]);
}

on_each_engine!(an_address_has_one_account);
async fn an_address_has_one_account(db: &Database) {
    let store = open(db).await;
    store.add_account(REQUEST, &ADA).await.unwrap();
    let again = NewAccount {
        email: "aDA@example.test",
        ..ADA
    };
    let refused = store.add_account(REQUEST, &again).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict("ADD_ACCOUNT"))),
        "{refused:?}"
    );
    assert_eq!(events(&store).await.len(), 1);
}

#[test]
fn a_hash_is_not_shown() {
    let shown = format!("{ADA:?}");
    assert!(
        shown.contains("Ada@Example.test") && !shown.contains("c4nary"),
        "{shown}"
    );
}
