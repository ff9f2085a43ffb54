//! Signing in and out: the same for customers and staff, but for whom it admits.

use askama::Template;
use axum::extract::{Form as Typed, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response, Result};
use contract::{Account, NewSession, Tokens};
use serde::Deserialize;
use telemetry::with_causes;

use crate::{Api, ApiError, Errors, Form, Page, Session};

/// Where the signed out are sent.
pub const PATH: &str = "/sign-in";

/// What is typed to sign in.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Proof {
    email: String,
    password: String,
}

/// What the address of the page says.
#[derive(Deserialize)]
pub struct Asked {
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    form: Form,
    sign_up: Option<&'static str>,
}

/// Shows the form.
#[expect(clippy::unused_async, reason = "handlers are asynchronous")]
pub async fn show(session: Session, Query(asked): Query<Asked>) -> Response {
    let notice = match asked.done.as_deref() {
        Some("signed-out") => Some("You are signed out."),
        Some("signed-up") => Some("Your account is open: sign in."),
        _ => None,
    };
    let form = Form::new(&session);
    page(session, form).notice(notice).into_response()
}

/// Takes the form.
pub async fn submit(session: Session, api: Api, Typed(proof): Typed<Proof>) -> Result<Response> {
    let form = Form::new(&session).value("email", &proof.email);
    let errors = match begin(&api, proof.email, proof.password).await {
        Ok((account, tokens)) => {
            let admits = session.profile().admits;
            if admits.is_none_or(|role| account.role == role) {
                let session = session.signed_in(&api, &account.name, tokens).await?;
                return Ok((session, Redirect::to("/")).into_response());
            }
            let refused = api.with_token(&tokens.access_token);
            note_closing(refused.sign_out().await);
            let alert = "This account may not sign in here: these pages are for staff.";
            Errors::problem(StatusCode::FORBIDDEN, alert)
        }
        Err(error) if error.status() == Some(StatusCode::UNAUTHORIZED) => {
            let alert = "The e-mail address or the password is wrong.";
            Errors::problem(StatusCode::UNPROCESSABLE_ENTITY, alert)
        }
        Err(error) => error.into_errors()?,
    };
    let status = errors.status();
    let page = page(session, form.errors(errors)).status(status);
    Ok(page.into_response())
}

/// Begins a session at `api`, and says whose it is. Where it cannot say, it ends the session again:
/// nobody would have it.
pub async fn begin(
    api: &Api,
    email: String,
    password: String,
) -> Result<(Account, Tokens), ApiError> {
    let tokens = api.sign_in(&NewSession { email, password }).await?;
    let known = api.clone().with_token(&tokens.access_token);
    match known.account().await {
        Ok(account) => Ok((account, tokens)),
        Err(error) => {
            note_closing(known.sign_out().await);
            Err(error)
        }
    }
}

/// Signs out. The browser forgets the session in any case: nobody should have to stay signed in
/// because a service is down. For the same reason its route is public.
pub async fn end(session: Session, api: Api) -> impl IntoResponse {
    let signed_out = Redirect::to("/sign-in?done=signed-out");
    (session.ended(&api).await, signed_out)
}

/// A session that could not be closed expires by itself: no reason to fail. One that `api` does not
/// know is closed already.
pub(crate) fn note_closing(closed: Result<(), ApiError>) {
    if let Err(error) = closed
        && error.status() != Some(StatusCode::UNAUTHORIZED)
    {
        tracing::warn!(error = with_causes(&error), "failed to close a session");
    }
}

fn page(session: Session, form: Form) -> Page<SignIn> {
    let sign_up = session.profile().sign_up;
    session.page("Sign in", SignIn { form, sign_up })
}
