//! What the services keep: pools and repositories for SQLite and PostgreSQL.
//!
//! [`Store::connect`] refuses a database that is not marked as the expected environment, and a copy
//! of one, so a service cannot write into another one's data by a wrong URL. Every statement is a constant
//! in [`sql`]; there is no other SQL. A change writes its audit event in the same transaction, so
//! there is never one without the other. Knows no HTTP and reads no environment.
//!
//! Each method of the repositories fails with [`StoreError::Timeout`] when the database does not
//! answer in time, with [`StoreError::Unavailable`] when it is gone, and with
//! [`StoreError::Query`] for a reason of the database's own; what else it may fail with is said
//! there. Every time is a text: UTC in RFC 3339 with milliseconds, `2026-11-21T08:01:00.000Z`.

mod accounts;
mod audit;
mod connect;
mod engine;
mod error;
mod meals;
mod orders;
mod page;
mod payments;
mod pool;
mod sessions;
pub mod sql;
mod tx;
mod words;

pub use accounts::{Account, NewAccount, Role};
pub use audit::{AuditEvent, By};
pub use engine::Engine;
pub use error::StoreError;
pub use marker::{Environment, Refusal, UnknownEnvironment};
pub use meals::{Meal, MealChange, NewMeal};
pub use orders::{NewOrder, Order, OrderStatus};
pub use page::PageOf;
pub use payments::{Delivery, Paid};
pub use pool::{Expected, PoolState, Store};
pub use sessions::Rotation;
pub use words::UnknownWord;
