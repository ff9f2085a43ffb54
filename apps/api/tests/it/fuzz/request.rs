//! What is sent: mostly HTTP, and near to what the app knows.

use std::fmt;
use std::net::Ipv4Addr;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// What is sent.
#[derive(Clone)]
pub(super) struct Raw {
    pub(super) bytes: Vec<u8>,
    /// Whether it has to be answered.
    pub(super) is_http: bool,
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bytes.escape_ascii())
    }
}

pub(super) fn request(tokens: Vec<Option<String>>) -> impl Strategy<Value = Raw> {
    prop_oneof![
        15 => well_formed(tokens),
        1 => vec(any::<u8>(), 0..200).prop_map(|bytes| Raw { bytes, is_http: false }),
    ]
}

fn well_formed(tokens: Vec<Option<String>>) -> impl Strategy<Value = Raw> {
    let address = any::<[u8; 4]>();
    (
        route(),
        select(tokens),
        address,
        vec(header(), 0..5),
        body(),
    )
        .prop_map(|((method, target), token, address, headers, body)| {
            let address = Ipv4Addr::from(address);
            let mut bytes = format!(
                "{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                 x-forwarded-for: {address}\r\ncontent-length: {}\r\n",
                body.len()
            )
            .into_bytes();
            if let Some(token) = token {
                bytes.extend(format!("authorization: Bearer {token}\r\n").bytes());
            }
            for (name, value) in headers {
                bytes.extend(name.bytes());
                bytes.extend(b": ");
                bytes.extend(value);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"\r\n");
            bytes.extend(body);
            Raw {
                bytes,
                is_http: true,
            }
        })
}

/// A method and a target: mostly those of a route, with other things for its id and in its query.
fn route() -> impl Strategy<Value = (String, String)> {
    let routes: Vec<_> = api::records()
        .into_iter()
        // Staff who sign out are out at once: before long nobody would be signed in.
        .filter(|route| route.path != "/v1/sessions/current")
        .map(|route| (route.method.to_owned(), route.path))
        .collect();
    let known = (select(routes.clone()), segment(), query())
        .prop_map(|((method, path), id, query)| (method, path.replace("{id}", &id) + &query));
    let methods = select(vec![
        "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get",
    ]);
    let of_another =
        (methods.clone(), select(routes)).prop_map(|(method, (_, path))| (method.to_owned(), path));
    let nowhere = (methods, vec(segment(), 0..4), query()).prop_map(|(method, path, query)| {
        (method.to_owned(), format!("/{}{query}", path.join("/")))
    });
    prop_oneof![8 => known, 1 => of_another, 1 => nowhere]
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (1..4_i64).prop_map(|id| id.to_string()),
        1 => any::<i128>().prop_map(|id| id.to_string()),
        1 => vec(any::<u8>(), 0..8).prop_map(|bytes| bytes.iter().map(|b| format!("%{b:02X}")).collect::<Vec<_>>().concat()),
        1 => "[!-\"$->@-~]{0,12}",
        1 => select(vec!["..", ".", "%2e%2e", "%", "%zz", "%00", "v1", "menu", ""]).prop_map(str::to_owned),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let name = select(vec!["cursor", "limit", "status", "x", "", "%FF"]);
    let pair = (name, segment()).prop_map(|(name, value)| format!("{name}={value}"));
    prop_oneof![
        2 => Just(String::new()),
        1 => vec(pair, 0..4).prop_map(|pairs| format!("?{}", pairs.join("&"))),
    ]
}

fn header() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let names = vec![
        "content-type",
        "content-type",
        "content-type",
        "accept",
        "cookie",
        "origin",
        "x-request-id",
        "if-match",
        "expect-ct",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "x-y",
    ];
    // Any byte that a value may have.
    let byte = any::<u8>().prop_map(|byte| {
        if byte < 0x20 || byte == 0x7f {
            b'!'
        } else {
            byte
        }
    });
    let value = prop_oneof![
        3 => Just(b"application/json".to_vec()),
        1 => Just(b"application/json; charset=\"utf-16\"".to_vec()),
        2 => vec(byte, 0..40),
        1 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
    ];
    (select(names), value)
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let json = || object().prop_map(|json| json.to_string().into_bytes());
    let broken =
        (json(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut bytes, index, byte)| {
            let index = index.index(bytes.len());
            bytes[index] = byte;
            bytes
        });
    prop_oneof![
        6 => json(),
        2 => broken,
        2 => Just(Vec::new()),
        1 => vec(any::<u8>(), 0..300),
        1 => Just(b"[".repeat(5000)),
        1 => Just(vec![b' '; 70_000]),
        1 => Just(b"{\"meal_id\":1e999,\"quantity\":123456789012345678901234567890}".to_vec()),
    ]
}

/// The fields that the app knows, with anything in them.
fn object() -> impl Strategy<Value = Value> {
    let names = vec![
        "email",
        "name",
        "password",
        "refresh_token",
        "description",
        "price_cents",
        "available",
        "version",
        "meal_id",
        "quantity",
        "wanted_at",
        "status",
        "type",
        "data",
        "order_id",
        "amount_cents",
        "\u{0}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..30_i64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::from),
        select(vec![
            "ada@example.test",
            "cooking",
            "payment.succeeded",
            "2026-11-21T08:01:00Z",
            "\u{0}"
        ])
        .prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| vec(inner, 0..4).prop_map(Value::from));
    let whole = prop_oneof![
        Just(json!({"name": "Soup", "price_cents": 450})),
        Just(json!({"meal_id": 1, "quantity": 1})),
        Just(json!({"status": "cooking", "version": 1})),
        Just(json!({})),
    ];
    (whole, vec((select(names), value), 0..4)).prop_map(|(mut object, fields)| {
        for (name, value) in fields {
            object[name] = value;
        }
        object
    })
}
