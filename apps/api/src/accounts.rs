//! Who there is.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use contract::{Account, NewAccount, Role};
use store::StoreError;

use crate::error::ApiError;
use crate::state::{Api, Caller, request_id};
use crate::valid::Valid;

/// Opens an account.
#[utoipa::path(
    post,
    path = "/v1/accounts",
    request_body = NewAccount,
    responses(
        (status = 201, description = "the account", body = Account),
        (status = 409, description = "there is an account with this e-mail address"),
    ),
)]
pub(crate) async fn open(
    State(api): State<Api>,
    Valid(new): Valid<NewAccount>,
) -> Result<(StatusCode, Json<Account>), ApiError> {
    let password_hash = api.passwords.hash(new.password).await?;
    let new = store::NewAccount {
        email: &new.email,
        name: &new.name,
        password_hash: &password_hash,
        role: store::Role::Customer,
    };
    let opened = api.store.add_account(request_id().as_str(), &new).await;
    let account = opened.map_err(|error| match error {
        StoreError::Conflict(_) => {
            ApiError::conflict("there is an account with this e-mail address already")
        }
        other => other.into(),
    })?;
    Ok((StatusCode::CREATED, Json(to_contract(account))))
}

/// Tells who is signed in.
#[utoipa::path(
    get,
    path = "/v1/accounts/me",
    responses((status = 200, description = "the account", body = Account)),
)]
pub(crate) async fn me(State(api): State<Api>, caller: Caller) -> Result<Json<Account>, ApiError> {
    let account = api.store.account(caller.id()).await?;
    let account = account.ok_or_else(|| ApiError::unauthorized("the account is gone"))?;
    Ok(Json(to_contract(account)))
}

fn to_contract(account: store::Account) -> Account {
    Account {
        id: account.id,
        email: account.email,
        name: account.name,
        role: match account.role {
            store::Role::Customer => Role::Customer,
            store::Role::Staff => Role::Staff,
        },
    }
}
