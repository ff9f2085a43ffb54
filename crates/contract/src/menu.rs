//! What the kitchen offers.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::number::whole;
use crate::text::{line, lines};

/// A meal the kitchen offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Meal {
    /// Its number.
    pub id: i64,
    /// Its name, unique.
    pub name: String,
    /// What it is; may be empty.
    pub description: String,
    /// Its price in cents.
    pub price_cents: i32,
    /// Whether it can be ordered.
    pub available: bool,
    /// Grows by one with every change.
    pub version: i32,
}

/// A meal to add; it is available at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMeal {
    /// Its name, unique.
    #[garde(length(chars, max = 80), custom(line))]
    #[schema(
        max_length = 80,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    pub name: String,
    /// What it is; may be empty.
    #[garde(length(chars, max = 500), custom(lines))]
    #[schema(
        max_length = 500,
        pattern = r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$"
    )]
    #[serde(default)]
    pub description: String,
    /// Its price in cents, up to a thousand in the currency of the house.
    #[garde(range(min = 1, max = 100_000))]
    #[schema(minimum = 1, maximum = 100_000)]
    #[serde(deserialize_with = "whole")]
    pub price_cents: i32,
}

/// A change of a meal: all that staff may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MealChange {
    /// What it is; may be empty.
    #[garde(length(chars, max = 500), custom(lines))]
    #[schema(
        max_length = 500,
        pattern = r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$"
    )]
    pub description: String,
    /// Its price in cents.
    #[garde(range(min = 1, max = 100_000))]
    #[schema(minimum = 1, maximum = 100_000)]
    #[serde(deserialize_with = "whole")]
    pub price_cents: i32,
    /// Whether it can be ordered.
    #[garde(skip)]
    pub available: bool,
    /// The version that the change was made on: another one is refused.
    #[garde(range(min = 1))]
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    #[serde(deserialize_with = "whole")]
    pub version: i32,
}
