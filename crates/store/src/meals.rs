//! The menu.

use crate::pool::run;
use crate::{By, PageOf, Store, StoreError};

/// A meal the kitchen offers.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Grows by one with every change of the meal; starts at 1.
    pub version: i32,
}

/// A meal to add; it is available at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewMeal<'a> {
    /// Its name, unique.
    pub name: &'a str,
    /// What it is; may be empty.
    pub description: &'a str,
    /// Its price in cents, more than 0.
    pub price_cents: i32,
}

/// What a meal becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MealChange<'a> {
    /// What it is; may be empty.
    pub description: &'a str,
    /// Its price in cents, more than 0.
    pub price_cents: i32,
    /// Whether it can be ordered.
    pub available: bool,
    /// The version that the change was made on.
    pub version: i32,
}

/// The columns of [`Meal`], in the order every statement returns them.
type Row = (i64, String, String, i32, bool, i32);

impl From<Row> for Meal {
    fn from((id, name, description, price_cents, available, version): Row) -> Meal {
        Meal {
            id,
            name,
            description,
            price_cents,
            available,
            version,
        }
    }
}

impl Store {
    /// The meals that can be ordered, by number.
    pub async fn menu(&self, page: PageOf) -> Result<Vec<Meal>, StoreError> {
        let rows: Vec<Row> = run!(self, fetch_all, MENU, (page.above(), page.limit()))?;
        Ok(rows.into_iter().map(Meal::from).collect())
    }

    /// All meals, by number.
    pub async fn meals(&self, page: PageOf) -> Result<Vec<Meal>, StoreError> {
        let rows: Vec<Row> = run!(self, fetch_all, MEALS, (page.above(), page.limit()))?;
        Ok(rows.into_iter().map(Meal::from).collect())
    }

    /// Adds a meal to the menu.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken, [`StoreError::Invalid`] when the price is
    /// not more than 0.
    pub async fn add_meal(&self, by: &By<'_>, new: &NewMeal<'_>) -> Result<Meal, StoreError> {
        let mut tx = self.begin().await?;
        let row: Row = run!(
            &mut tx,
            fetch_one,
            ADD_MEAL,
            (new.name, new.description, new.price_cents)
        )?;
        let meal = Meal::from(row);
        let detail = format!("`{}` for {} cents", meal.name, meal.price_cents);
        tx.commit_as(by, "meal.added", &format!("meal/{}", meal.id), &detail)
            .await?;
        Ok(meal)
    }

    /// Changes a meal, all of what can be changed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none, [`StoreError::Stale`] when it is at another
    /// version than `change` says, [`StoreError::Invalid`] when the price is not more than 0.
    pub async fn change_meal(
        &self,
        by: &By<'_>,
        id: i64,
        change: &MealChange<'_>,
    ) -> Result<Meal, StoreError> {
        const QUERY: &str = "CHANGE_MEAL";

        let mut tx = self.begin().await?;
        // Locked, so that the event tells what this change has replaced.
        let row: Option<Row> = run!(&mut tx, fetch_optional, MEAL_TO_CHANGE, (id))?;
        let old = Meal::from(row.ok_or(StoreError::NotFound(QUERY))?);
        let row: Option<Row> = run!(
            &mut tx,
            fetch_optional,
            CHANGE_MEAL,
            (
                id,
                change.version,
                change.description,
                change.price_cents,
                change.available
            )
        )?;
        let meal = Meal::from(row.ok_or(StoreError::Stale {
            query: QUERY,
            current: old.version,
        })?);
        let detail = difference(&old, &meal);
        tx.commit_as(by, "meal.changed", &format!("meal/{id}"), &detail)
            .await?;
        Ok(meal)
    }
}

/// What a change made of a meal: `price_cents 450 -> 500, available true -> false`.
fn difference(old: &Meal, new: &Meal) -> String {
    let mut parts = Vec::new();
    if old.description != new.description {
        let (old, new) = (&old.description, &new.description);
        parts.push(format!("description `{old}` -> `{new}`"));
    }
    if old.price_cents != new.price_cents {
        let (old, new) = (old.price_cents, new.price_cents);
        parts.push(format!("price_cents {old} -> {new}"));
    }
    if old.available != new.available {
        let (old, new) = (old.available, new.available);
        parts.push(format!("available {old} -> {new}"));
    }
    parts.join(", ")
}
