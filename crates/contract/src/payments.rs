//! What the payment provider tells, by webhook.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::number::whole;

/// An event of the provider's. Other fields it may send are passed over: it may add some any day.
// For the document alone: how an event is read depends on its type.
#[derive(ToSchema)]
pub struct PaymentEvent {
    /// `payment.succeeded`; others are acknowledged and ignored.
    #[schema(rename = "type")]
    pub kind: String,
    /// The payment.
    pub data: Payment,
}

/// Money that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
pub struct Payment {
    /// The order it is for.
    #[garde(range(min = 1, max = 9_007_199_254_740_991))]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_u64)]
    #[serde(deserialize_with = "whole")]
    pub order_id: i64,
    /// How much, in cents.
    #[garde(range(min = 1))]
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    #[serde(deserialize_with = "whole")]
    pub amount_cents: i32,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentResult {
    /// The order is paid.
    Accepted,
    /// The order was paid already, or is cancelled: the money is to be given back.
    Surplus,
    /// It was told before; nothing changed.
    Duplicate,
    /// An event of a kind we do not act on.
    Ignored,
}

/// The acknowledgement of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// What became of it.
    pub result: PaymentResult,
}
