//! One test body for both engines.

/// Makes two tests of one body, `<name>::sqlite` and `<name>::postgres`, each on a new
/// [`Database`](crate::Database). Two, so that a runner on a machine without PostgreSQL can leave
/// one out by its name and count it as not run.
///
/// ```
/// # fn main() {}
/// use testkit::{Database, on_each_engine};
///
/// on_each_engine!(a_meal_has_a_unique_name);
/// async fn a_meal_has_a_unique_name(db: &Database) {
///     db.execute("INSERT INTO meals (name, price_cents) VALUES ('soup', 450)").await;
/// }
/// ```
///
/// The body must not have `postgres` in its own name, and its crate must depend on `tokio`.
#[macro_export]
macro_rules! on_each_engine {
    ($body:ident) => {
        // A module and a function may have the same name.
        mod $body {
            #[tokio::test]
            async fn sqlite() {
                super::$body(&$crate::sqlite().await).await;
            }

            #[tokio::test]
            async fn postgres() {
                if let Some(database) = $crate::postgres().await {
                    super::$body(&database).await;
                }
            }
        }
    };
}
