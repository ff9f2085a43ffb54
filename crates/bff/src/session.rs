//! The session of a browser: in an encrypted cookie, renewed before its access token expires.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponseParts, ResponseParts};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::{Refresh, Tokens};
use guard::{
    Authenticated, Authentication, Authenticator, Csrf, Identity, Problem, Role, SessionCookie,
    random_token,
};
use serde::{Deserialize, Serialize};

use crate::once::Once;
use crate::sign_in::note_closing;
use crate::{Api, ApiClient, ApiError, Profile};

/// How long a browser keeps the cookie; `api` decides when the session in it ends.
const MAX_AGE: Duration = Duration::from_hours(30 * 24);
/// An access token that expires sooner may not last until `api` reads it.
const MARGIN: Duration = Duration::from_secs(30);

/// A surface with pages: the state of its handlers, and its authenticator. Cheap to clone.
#[derive(Clone)]
pub struct Bff(Arc<Inner>);

struct Inner {
    profile: &'static Profile,
    api: ApiClient,
    cookie: SessionCookie,
    /// By refresh token, which works once: used again it looks stolen, and `api` ends the session.
    /// But two tabs send the same cookie, and so does a browser that the new one never reached.
    refreshes: Once<Tokens>,
}

/// What the cookie holds.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Content {
    /// What forms bring along to show that they are ours.
    csrf: String,
    account: Option<SignedIn>,
}

#[derive(Clone, Serialize, Deserialize)]
struct SignedIn {
    name: String,
    access_token: String,
    refresh_token: String,
}

/// What an access token says.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    role: Role,
    exp: u64,
    sid: Option<String>,
}

impl Bff {
    /// A surface like this, in front of this `api`, with sessions in this cookie.
    pub fn new(profile: &'static Profile, api: ApiClient, cookie: SessionCookie) -> Self {
        Self(Arc::new(Inner {
            profile,
            api,
            cookie,
            refreshes: Once::default(),
        }))
    }

    pub(crate) fn api_for(&self, parts: &mut Parts) -> Api {
        self.0.api.anonymous().on_behalf_of(parts)
    }

    fn open(&self, parts: &Parts) -> Option<Content> {
        let opened = parts.extensions.get::<Content>().cloned();
        opened.or_else(|| self.0.cookie.open(&parts.headers))
    }

    async fn refresh(&self, api: Api, refresh_token: String) -> Result<Tokens, ApiError> {
        let (key, refresh) = (refresh_token.clone(), Refresh { refresh_token });
        let asking = async move { api.refresh(&refresh).await };
        self.0.refreshes.run(key, asking).await
    }

    async fn identify(&self, parts: &mut Parts) -> Result<Authenticated, Problem> {
        let Some(mut content) = self.open(parts) else {
            return Ok(Authenticated::default());
        };
        let Some(account) = &mut content.account else {
            return Ok(Authenticated::default());
        };
        let mut claims = Claims::of(&account.access_token);
        let mut set_cookie = None;
        if !claims.as_ref().is_some_and(Claims::is_fresh) {
            let api = self.api_for(parts);
            match self.refresh(api, account.refresh_token.clone()).await {
                Ok(tokens) => {
                    account.access_token = tokens.access_token;
                    account.refresh_token = tokens.refresh_token;
                    claims = Claims::of(&account.access_token);
                    set_cookie = self.0.cookie.seal(&content, MAX_AGE);
                }
                Err(error) if error.status() == Some(StatusCode::UNAUTHORIZED) => {
                    return Ok(Authenticated {
                        identity: None,
                        set_cookie: Some(self.0.cookie.expire()),
                    });
                }
                Err(error) => return Err(error.into()),
            }
        }
        parts.extensions.insert(content);
        let identity = claims.map(|claims| Identity {
            subject: claims.sub,
            role: claims.role,
            session: claims.sid,
        });
        Ok(Authenticated {
            identity,
            set_cookie,
        })
    }
}

impl Authenticator for Bff {
    fn authenticate<'a>(&'a self, parts: &'a mut Parts) -> Authentication<'a> {
        Box::pin(self.identify(parts))
    }

    fn csrf(&self, parts: &Parts) -> Csrf {
        Csrf::Required(self.open(parts).map(|content| content.csrf))
    }
}

impl Claims {
    /// Reads a token without checking its signature, which only `api` can: it came from `api`
    /// itself, over a private network, and was since in a cookie that only we can write.
    fn of(access_token: &str) -> Option<Self> {
        let payload = access_token.split('.').nth(1)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    fn is_fresh(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.is_ok_and(|now| now + MARGIN < Duration::from_secs(self.exp))
    }
}

impl Content {
    pub(crate) fn access_token(&self) -> Option<&str> {
        let account = self.account.as_ref()?;
        Some(&account.access_token)
    }
}

/// The session of the browser that sent the request; a browser without one gets one, for the forms
/// it is shown. Put into an answer, it brings the cookie along if that has to change; a
/// [`Page`](crate::Page) does so by itself.
#[must_use]
pub struct Session {
    bff: Bff,
    content: Content,
    cookie: Cookie,
}

/// What the browser has to be told.
enum Cookie {
    Keep,
    Set,
    Expire,
}

impl<S: Sync> FromRequestParts<S> for Session
where
    Bff: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let bff = Bff::from_ref(state);
        Ok(match bff.open(parts) {
            Some(content) => Self {
                bff,
                content,
                cookie: Cookie::Keep,
            },
            None => Self::begin(bff, None)?,
        })
    }
}

impl Session {
    fn begin(bff: Bff, account: Option<SignedIn>) -> Result<Self, Problem> {
        let csrf = random_token().map_err(|error| Problem::internal(&error))?;
        Ok(Self {
            bff,
            content: Content { csrf, account },
            cookie: Cookie::Set,
        })
    }

    /// The session after a sign-in; the one before it ends. Its CSRF token is a new one: whoever may
    /// have planted or read the old one gains nothing.
    pub async fn signed_in(self, api: &Api, name: &str, tokens: Tokens) -> Result<Self, Problem> {
        note_closing(self.close(api).await);
        let account = SignedIn {
            name: name.to_owned(),
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
        };
        Self::begin(self.bff, Some(account))
    }

    /// The session after a sign-out: none.
    pub async fn ended(self, api: &Api) -> Self {
        note_closing(self.close(api).await);
        Self {
            cookie: Cookie::Expire,
            ..self
        }
    }

    /// Ends it at `api`, if somebody is signed in.
    async fn close(&self, api: &Api) -> Result<(), ApiError> {
        let Some(account) = &self.content.account else {
            return Ok(());
        };
        let token = if Claims::of(&account.access_token).is_some_and(|claims| claims.is_fresh()) {
            account.access_token.clone()
        } else {
            let refresh_token = account.refresh_token.clone();
            let tokens = self.bff.refresh(api.clone(), refresh_token).await?;
            tokens.access_token
        };
        api.clone().with_token(&token).sign_out().await
    }

    /// What forms have to bring along as `csrf`.
    pub fn csrf(&self) -> &str {
        &self.content.csrf
    }

    /// Who is signed in, by name.
    pub fn name(&self) -> Option<&str> {
        let account = self.content.account.as_ref()?;
        Some(&account.name)
    }

    pub(crate) fn profile(&self) -> &'static Profile {
        self.bff.0.profile
    }
}

impl IntoResponseParts for Session {
    type Error = Problem;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Problem> {
        // One browser's token is in it.
        let no_store = HeaderValue::from_static("no-store");
        parts.headers_mut().insert(CACHE_CONTROL, no_store);
        let cookie = &self.bff.0.cookie;
        let told = match self.cookie {
            Cookie::Keep => return Ok(parts),
            // Nothing to seal it with, or too long: the sign-in would be lost in silence.
            Cookie::Set => cookie
                .seal(&self.content, MAX_AGE)
                .ok_or_else(|| Problem::new(StatusCode::INTERNAL_SERVER_ERROR))?,
            Cookie::Expire => cookie.expire(),
        };
        parts.headers_mut().insert(SET_COOKIE, told);
        Ok(parts)
    }
}
