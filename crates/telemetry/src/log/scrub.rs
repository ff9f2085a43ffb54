//! Takes out of a text what looks like a credential: errors quote the messages of drivers, and what
//! those quote is not ours to choose.

use std::borrow::Cow;
use std::ops::Range;

/// What stands in place of what was taken out.
pub(crate) const GONE: char = '…';

/// Endings of names whose value is never shown, as in `password=…` or `API_TOKEN_KEY: …`.
const SECRET_NAMES: [&str; 8] = [
    "authorization",
    "cookie",
    "key",
    "passwd",
    "password",
    "pwd",
    "secret",
    "token",
];
/// What a credential follows after a space, as in `Bearer …`.
const SCHEMES: [&str; 2] = ["bearer", "basic"];
/// How every JSON object begins in base64, and with it every JWT.
const JWT: &str = "eyJ";
/// Shorter ones carry nothing.
const MIN_JWT: usize = 16;

/// The text without user names and queries of URLs, values of secret names, authorization headers,
/// and JWTs.
pub(crate) fn scrub(text: &str) -> Cow<'_, str> {
    if !is_suspicious(text.as_bytes()) {
        return text.into();
    }
    let mut secrets = Vec::new();
    find_in_urls(text, &mut secrets);
    find_named(text, &mut secrets);
    find_jwts(text, &mut secrets);
    if secrets.is_empty() {
        return text.into();
    }
    secrets.sort_unstable_by_key(|range| (range.start, range.end));
    let mut clean = String::with_capacity(text.len());
    let mut shown = 0;
    for secret in secrets {
        if secret.start >= shown {
            clean.push_str(&text[shown..secret.start]);
            clean.push(GONE);
        }
        shown = shown.max(secret.end);
    }
    clean.push_str(&text[shown..]);
    clean.into()
}

/// Whether there can be anything at all; most values are a single word.
fn is_suspicious(text: &[u8]) -> bool {
    text.iter().enumerate().any(|(at, byte)| match byte {
        b':' | b'=' | b' ' => true,
        b'J' => text[..=at].ends_with(JWT.as_bytes()),
        _ => false,
    })
}

/// `scheme://user:password@host/path?query`: who and what was asked.
fn find_in_urls(text: &str, secrets: &mut Vec<Range<usize>>) {
    for (at, separator) in text.match_indices("://") {
        let start = at + separator.len();
        let url = word(&text[start..]);
        // The last one: a password may hold one itself.
        let host = url.rfind('@').unwrap_or(0);
        if host > 0 {
            secrets.push(start..start + host);
        }
        if let Some(query) = url[host..].find('?') {
            secrets.push(start + host + query + 1..start + url.len());
        }
    }
}

/// `name=value`, `name: value`, `"name":"value"` (also as quoted in a string) and `Bearer value`.
fn find_named(text: &str, secrets: &mut Vec<Range<usize>>) {
    for (at, separator) in text.match_indices([':', '=', ' ']) {
        let before = text[..at].trim_end_matches(['"', '\'', '\\']);
        let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
        let name = name.unwrap_or_default();
        let names: &[&str] = if separator == " " {
            &SCHEMES
        } else {
            &SECRET_NAMES
        };
        let is_one = |known: &&str| {
            let begin = name.len().checked_sub(known.len());
            begin.is_some_and(|begin| name[begin..].eq_ignore_ascii_case(known))
        };
        if !names.iter().any(is_one) {
            continue;
        }
        let rest = &text[at + 1..];
        let value = rest.trim_start_matches([' ', '\\']);
        let start = text.len() - value.len();
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let end = value[1..].find(quote).map_or(value.len(), |end| end + 2);
                &value[..end]
            }
            _ => word(value),
        };
        if !value.is_empty() {
            secrets.push(start..start + value.len());
        }
    }
}

fn find_jwts(text: &str, secrets: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices(JWT) {
        let rest = &text[at..];
        let is_jwt = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=');
        let end = rest.find(|c| !is_jwt(c)).unwrap_or(rest.len());
        if end >= MIN_JWT {
            secrets.push(at..at + end);
        }
    }
}

/// Up to what ends a word in running text.
fn word(text: &str) -> &str {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ',' | ';');
    &text[..text.find(ends).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_and_the_rest_stays() {
        for (text, clean) in [
            (
                "failed to reach postgres://ada:hunter2@db:5432/app",
                "failed to reach postgres://…@db:5432/app",
            ),
            ("redis://:hunter2@cache, again", "redis://…@cache, again"),
            ("postgres://ada:hun@ter:2@db/app", "postgres://…@db/app"),
            (
                "GET http://api/v1/menu?cursor=hunter2 failed",
                "GET http://api/v1/menu?… failed",
            ),
            ("http://a:b@c/d?e@f", "http://…@f"),
            (
                "sent `authorization: Bearer hunter2`",
                "sent `authorization: … …`",
            ),
            ("sent bearer hunter2, refused", "sent bearer …, refused"),
            ("Basic aHVudGVyMg== is wrong", "Basic … is wrong"),
            (
                "host=db password=hunter2 user=ada",
                "host=db password=… user=ada",
            ),
            (
                "password='hunter2 and more' user=ada",
                "password=… user=ada",
            ),
            (
                "{\"refresh_token\":\"hunter2\",\"n\":1}",
                "{\"refresh_token\":…,\"n\":1}",
            ),
            (
                "\"{\\\"token\\\":\\\"hunter2\\\"}\"",
                "\"{\\\"token\\\":\\…}\"",
            ),
            ("API_TOKEN_KEY=hunter2", "API_TOKEN_KEY=…"),
            ("got eyJhbGciOiJI.eyJzdWIiOiIx.c2ln here", "got … here"),
            ("password=", "password="),
        ] {
            assert_eq!(scrub(text), clean);
        }
    }

    #[test]
    fn harmless_text_is_not_touched() {
        for text in [
            "",
            "/v1/meals/{id}",
            "127.0.0.1:4000",
            "failed to listen on `127.0.0.1:4000`: address in use",
            "duplicate key value violates unique constraint \"accounts_email\"",
            "http://127.0.0.1:4318/v1/traces",
            "ünï: cödé = ✓ :// = :",
            "eyJhbGci",
        ] {
            assert!(
                matches!(scrub(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }
}
