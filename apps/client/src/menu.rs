//! The menu, to order from.

use askama::Template;
use axum::extract::{Form as Typed, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response, Result};
use bff::{Api, Errors, Form, Page, Session};
use contract::{Meal, NewOrder, PageQuery};
use guard::{Problem, random_token};
use serde::Deserialize;
use telemetry::with_causes;

use crate::Client;

/// 32 bytes in base64url.
const TOKEN_LEN: usize = 43;

/// What the address of the page says.
#[derive(Deserialize)]
pub(crate) struct Asked {
    done: Option<String>,
    cursor: Option<String>,
}

/// What is typed to order.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wish {
    meal_id: i64,
    quantity: String,
    wanted_at: String,
    /// Different on every form that is shown: with the same, `api` places one order, however often
    /// it is sent.
    once: String,
}

#[derive(Template)]
#[template(path = "menu.html")]
struct Menu {
    offers: Vec<Offer>,
    preorders: bool,
    next: Option<String>,
}

/// A meal, and the form to order it.
struct Offer {
    meal: Meal,
    form: Form,
    once: String,
}

/// A form to send again as it is.
#[derive(Template)]
#[template(path = "unclear.html")]
struct Unclear {
    form: Form,
    wish: Wish,
}

/// Shows the menu.
pub(crate) async fn show(
    State(client): State<Client>,
    session: Session,
    api: Api,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let notice = match asked.done.as_deref() {
        Some("welcome") => Some("Welcome! Your account is open, and you are signed in."),
        _ => None,
    };
    let page = page(&client, session, &api, asked.cursor, None).await?;
    Ok(page.notice(notice).into_response())
}

/// Orders from it.
pub(crate) async fn order(
    State(client): State<Client>,
    session: Session,
    api: Api,
    Typed(wish): Typed<Wish>,
) -> Result<Response> {
    let errors = match wish.read() {
        Ok(order) => match api.place_order(&wish.once, &order).await {
            Ok(order) => {
                let placed = format!("/orders/{}?done=ordered", order.id);
                return Ok(Redirect::to(&placed).into_response());
            }
            Err(error) if error.is_unclear() => {
                tracing::warn!(error = with_causes(&error), "an order may have been placed");
                return Ok(unclear(session, wish).into_response());
            }
            Err(error) if error.status() == Some(StatusCode::CONFLICT) => {
                let alert = "This form has placed another order already: look at Your orders \
                             before you order again.";
                Errors::problem(StatusCode::CONFLICT, alert)
            }
            Err(error) => error.into_errors()?,
        },
        Err(errors) => errors,
    };
    let page = page(&client, session, &api, None, Some((wish, errors))).await?;
    Ok(page.into_response())
}

/// The form alone, for the menu may be away as well. With the token it had: sent again, it finds the
/// order, or places it now.
fn unclear(session: Session, wish: Wish) -> Page<Unclear> {
    let form = wish.fill(Form::new(&session));
    let page = session.page("Your order", Unclear { form, wish });
    page.status(StatusCode::SERVICE_UNAVAILABLE)
}

/// The menu; if an order was not accepted, with what was typed and what is wrong with it.
async fn page(
    client: &Client,
    session: Session,
    api: &Api,
    cursor: Option<String>,
    mut refused: Option<(Wish, Errors)>,
) -> Result<Page<Menu>> {
    let limit = Some(100);
    let menu = api.menu(&PageQuery { cursor, limit }).await?;
    let status = refused.as_ref().map(|(_, errors)| errors.status());
    let mut offers = Vec::with_capacity(menu.items.len());
    for meal in menu.items {
        let form = Form::new(&session).scope(meal.id);
        let (form, once) = match refused.take_if(|(wish, _)| wish.meal_id == meal.id) {
            Some((wish, errors)) => {
                let once = wish.token_after(&errors);
                (wish.fill(form).errors(errors), once)
            }
            None => (form.value("quantity", "1"), None),
        };
        let once = match once {
            Some(once) => once,
            None => random_token().map_err(|error| Problem::internal(&error))?,
        };
        offers.push(Offer { meal, form, once });
    }
    let body = Menu {
        offers,
        preorders: client.preorders,
        next: menu.next_cursor,
    };
    let page = session.page("Menu", body);
    // A meal that is off the menu by now has no form to say it in.
    let page = page.alert(refused.and_then(|(_, errors)| errors.into_problem()));
    Ok(match status {
        Some(status) => page.status(status),
        None => page,
    })
}

impl Wish {
    fn read(&self) -> Result<NewOrder, Errors> {
        if !self.has_token() {
            let alert =
                "This form was not as we had sent it: please look at it, and press Order again.";
            return Err(Errors::problem(StatusCode::UNPROCESSABLE_ENTITY, alert));
        }
        let quantity = self.quantity.trim().parse();
        let quantity = quantity.map_err(|_| Errors::field("quantity", "must be a whole number"))?;
        let wanted_at = match self.wanted_at.trim() {
            "" => None,
            // As browsers send it: no seconds, no time zone.
            minute if minute.len() == "2026-11-21T08:01".len() => Some(format!("{minute}:00Z")),
            other => Some(other.to_owned()),
        };
        Ok(NewOrder {
            meal_id: self.meal_id,
            quantity,
            wanted_at,
        })
    }

    fn fill(&self, form: Form) -> Form {
        form.value("quantity", &self.quantity)
            .value("wanted_at", &self.wanted_at)
    }

    /// Whether the token has the shape of a [`random_token`].
    fn has_token(&self) -> bool {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        self.once.len() == TOKEN_LEN && self.once.bytes().all(is_plain)
    }

    /// The token to go on with, unless it takes a new one. It is kept wherever the order may yet turn
    /// out to be placed: an earlier answer may have been lost.
    fn token_after(&self, errors: &Errors) -> Option<String> {
        let is_spent = errors.status() == StatusCode::CONFLICT;
        (self.has_token() && !is_spent).then(|| self.once.clone())
    }
}
