//! Cross-site request forgery: a browser sends its cookies along with anyone's form.
//!
//! Two independent checks, after OWASP's cheat sheet: the request comes from a page of ours
//! (`Origin`, else `Referer`), and it brings the token that only a page of ours could show.

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use settings::AppEnv;
use subtle::ConstantTimeEq as _;

use crate::Problem;

/// The form field that carries the token.
const FIELD: &[u8] = b"csrf";

/// Whether a request with this method may change something.
pub(crate) fn applies_to(method: &Method) -> bool {
    !method.is_safe()
}

/// Refuses a request that was not sent from a page of ours.
pub(crate) fn check_origin(headers: &HeaderMap, env: AppEnv) -> Result<(), Problem> {
    let text = |name| headers.get(name)?.to_str().ok();
    let own = text(header::HOST).unwrap_or_default();
    let sent_from = text(header::ORIGIN).or_else(|| text(header::REFERER));
    let is_ours = sent_from
        .and_then(|page| page.parse::<Uri>().ok())
        .is_some_and(|page| {
            let is_safe = page.scheme_str() == Some("https") || env.is_local();
            is_safe && page.authority().is_some_and(|from| from.as_str() == own)
        });
    if is_ours {
        return Ok(());
    }
    Err(refused("this form was not sent from a page of this site"))
}

/// Refuses a form without the token.
pub(crate) fn check_token(expected: &str, form: &[u8]) -> Result<(), Problem> {
    let sent = form_urlencoded::parse(form).find(|(name, _)| name.as_bytes() == FIELD);
    let matches =
        sent.is_some_and(|(_, token)| bool::from(token.as_bytes().ct_eq(expected.as_bytes())));
    if matches {
        return Ok(());
    }
    Err(without_token())
}

/// For a caller that was never shown a form.
pub(crate) fn without_token() -> Problem {
    refused("this form has expired: go back, reload the page and send it again")
}

fn refused(why: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN).detail(why)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[track_caller]
    fn check(env: AppEnv, sent: &[(HeaderName, &'static str)], expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::HOST,
            HeaderValue::from_static("kitchen.example:8443"),
        );
        for (name, value) in sent {
            headers.insert(name, HeaderValue::from_static(value));
        }
        assert_eq!(check_origin(&headers, env).is_ok(), expected, "{sent:?}");
    }

    #[test]
    fn only_pages_of_ours_are_believed() {
        use header::{ORIGIN, REFERER};
        let ours = "https://kitchen.example:8443";
        check(AppEnv::Production, &[(ORIGIN, ours)], true);
        check(
            AppEnv::Production,
            &[(REFERER, "https://kitchen.example:8443/orders?a")],
            true,
        );
        check(
            AppEnv::Local,
            &[(ORIGIN, "http://kitchen.example:8443")],
            true,
        );
        check(
            AppEnv::Production,
            &[(ORIGIN, "http://kitchen.example:8443")],
            false,
        );
        check(AppEnv::Production, &[], false);
        for foreign in [
            "null",
            "",
            "https://kitchen.example",
            "https://kitchen.example:8443.evil.example",
            "https://evil.example",
            "https://evil.example/https://kitchen.example:8443",
            "https://kitchen.example:8443@evil.example",
        ] {
            check(AppEnv::Production, &[(ORIGIN, foreign)], false);
            // A good referer does not outweigh a bad origin.
            check(
                AppEnv::Production,
                &[(ORIGIN, foreign), (REFERER, ours)],
                false,
            );
        }
    }

    #[test]
    fn the_token_is_read_from_the_form() {
        assert!(check_token("a b", b"x=1&csrf=a+b").is_ok());
        for form in [
            "",
            "csrf=",
            "csrf=a",
            "x=a+b",
            "csrf=wrong&csrf=a+b",
            "Csrf=a+b",
            "{}",
        ] {
            assert!(check_token("a b", form.as_bytes()).is_err(), "{form}");
        }
        assert!(check_token("a", b"csrf=\xff").is_err());
    }
}
