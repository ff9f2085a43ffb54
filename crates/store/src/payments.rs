//! Money that arrived, as its provider tells.

use crate::pool::run;
use crate::{By, Store, StoreError};

/// One attempt of a provider's to tell of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// The event's id, the same in each attempt.
    pub id: &'a str,
    /// When the attempt was made: seconds since 1970.
    pub timestamp: i64,
}

/// What became of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    /// The order is paid now.
    Accepted,
    /// The order was paid already, or is cancelled: the money is to be given back. It is written
    /// down; the order stays as it is.
    Surplus,
    /// An attempt more to tell what is known; nothing changed.
    Duplicate,
    /// The very same attempt was seen before: somebody sends what they have overheard.
    Replayed,
    /// There is no such order. The attempt is not remembered, so a later one may pass.
    NoSuchOrder,
    /// The order costs another amount. The attempt is not remembered, so a later one may pass.
    WrongAmount,
}

impl Store {
    /// Notes that the order is paid, or that money came in for nothing. The provider is `by.actor`;
    /// of several callers with the same delivery one succeeds.
    pub async fn record_payment(
        &self,
        by: &By<'_>,
        delivery: &Delivery<'_>,
        order_id: i64,
        amount_cents: i32,
    ) -> Result<Paid, StoreError> {
        let mut tx = self.begin().await?;
        // Whoever else brings the same delivery waits here for what becomes of this one.
        let noted: Option<(String,)> = run!(
            &mut tx,
            fetch_optional,
            NOTE_DELIVERY,
            (by.actor, delivery.id, delivery.timestamp)
        )?;
        if noted.is_none() {
            return Ok(Paid::Replayed);
        }
        let told: Option<(i64,)> = run!(
            &mut tx,
            fetch_optional,
            DELIVERED_BEFORE,
            (by.actor, delivery.id, delivery.timestamp)
        )?;
        if told.is_some() {
            tx.commit_silently().await?;
            return Ok(Paid::Duplicate);
        }
        // And here, whoever brings another delivery for the same order.
        let order: Option<(i32, bool)> = run!(&mut tx, fetch_optional, ORDER_TO_PAY, (order_id))?;
        let Some((total_cents, is_due)) = order else {
            return Ok(Paid::NoSuchOrder);
        };
        if total_cents != amount_cents {
            return Ok(Paid::WrongAmount);
        }
        // Another attempt of the same event may have gone on beside this one, unseen until here.
        let added: Option<(i64,)> = run!(
            &mut tx,
            fetch_optional,
            ADD_PAYMENT,
            (order_id, by.actor, delivery.id, amount_cents)
        )?;
        if added.is_none() {
            tx.commit_silently().await?;
            return Ok(Paid::Duplicate);
        }
        let (paid, action) = if is_due {
            let _: (i64,) = run!(&mut tx, fetch_one, PAY_ORDER, (order_id))?;
            (Paid::Accepted, "payment.received")
        } else {
            (Paid::Surplus, "payment.surplus")
        };
        let (subject, detail) = (format!("order/{order_id}"), format!("{amount_cents} cents"));
        tx.commit_as(by, action, &subject, &detail).await?;
        Ok(paid)
    }

    /// Remembers a delivery of `provider` that is not acted on. False when the very same attempt
    /// was seen before.
    pub async fn note_delivery(
        &self,
        provider: &str,
        delivery: &Delivery<'_>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let noted: Option<(String,)> = run!(
            &mut tx,
            fetch_optional,
            NOTE_DELIVERY,
            (provider, delivery.id, delivery.timestamp)
        )?;
        tx.commit_silently().await?;
        Ok(noted.is_some())
    }
}
