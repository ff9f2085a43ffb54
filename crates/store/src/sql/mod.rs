//! Every statement of the store: a constant of the same name for each engine.
//!
//! The lists named `ALL` are what a check prepares against a freshly migrated database.

/// Makes a constant of each statement, and the list of them all.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* pub const $name: &str = $sql;)*

        /// Name and text of every statement above.
        pub const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
use statements;

pub mod postgres;
pub mod sqlite;
