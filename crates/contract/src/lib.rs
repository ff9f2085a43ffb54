//! The JSON of `api`: what it takes and what it answers, as one definition for both ends.
//!
//! Requests refuse unknown fields and are checked by [`garde::Validate`]; the constraints stand a
//! second time as `schema` attributes, from which the OpenAPI document is made. Every time is UTC
//! in RFC 3339, every amount in cents, and ids stay below 2⁵³, so that no reader of JSON rounds them.

mod accounts;
mod audit;
mod menu;
mod number;
mod orders;
mod page;
mod payments;
mod text;

pub use accounts::{Account, NewAccount, NewSession, Refresh, Role, Tokens};
pub use audit::AuditEvent;
pub use menu::{Meal, MealChange, NewMeal};
pub use orders::{Cancel, Move, NewOrder, Order, OrderStatus, OrdersQuery};
pub use page::{Page, PageQuery};
pub use payments::{Payment, PaymentEvent, PaymentResult, Receipt};
