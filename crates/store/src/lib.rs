//! What the services keep: pools and repositories for SQLite and PostgreSQL.
//!
//! [`Store::connect`] refuses a database that is not marked as the expected environment, so a
//! service cannot write into another one's data by a wrong URL. Every statement is a constant
//! in [`sql`]; there is no other SQL. Knows no HTTP and reads no environment.

mod engine;
mod error;
mod marker;
mod model;
mod orders;
mod pool;
pub mod sql;

pub use engine::Engine;
pub use error::StoreError;
pub use marker::{Marker, UnknownMarker};
pub use model::{Meal, NewMeal, NewOrder, Order};
pub use pool::Store;
