//! The menu, to change.

use askama::Template;
use axum::extract::{Form as Typed, Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response, Result};
use bff::{Api, ApiError, Errors, Form, Page, Session, amount, cents};
use contract::{Meal, MealChange, NewMeal, PageQuery};
use serde::Deserialize;

/// What the address of the page says.
#[derive(Deserialize)]
pub(crate) struct Asked {
    done: Option<String>,
    cursor: Option<String>,
}

/// What is typed to add or to change a meal.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Typing {
    name: String,
    description: String,
    price_cents: String,
    /// A box that is not ticked is not sent.
    available: Option<String>,
    version: i32,
}

#[derive(Template)]
#[template(path = "menu.html")]
struct Menu {
    /// Each with the form to change it.
    meals: Vec<(Meal, Form)>,
    adding: Form,
    next: Option<String>,
}

/// A form that was not accepted.
struct Refused {
    /// The meal; a new one without.
    id: Option<i64>,
    typing: Typing,
    errors: Errors,
}

/// Shows the menu.
pub(crate) async fn show(
    session: Session,
    api: Api,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let notice = match asked.done.as_deref() {
        Some("added") => Some("The meal is on the menu."),
        Some("changed") => Some("The meal is changed."),
        _ => None,
    };
    let page = page(session, &api, asked.cursor, None).await?;
    Ok(page.notice(notice).into_response())
}

/// Adds a meal.
pub(crate) async fn add(
    session: Session,
    api: Api,
    Typed(typing): Typed<Typing>,
) -> Result<Response> {
    let errors = match typing.price() {
        Ok(price_cents) => {
            let meal = NewMeal {
                name: typing.name.clone(),
                description: typing.description(),
                price_cents,
            };
            match api.add_meal(&meal).await {
                Ok(_) => return Ok(Redirect::to("/menu?done=added").into_response()),
                Err(error) if error.status() == Some(StatusCode::CONFLICT) => {
                    Errors::field("name", "is the name of another meal")
                }
                Err(error) => error.into_errors()?,
            }
        }
        Err(errors) => errors,
    };
    let refused = Refused {
        id: None,
        typing,
        errors,
    };
    Ok(page(session, &api, None, Some(refused))
        .await?
        .into_response())
}

/// Changes a meal.
pub(crate) async fn change(
    session: Session,
    api: Api,
    Path(id): Path<i64>,
    Typed(typing): Typed<Typing>,
) -> Result<Response> {
    let errors = match typing.price() {
        Ok(price_cents) => {
            let change = MealChange {
                description: typing.description(),
                price_cents,
                available: typing.available.is_some(),
                version: typing.version,
            };
            match api.change_meal(id, &change).await {
                Ok(_) => return Ok(Redirect::to("/menu?done=changed").into_response()),
                Err(error) if error.status() == Some(StatusCode::CONFLICT) => Errors::problem(
                    StatusCode::CONFLICT,
                    "Somebody else has changed this meal. What you typed is kept here: \
                     save again to put it over their change.",
                ),
                Err(error) => error.into_errors()?,
            }
        }
        Err(errors) => errors,
    };
    let refused = Refused {
        id: Some(id),
        typing,
        errors,
    };
    Ok(page(session, &api, None, Some(refused))
        .await?
        .into_response())
}

/// The menu; if a form was not accepted, with what was typed and what is wrong with it.
async fn page(
    session: Session,
    api: &Api,
    cursor: Option<String>,
    mut refused: Option<Refused>,
) -> Result<Page<Menu>, ApiError> {
    let limit = Some(100);
    let menu = api.meals(&PageQuery { cursor, limit }).await?;
    let status = refused
        .as_ref()
        .map_or(StatusCode::OK, |refused| refused.errors.status());
    let adding = Form::new(&session);
    let adding = match refused.take_if(|refused| refused.id.is_none()) {
        Some(Refused { typing, errors, .. }) => {
            let adding = adding.value("name", &typing.name);
            typing.fill(adding).errors(errors)
        }
        None => adding,
    };
    let mut meals = Vec::with_capacity(menu.items.len());
    for meal in menu.items {
        let form = Form::new(&session).scope(meal.id);
        let form = match refused.take_if(|refused| refused.id == Some(meal.id)) {
            Some(Refused { typing, errors, .. }) => typing.fill(form).errors(errors),
            None => Typing::of(&meal).fill(form),
        };
        meals.push((meal, form));
    }
    let alert = refused.and_then(|refused| refused.errors.into_problem());
    let body = Menu {
        meals,
        adding,
        next: menu.next_cursor,
    };
    Ok(session.page("Menu", body).alert(alert).status(status))
}

impl Typing {
    fn of(meal: &Meal) -> Self {
        Self {
            name: meal.name.clone(),
            description: meal.description.clone(),
            price_cents: amount(meal.price_cents),
            available: meal.available.then(|| "yes".to_owned()),
            version: meal.version,
        }
    }

    fn price(&self) -> Result<i32, Errors> {
        let wrong = || Errors::field("price_cents", "must be an amount such as 12.50");
        cents(&self.price_cents).ok_or_else(wrong)
    }

    /// Browsers send line breaks as two characters.
    fn description(&self) -> String {
        self.description.trim().replace("\r\n", "\n")
    }

    fn fill(&self, form: Form) -> Form {
        form.value("description", &self.description)
            .value("price_cents", &self.price_cents)
            .value("available", self.available.as_deref().unwrap_or_default())
    }
}
