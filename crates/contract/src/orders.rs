//! What customers ask for, and how far it is.

use std::fmt;

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::number::whole;

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OrderStatus {
    /// Asked for; the customer may still cancel it.
    Placed,
    /// On the stove.
    Cooking,
    /// On the pass.
    Ready,
    /// With the customer.
    Delivered,
    /// Called off.
    Cancelled,
}

impl OrderStatus {
    /// What staff may make of an order in this status.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Placed => &[Self::Cooking, Self::Cancelled],
            Self::Cooking => &[Self::Ready, Self::Cancelled],
            Self::Ready => &[Self::Delivered],
            Self::Delivered | Self::Cancelled => &[],
        }
    }

    /// The spelling in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Cooking => "cooking",
            Self::Ready => "ready",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An order to place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// The meal asked for.
    #[garde(range(min = 1, max = 9_007_199_254_740_991))]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_u64)]
    #[serde(deserialize_with = "whole")]
    pub meal_id: i64,
    /// How many of it.
    #[garde(range(min = 1, max = 20))]
    #[schema(minimum = 1, maximum = 20)]
    #[serde(deserialize_with = "whole")]
    pub quantity: i32,
    /// When it is wanted, for a preorder: at most 14 days ahead. Now, unless told.
    #[garde(skip)]
    #[schema(format = "date-time")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted_at: Option<String>,
}

/// What a customer asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// Its number.
    pub id: i64,
    /// The account that asked.
    pub customer: String,
    /// What to call the account holder.
    pub customer_name: String,
    /// The meal asked for.
    pub meal_id: i64,
    /// The meal's name.
    pub meal: String,
    /// How many of it.
    pub quantity: i32,
    /// What all of it costs, at the price when it was placed.
    pub total_cents: i32,
    /// How far it is.
    pub status: OrderStatus,
    /// Grows by one with every change.
    pub version: i32,
    /// When it was placed.
    #[schema(format = "date-time")]
    pub placed_at: String,
    /// When it is wanted, if not now.
    #[schema(format = "date-time")]
    pub wanted_at: Option<String>,
    /// When it was paid, if it was.
    #[schema(format = "date-time")]
    pub paid_at: Option<String>,
}

/// Calls an order off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// The version that the caller has seen: another one is refused.
    #[garde(range(min = 1))]
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    #[serde(deserialize_with = "whole")]
    pub version: i32,
}

/// Moves an order on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// What it becomes.
    #[garde(skip)]
    pub status: OrderStatus,
    /// The version that the caller has seen: another one is refused.
    #[garde(range(min = 1))]
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    #[serde(deserialize_with = "whole")]
    pub version: i32,
}

/// Which orders of the kitchen, and which page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrdersQuery {
    /// Only those in this status; all unless told.
    #[garde(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<OrderStatus>,
    /// The `next_cursor` of the page before; the first page without.
    #[garde(inner(pattern("^[0-9]{1,18}$")))]
    #[param(pattern = "^[0-9]{1,18}$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many rows at most; 20 unless told.
    #[garde(inner(range(min = 1, max = 100)))]
    #[param(minimum = 1, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
}
