//! Opening an account.

use askama::Template;
use axum::extract::Form as Typed;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response, Result};
use bff::{Api, Errors, Form, Page, Session, sign_in};
use contract::NewAccount;
use serde::Deserialize;
use telemetry::with_causes;

/// Where accounts are opened.
pub(crate) const PATH: &str = "/sign-up";

/// What is typed to open an account.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Applicant {
    name: String,
    email: String,
    password: String,
}

#[derive(Template)]
#[template(path = "sign_up.html")]
struct SignUp {
    form: Form,
}

/// Shows the form.
pub(crate) async fn show(session: Session) -> impl IntoResponse {
    let form = Form::new(&session);
    page(session, form)
}

/// Takes the form, and signs in at once; if that fails, the account is open all the same.
pub(crate) async fn submit(
    session: Session,
    api: Api,
    Typed(applicant): Typed<Applicant>,
) -> Result<Response> {
    let Applicant {
        name,
        email,
        password,
    } = applicant;
    let form = Form::new(&session)
        .value("name", &name)
        .value("email", &email);
    let account = NewAccount {
        name,
        email,
        password,
    };
    let errors = match api.sign_up(&account).await {
        Ok(_) => {
            let begun = sign_in::begin(&api, account.email, account.password).await;
            let (account, tokens) = match begun {
                Ok(begun) => begun,
                Err(error) => {
                    tracing::warn!(error = with_causes(&error), "signed up, but not in");
                    return Ok(Redirect::to("/sign-in?done=signed-up").into_response());
                }
            };
            let session = session.signed_in(&api, &account.name, tokens).await?;
            return Ok((session, Redirect::to("/?done=welcome")).into_response());
        }
        Err(error) if error.status() == Some(StatusCode::CONFLICT) => Errors::field(
            "email",
            "has an account already: sign in, or use another address",
        ),
        Err(error) => error.into_errors()?,
    };
    let status = errors.status();
    let page = page(session, form.errors(errors)).status(status);
    Ok(page.into_response())
}

fn page(session: Session, form: Form) -> Page<SignUp> {
    session.page("Open an account", SignUp { form })
}
