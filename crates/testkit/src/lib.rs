//! What tests of the sample share: a migrated database of their own, on each engine, an app behind a
//! real socket, a client and a browser for it, and what every app's binary must do.

mod binary;
mod browser;
mod database;
mod engines;
mod http;
mod migrations;
mod served;

pub use binary::{Binary, Run};
pub use browser::{Browser, form, hidden};
pub use database::{Database, postgres, postgres_alone, postgres_before, sqlite, sqlite_before};
pub use http::{Answer, Http};
pub use served::Served;
