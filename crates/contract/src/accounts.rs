//! Who there is, and how they prove it.

use std::fmt;

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text::{address, line};

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Orders meals.
    Customer,
    /// Runs the kitchen.
    Staff,
}

/// An account to open. It is a customer's: no request makes staff.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Where the account holder can be written to; unique, whatever its case.
    #[garde(length(chars, max = 254), custom(address))]
    #[schema(max_length = 254, pattern = "^[!-?A-~]+@[!-?A-~]+$")]
    pub email: String,
    /// What to call the account holder.
    #[garde(length(chars, max = 80), custom(line))]
    #[schema(
        max_length = 80,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    pub name: String,
    /// Any characters; length is what makes it strong.
    #[garde(length(chars, min = 12, max = 128))]
    #[schema(min_length = 12, max_length = 128, format = "password")]
    pub password: String,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Its id: opaque.
    pub id: String,
    /// Where the account holder can be written to.
    pub email: String,
    /// What to call the account holder.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// A proof of identity, to begin a session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// The account's address.
    #[garde(length(chars, max = 254), custom(address))]
    #[schema(max_length = 254, pattern = "^[!-?A-~]+@[!-?A-~]+$")]
    pub email: String,
    /// The account's password.
    #[garde(length(chars, max = 128))]
    #[schema(max_length = 128, format = "password")]
    pub password: String,
}

/// A session to go on with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The newest refresh token of the session. It is used up.
    #[garde(length(chars, min = 1, max = 128))]
    #[schema(min_length = 1, max_length = 128)]
    pub refresh_token: String,
}

/// What a session is used with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    /// For `authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// How long the access token holds, in seconds.
    pub expires_in: u64,
    /// For the next tokens. Works once: when it is used again, the session ends.
    pub refresh_token: String,
}

/// A request or an answer in a log or a failed assertion must not show what proves an identity.
macro_rules! debug_without_secrets {
    ($type:ident { $($shown:ident),* }) => {
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($type))
                    $(.field(stringify!($shown), &self.$shown))*
                    .finish_non_exhaustive()
            }
        }
    };
}

debug_without_secrets!(NewAccount { email, name });
debug_without_secrets!(NewSession { email });
debug_without_secrets!(Refresh {});
debug_without_secrets!(Tokens {
    token_type,
    expires_in
});

#[cfg(test)]
mod tests {
    use super::Tokens;

    #[test]
    fn tokens_do_not_show() {
        let tokens = Tokens {
            access_token: "hunter2".into(),
            token_type: "Bearer".into(),
            expires_in: 900,
            refresh_token: "hunter2".into(),
        };
        let shown = format!("{tokens:?}");
        assert_eq!(
            shown,
            "Tokens { token_type: \"Bearer\", expires_in: 900, .. }"
        );
    }
}
