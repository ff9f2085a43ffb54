//! What customers ask for.

use jiff::Timestamp;

use crate::pool::run;
use crate::tx::Tx;
use crate::words::words;
use crate::{By, PageOf, Store, StoreError};

words! {
    /// How far an order is.
    pub enum OrderStatus {
        /// Asked for.
        Placed = "placed",
        /// On the stove.
        Cooking = "cooking",
        /// On the pass.
        Ready = "ready",
        /// With the customer.
        Delivered = "delivered",
        /// Called off.
        Cancelled = "cancelled",
    }
}

/// What a customer asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its number.
    pub id: i64,
    /// The account that asked.
    pub customer: String,
    /// What to call the account holder.
    pub customer_name: String,
    /// The meal asked for.
    pub meal_id: i64,
    /// The meal's name.
    pub meal: String,
    /// How many of it: 1 to 20.
    pub quantity: i32,
    /// What all of it costs, at the price when it was placed.
    pub total_cents: i32,
    /// How far it is.
    pub status: OrderStatus,
    /// Grows by one with every change of the order; starts at 1.
    pub version: i32,
    /// When it was placed.
    pub placed_at: String,
    /// When it is wanted, if not now.
    pub wanted_at: Option<String>,
    /// When it was paid, if it was.
    pub paid_at: Option<String>,
}

/// An order to place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewOrder<'a> {
    /// The meal asked for.
    pub meal_id: i64,
    /// How many of it: 1 to 20.
    pub quantity: i32,
    /// When it is wanted, kept to the millisecond; now without.
    pub wanted_at: Option<Timestamp>,
    /// What the customer calls this order: one that has the name already is not placed again.
    pub key: Option<&'a str>,
}

/// The columns of [`Order`], in the order every statement returns them.
type Row = (
    i64,
    String,
    String,
    i64,
    String,
    i32,
    i32,
    OrderStatus,
    i32,
    String,
    Option<String>,
    Option<String>,
);

impl From<Row> for Order {
    fn from(row: Row) -> Order {
        let (id, customer, customer_name, meal_id, meal, quantity, ..) = row;
        let (.., total_cents, status, version, placed_at, wanted_at, paid_at) = row;
        Order {
            id,
            customer,
            customer_name,
            meal_id,
            meal,
            quantity,
            total_cents,
            status,
            version,
            placed_at,
            wanted_at,
            paid_at,
        }
    }
}

impl Store {
    /// Places an order of the customer `by.actor`, at the meal's price of this moment. Where the
    /// customer has an order with the key, that one is returned as it is now, and nothing is done.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when that one is for another meal, quantity or time;
    /// [`StoreError::NotFound`] when the meal is unknown or not available, or the customer has no
    /// account; [`StoreError::Invalid`] when the quantity is not 1 to 20.
    pub async fn place_order(&self, by: &By<'_>, new: &NewOrder<'_>) -> Result<Order, StoreError> {
        const QUERY: &str = "PLACE_ORDER";

        // The form that both engines keep, or at least return.
        let wanted_at = new.wanted_at.map(|at| format!("{at:.3}"));
        let wanted_at = wanted_at.as_deref();
        let mut tx = self.begin().await?;
        // Before all else: what was placed then could perhaps not be placed now.
        if let Some(order) = placed_before(&mut tx, by.actor, new, wanted_at).await? {
            return Ok(order);
        }
        let placed: Option<(i64,)> = run!(
            &mut tx,
            fetch_optional,
            PLACE_ORDER,
            (by.actor, new.meal_id, new.quantity, wanted_at, new.key)
        )?;
        let Some((id,)) = placed else {
            // Another call with the key may have gone on beside this one; if so, it is done.
            let placed = placed_before(&mut tx, by.actor, new, wanted_at).await?;
            return placed.ok_or(StoreError::NotFound(QUERY));
        };
        let order = read(&mut tx, id).await?;
        let detail = format!(
            "{} of meal/{} for {} cents",
            order.quantity, order.meal_id, order.total_cents
        );
        tx.commit_as(by, "order.placed", &format!("order/{id}"), &detail)
            .await?;
        Ok(order)
    }

    /// The orders of `customer`, newest first.
    pub async fn orders_of(&self, customer: &str, page: PageOf) -> Result<Vec<Order>, StoreError> {
        let rows: Vec<Row> = run!(
            self,
            fetch_all,
            ORDERS_OF,
            (customer, page.below(), page.limit())
        )?;
        Ok(rows.into_iter().map(Order::from).collect())
    }

    /// The orders of all customers, those with `status` if it is given, newest first.
    pub async fn orders(
        &self,
        status: Option<OrderStatus>,
        page: PageOf,
    ) -> Result<Vec<Order>, StoreError> {
        let rows: Vec<Row> = if let Some(status) = status {
            run!(
                self,
                fetch_all,
                ORDERS_IN,
                (status.as_str(), page.below(), page.limit())
            )
        } else {
            run!(self, fetch_all, ORDERS, (page.below(), page.limit()))
        }?;
        Ok(rows.into_iter().map(Order::from).collect())
    }

    /// One order.
    pub async fn order(&self, id: i64) -> Result<Option<Order>, StoreError> {
        let row: Option<Row> = run!(self, fetch_optional, ORDER, (id))?;
        Ok(row.map(Order::from))
    }

    /// Moves an order on, provided that it still is at `version` and `from`: of several callers one
    /// succeeds. Which moves make sense is the caller's business.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none, [`StoreError::Stale`] when it is at another
    /// version or status.
    pub async fn move_order(
        &self,
        by: &By<'_>,
        id: i64,
        version: i32,
        from: OrderStatus,
        to: OrderStatus,
    ) -> Result<Order, StoreError> {
        const QUERY: &str = "MOVE_ORDER";

        let mut tx = self.begin().await?;
        let moved: Option<(i64,)> = run!(
            &mut tx,
            fetch_optional,
            MOVE_ORDER,
            (id, version, from.as_str(), to.as_str())
        )?;
        // Not there is `NotFound` too, by way of the row that is missing.
        let order = read(&mut tx, id).await?;
        if moved.is_none() {
            return Err(StoreError::Stale {
                query: QUERY,
                current: order.version,
            });
        }
        let action = match to {
            OrderStatus::Cancelled => "order.cancelled",
            _ => "order.moved",
        };
        tx.commit_as(
            by,
            action,
            &format!("order/{id}"),
            &format!("{from} -> {to}"),
        )
        .await?;
        Ok(order)
    }
}

/// The order as it is inside the change.
async fn read(tx: &mut Tx, id: i64) -> Result<Order, StoreError> {
    let row: Option<Row> = run!(tx, fetch_optional, ORDER, (id))?;
    row.map(Order::from).ok_or(StoreError::NotFound("ORDER"))
}

/// The order that the customer has placed with the key, if there is one: asked for again, or in
/// conflict with what is asked for now.
async fn placed_before(
    tx: &mut Tx,
    customer: &str,
    new: &NewOrder<'_>,
    wanted_at: Option<&str>,
) -> Result<Option<Order>, StoreError> {
    let Some(key) = new.key else {
        return Ok(None);
    };
    let row: Option<Row> = run!(tx, fetch_optional, ORDER_WITH_KEY, (customer, key))?;
    let Some(order) = row.map(Order::from) else {
        return Ok(None);
    };
    let placed = (order.meal_id, order.quantity, order.wanted_at.as_deref());
    if placed == (new.meal_id, new.quantity, wanted_at) {
        Ok(Some(order))
    } else {
        Err(StoreError::Conflict("PLACE_ORDER"))
    }
}
