//! Who there is.

use std::fmt;

use crate::pool::run;
use crate::words::words;
use crate::{By, Store, StoreError};

words! {
    /// What an account may do.
    pub enum Role {
        /// Orders meals.
        Customer = "customer",
        /// Runs the kitchen.
        Staff = "staff",
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id: opaque.
    pub id: String,
    /// Where the account holder can be written to, in lower case; unique.
    pub email: String,
    /// What to call the account holder.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// An account to open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NewAccount<'a> {
    /// Where the account holder can be written to; unique, whatever its case.
    pub email: &'a str,
    /// What to call the account holder.
    pub name: &'a str,
    /// The password's hash, as a PHC string; not shown by `Debug`.
    pub password_hash: &'a str,
    /// What it may do.
    pub role: Role,
}

impl fmt::Debug for NewAccount<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount")
            .field("email", &self.email)
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// The columns of [`Account`], in the order every statement returns them.
pub(crate) type AccountRow = (String, String, String, Role);

impl From<AccountRow> for Account {
    fn from((id, email, name, role): AccountRow) -> Account {
        Account {
            id,
            email,
            name,
            role,
        }
    }
}

impl Store {
    /// Opens an account. The actor of the event is the account itself.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the e-mail address has an account.
    pub async fn add_account(
        &self,
        request_id: &str,
        new: &NewAccount<'_>,
    ) -> Result<Account, StoreError> {
        let mut tx = self.begin().await?;
        let row: AccountRow = run!(
            &mut tx,
            fetch_one,
            ADD_ACCOUNT,
            (
                new.email.to_lowercase(),
                new.name,
                new.password_hash,
                new.role.as_str()
            )
        )?;
        let account = Account::from(row);
        let by = By {
            actor: &account.id,
            request_id,
        };
        let subject = format!("account/{}", account.id);
        tx.commit_as(&by, "account.opened", &subject, account.role.as_str())
            .await?;
        Ok(account)
    }

    /// The account with this id.
    pub async fn account(&self, id: &str) -> Result<Option<Account>, StoreError> {
        let row: Option<AccountRow> = run!(self, fetch_optional, ACCOUNT, (id))?;
        Ok(row.map(Account::from))
    }

    /// The account with this e-mail address, whatever its case, and the hash of its password.
    /// None for an account that has no password.
    pub async fn credentials(&self, email: &str) -> Result<Option<(Account, String)>, StoreError> {
        let row: Option<(String, String, String, Role, String)> =
            run!(self, fetch_optional, CREDENTIALS, (email.to_lowercase()))?;
        Ok(row.map(|(id, email, name, role, hash)| ((id, email, name, role).into(), hash)))
    }
}
