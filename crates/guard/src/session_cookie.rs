//! A session in the browser's keeping: encrypted and authenticated, so that it can be neither read
//! nor made up, and no store of sessions is needed.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, CookieJar, Key, SameSite};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use settings::AppEnv;

/// Browsers drop a cookie that is longer.
const MAX_LEN: usize = 4096;

/// The cookie of one app.
pub struct SessionCookie {
    name: String,
    keys: Vec<Key>,
    is_secure: bool,
}

impl SessionCookie {
    /// The first key encrypts, all of them decrypt.
    ///
    /// The name gets the prefix `__Host-` where there is TLS: no other host of the domain, and no
    /// page without TLS, can then plant such a cookie. Cookies know no ports: apps on one machine
    /// need different names.
    pub fn new(name: &str, keys: &[SecretString], env: AppEnv) -> Self {
        let is_secure = !env.is_local();
        let prefix = if is_secure { "__Host-" } else { "" };
        let derive = |key: &SecretString| Key::derive_from(key.expose_secret().as_bytes());
        Self {
            name: format!("{prefix}{name}"),
            keys: keys.iter().map(derive).collect(),
            is_secure,
        }
    }

    /// What a request's cookie holds: nothing if there is none, if it is forged, or if it has
    /// another shape.
    pub fn open<T: DeserializeOwned>(&self, headers: &HeaderMap) -> Option<T> {
        let sent = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .find(|cookie| cookie.name() == self.name)?
            .into_owned();
        let opened = self.keys.iter().find_map(|key| {
            let jar = CookieJar::new();
            jar.private(key).decrypt(sent.clone())
        })?;
        serde_json::from_str(opened.value()).ok()
    }

    /// The `set-cookie` that makes the browser keep this. Too long a value is not kept at all: the
    /// browser would drop it in silence.
    pub fn seal<T: Serialize>(&self, value: &T, max_age: Duration) -> Option<HeaderValue> {
        let json = serde_json::to_string(value).ok()?;
        let mut jar = CookieJar::new();
        jar.private_mut(self.keys.first()?)
            .add(self.cookie(json, max_age));
        let header = jar.get(&self.name)?.to_string();
        if header.len() > MAX_LEN {
            tracing::error!(bytes = header.len(), "a session is too long for a cookie");
            return None;
        }
        HeaderValue::from_str(&header).ok()
    }

    /// The `set-cookie` that makes the browser forget it.
    pub fn expire(&self) -> HeaderValue {
        let cookie = self.cookie(String::new(), Duration::ZERO);
        HeaderValue::from_str(&cookie.to_string()).unwrap_or(HeaderValue::from_static(""))
    }

    fn cookie(&self, value: String, max_age: Duration) -> Cookie<'static> {
        let max_age = max_age.try_into().unwrap_or(cookie::time::Duration::MAX);
        Cookie::build((self.name.clone(), value))
            .path("/")
            .http_only(true)
            .secure(self.is_secure)
            .same_site(SameSite::Lax)
            .max_age(max_age)
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "a-key-that-nothing-but-tests-knows";
    const B: &str = "b-key-that-nothing-but-tests-knows";
    const MINUTE: Duration = Duration::from_mins(1);

    fn cookie(name: &str, keys: &[&str], env: AppEnv) -> SessionCookie {
        let keys: Vec<SecretString> = keys.iter().map(|&key| key.into()).collect();
        SessionCookie::new(name, &keys, env)
    }

    /// What a browser that was told this sends back.
    fn sent(set_cookie: &HeaderValue) -> HeaderMap {
        let pair = set_cookie.to_str().unwrap().split(';').next().unwrap();
        let value = format!("theme=dark; {pair}");
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&value).unwrap())])
    }

    #[test]
    fn only_our_own_are_opened_and_nothing_shows() {
        let ours = cookie("session", &[A], AppEnv::Production);
        let set = ours.seal(&("ada", 7), MINUTE).unwrap();
        let text = set.to_str().unwrap();
        assert!(
            text.starts_with("__Host-session=") && !text.contains("ada"),
            "{text}"
        );
        for part in [
            "; HttpOnly",
            "; SameSite=Lax",
            "; Secure",
            "; Path=/",
            "; Max-Age=60",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("Domain"));
        assert_eq!(ours.open(&sent(&set)), Some(("ada".to_owned(), 7)));
        assert_eq!(ours.open::<Vec<u8>>(&sent(&set)), None);
        assert_eq!(ours.open::<String>(&HeaderMap::new()), None);
        for other in [
            cookie("session", &[B], AppEnv::Production),
            cookie("another", &[A], AppEnv::Production),
        ] {
            assert_eq!(other.open::<(String, u8)>(&sent(&set)), None);
        }
        let mut forged = text.split(';').next().unwrap().to_owned();
        forged.replace_range(20..21, if &forged[20..21] == "A" { "B" } else { "A" });
        let forged = HeaderValue::from_str(&forged).unwrap();
        assert_eq!(ours.open::<(String, u8)>(&sent(&forged)), None);
    }

    #[test]
    fn a_session_does_not_move_to_another_name() {
        let set = cookie("one", &[A], AppEnv::Local).seal(&1, MINUTE).unwrap();
        let moved = set.to_str().unwrap().replace("one=", "two=");
        let moved = HeaderValue::from_str(&moved).unwrap();
        assert_eq!(
            cookie("two", &[A], AppEnv::Local).open::<u8>(&sent(&moved)),
            None
        );
    }

    #[test]
    fn keys_change_without_signing_anybody_out() {
        let before = cookie("session", &[A, B], AppEnv::Production);
        let after = cookie("session", &[B, A], AppEnv::Production);
        for (writer, reader) in [(&before, &after), (&after, &before)] {
            let set = writer.seal(&1, MINUTE).unwrap();
            assert_eq!(reader.open::<u8>(&sent(&set)), Some(1));
        }
    }

    #[test]
    fn no_tls_on_a_developers_machine() {
        let local = cookie("session", &[A], AppEnv::Local);
        let set = local.seal(&1, MINUTE).unwrap();
        let text = set.to_str().unwrap();
        assert!(
            text.starts_with("session=") && !text.contains("Secure"),
            "{text}"
        );
        assert!(local.expire().to_str().unwrap().contains("Max-Age=0"));
    }

    #[test]
    fn what_no_browser_would_keep_is_not_sent() {
        let ours = cookie("session", &[A], AppEnv::Local);
        assert_eq!(ours.seal(&"x".repeat(4096), MINUTE), None);
    }
}
