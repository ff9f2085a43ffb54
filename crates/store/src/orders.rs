//! The menu and the orders from it.

use crate::model::{MealRow, OrderRow};
use crate::pool::{QUERY_LIMIT, run};
use crate::{Meal, NewMeal, NewOrder, Order, Store, StoreError};

/// Each method fails with [`StoreError::Timeout`] when the database does not answer in time,
/// with [`StoreError::Unavailable`] when it is gone, and with [`StoreError::Query`] for a reason of
/// the database's own.
impl Store {
    /// The meals that can be ordered, by number.
    pub async fn menu(&self) -> Result<Vec<Meal>, StoreError> {
        let rows: Vec<MealRow> = run!(self, fetch_all, MENU, QUERY_LIMIT, ())?;
        Ok(rows.into_iter().map(Meal::from).collect())
    }

    /// Adds a meal to the menu.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken, [`StoreError::Invalid`] when the price is
    /// not more than 0.
    pub async fn add_meal(&self, meal: &NewMeal) -> Result<Meal, StoreError> {
        let row: MealRow = run!(
            self,
            fetch_one,
            ADD_MEAL,
            QUERY_LIMIT,
            (&meal.name, &meal.description, meal.price_cents)
        )?;
        Ok(row.into())
    }

    /// Places an order of `customer`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the meal is unknown or not available,
    /// [`StoreError::Invalid`] when the quantity is not 1 to 20.
    pub async fn place_order(&self, customer: &str, order: &NewOrder) -> Result<Order, StoreError> {
        let row: Option<OrderRow> = run!(
            self,
            fetch_optional,
            PLACE_ORDER,
            QUERY_LIMIT,
            (customer, order.meal_id, order.quantity)
        )?;
        row.map(Order::from)
            .ok_or(StoreError::NotFound("PLACE_ORDER"))
    }

    /// The orders of `customer`, newest first, at most 100.
    pub async fn orders_of(&self, customer: &str) -> Result<Vec<Order>, StoreError> {
        let rows: Vec<OrderRow> = run!(self, fetch_all, ORDERS_OF, QUERY_LIMIT, (customer))?;
        Ok(rows.into_iter().map(Order::from).collect())
    }
}
