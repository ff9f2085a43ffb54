//! What the payment provider tells us. That it is the provider, and now, the guard has checked.

use axum::Json;
use axum::extract::State;
use contract::{Payment, PaymentEvent, PaymentResult, Receipt};
use garde::Validate;
use guard::Delivery;
use metrics::counter;
use serde::Deserialize;
use store::{By, Paid};

use crate::error::ApiError;
use crate::state::{Api, request_id};
use crate::valid::Valid;

/// What is read of an event: one of another type is acknowledged, whatever it holds.
#[derive(Deserialize, Validate)]
#[serde(tag = "type")]
pub(crate) enum Event {
    #[serde(rename = "payment.succeeded")]
    Succeeded {
        #[garde(dive)]
        data: Payment,
    },
    #[serde(other)]
    Other,
}

/// Takes an event of the payment provider's, signed as Standard Webhooks says.
///
/// An event of another type is acknowledged as `ignored`, whatever its data. A delivery that is
/// tried again, with a new timestamp, is acknowledged as `duplicate`. Money for an order that is
/// paid already, or cancelled, is kept account of as `surplus`.
#[utoipa::path(
    post,
    path = "/v1/webhooks/payments",
    params(
        ("webhook-id" = String, Header, description = "names the event", min_length = 1, max_length = 128, pattern = "^[!-~]+$"),
        ("webhook-timestamp" = i64, Header, description = "when it was sent, in seconds since 1970"),
        ("webhook-signature" = String, Header, description = "`v1,` and the base64 of HMAC-SHA256 over `{id}.{timestamp}.{body}`"),
    ),
    request_body = PaymentEvent,
    responses(
        (status = 200, description = "what became of it", body = Receipt),
        (status = 404, description = "there is no such order"),
        (status = 409, description = "this very delivery came before: it is a replay"),
    ),
)]
pub(crate) async fn receive(
    State(api): State<Api>,
    delivery: Delivery,
    event: Result<Valid<Event>, ApiError>,
) -> Result<Json<Receipt>, ApiError> {
    let outcome = match event {
        Ok(Valid(Event::Succeeded { data })) => settle(&api, &delivery, &data)
            .await
            .unwrap_or_else(Outcome::Failed),
        Ok(Valid(Event::Other)) => acknowledge(&api, &delivery)
            .await
            .unwrap_or_else(Outcome::Failed),
        Err(error) => Outcome::Refused(error),
    };
    let provider = delivery.provider;
    counter!("webhook_deliveries_total", "provider" => provider, "result" => outcome.as_str())
        .increment(1);
    outcome.into_receipt()
}

/// What became of a delivery, as it is counted.
enum Outcome {
    Accepted,
    Surplus,
    Duplicate,
    Ignored,
    Replayed,
    Refused(ApiError),
    /// For a reason of ours: the provider tries again.
    Failed(ApiError),
}

impl Outcome {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Surplus => "surplus",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Replayed => "replayed",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }

    fn into_receipt(self) -> Result<Json<Receipt>, ApiError> {
        let result = match self {
            Self::Accepted => PaymentResult::Accepted,
            Self::Surplus => PaymentResult::Surplus,
            Self::Duplicate => PaymentResult::Duplicate,
            Self::Ignored => PaymentResult::Ignored,
            Self::Replayed => {
                return Err(ApiError::conflict("this delivery was received before"));
            }
            Self::Refused(error) | Self::Failed(error) => return Err(error),
        };
        Ok(Json(Receipt { result }))
    }
}

async fn settle(api: &Api, delivery: &Delivery, payment: &Payment) -> Result<Outcome, ApiError> {
    let request_id = request_id();
    let by = By {
        actor: delivery.provider,
        request_id: request_id.as_str(),
    };
    let Payment {
        order_id,
        amount_cents,
    } = *payment;
    let paid = api
        .store
        .record_payment(&by, &seen(delivery), order_id, amount_cents)
        .await?;
    Ok(match paid {
        Paid::Accepted => Outcome::Accepted,
        Paid::Surplus => Outcome::Surplus,
        Paid::Duplicate => Outcome::Duplicate,
        Paid::Replayed => Outcome::Replayed,
        Paid::NoSuchOrder => Outcome::Refused(ApiError::not_found("there is no such order")),
        Paid::WrongAmount => Outcome::Refused(ApiError::invalid(
            "data.amount_cents",
            "must be the total of the order",
        )),
    })
}

/// Nothing is to be done, but a replay is one all the same.
async fn acknowledge(api: &Api, delivery: &Delivery) -> Result<Outcome, ApiError> {
    let is_new = api
        .store
        .note_delivery(delivery.provider, &seen(delivery))
        .await?;
    Ok(if is_new {
        Outcome::Ignored
    } else {
        Outcome::Replayed
    })
}

fn seen(delivery: &Delivery) -> store::Delivery<'_> {
    store::Delivery {
        id: &delivery.id,
        timestamp: delivery.timestamp,
    }
}
