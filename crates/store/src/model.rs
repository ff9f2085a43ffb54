//! The rows as the services see them.

use serde::{Deserialize, Serialize};

/// A meal the kitchen offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meal {
    /// Its number.
    pub id: i64,
    /// Its name, unique.
    pub name: String,
    /// What it is; may be empty.
    pub description: String,
    /// Its price in cents, more than 0.
    pub price_cents: i32,
    /// Whether it can be ordered.
    pub available: bool,
}

/// A meal to add; it is available at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMeal {
    /// Its name, unique.
    pub name: String,
    /// What it is; may be empty.
    #[serde(default)]
    pub description: String,
    /// Its price in cents, more than 0.
    pub price_cents: i32,
}

/// What a customer asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its number.
    pub id: i64,
    /// Who asked.
    pub customer: String,
    /// The meal asked for.
    pub meal_id: i64,
    /// How many of it: 1 to 20.
    pub quantity: i32,
    /// `placed`, `cooking`, `ready`, `delivered` or `cancelled`.
    pub status: String,
    /// Grows by one with every change of the order; starts at 1.
    pub version: i32,
    /// When it was placed: UTC in ISO 8601 with milliseconds, `2026-11-21T08:01:00.000Z`.
    pub placed_at: String,
}

/// An order to place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// The meal asked for.
    pub meal_id: i64,
    /// How many of it: 1 to 20.
    pub quantity: i32,
}

/// The columns of [`Meal`], in the order every statement returns them.
pub(crate) type MealRow = (i64, String, String, i32, bool);

impl From<MealRow> for Meal {
    fn from((id, name, description, price_cents, available): MealRow) -> Meal {
        Meal {
            id,
            name,
            description,
            price_cents,
            available,
        }
    }
}

/// The columns of [`Order`], in the order every statement returns them.
pub(crate) type OrderRow = (i64, String, i64, i32, String, i32, String);

impl From<OrderRow> for Order {
    fn from((id, customer, meal_id, quantity, status, version, placed_at): OrderRow) -> Order {
        Order {
            id,
            customer,
            meal_id,
            quantity,
            status,
            version,
            placed_at,
        }
    }
}
