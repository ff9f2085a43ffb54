//! A running surface, and what can be found out about it from outside.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::json;
use testkit::{Answer, Browser, Http, hidden};

use super::table::{LIKELY, Row, filled, matches, nearby};
use crate::surfaces::{Surface, Surfaces};

/// Where `client` and `admin` send whoever is not signed in.
pub(super) const SIGN_IN: &str = "/sign-in";

/// Those that a router knows, those that a browser asks before it sends another site's request, and
/// one that is not in HTTP.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY",
];

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum As {
    /// With nothing at all.
    Nobody,
    /// With the token of a form and the cookie that belongs to it, which is what anyone gets.
    Visitor,
    Customer,
    Staff,
}

/// What matters of an answer.
#[derive(Clone, Debug)]
struct Seen {
    status: u16,
    location: String,
    allow: String,
    text: String,
}

impl Seen {
    fn allowed(&self) -> BTreeSet<&str> {
        self.allow.split(',').map(str::trim).collect()
    }
}

/// A running surface, and what it has answered so far: a second table costs no second request.
pub(super) struct Live {
    pub(super) app: &'static str,
    pub(super) url: String,
    metrics_url: String,
    pub(super) http: Http,
    tokens: BTreeMap<&'static str, String>,
    seen: HashMap<(As, String, String), Seen>,
    pub(super) sent: u32,
}

impl Live {
    fn new(app: &'static str, surface: &Surface) -> Self {
        Self {
            app,
            url: surface.url.clone(),
            metrics_url: surface.metrics_url.clone(),
            http: Http::new(&surface.url),
            tokens: BTreeMap::new(),
            seen: HashMap::new(),
            sent: 0,
        }
    }

    pub(super) fn all(surfaces: &Surfaces) -> [Self; 4] {
        [
            Self::new("api", &surfaces.api),
            Self::new("client", &surfaces.client),
            Self::new("admin", &surfaces.admin),
            Self::new("site", &surfaces.site),
        ]
    }

    fn has_forms(&self) -> bool {
        matches!(self.app, "client" | "admin")
    }

    fn rows<'a>(&self, table: &'a [Row]) -> Vec<&'a Row> {
        let mut rows: Vec<_> = table.iter().filter(|row| row.app == self.app).collect();
        // What ends a session comes after what needs it.
        rows.sort_by_key(|row| row.method == "DELETE");
        rows
    }

    /// An address that has not asked before.
    fn caller(&mut self) -> String {
        self.sent += 1;
        let [_, b, c, d] = self.sent.to_be_bytes();
        format!("10.{b}.{c}.{d}")
    }

    /// Sends a request, unless it was sent before. The answer has all the headers.
    async fn ask(&mut self, who: As, method: &str, path: &str) -> Seen {
        let key = (who, method.to_owned(), path.to_owned());
        if let Some(seen) = self.seen.get(&key) {
            return seen.clone();
        }
        let answer = self.send(who, method, path).await;
        assert_all_headers(
            &format!("{} as {who:?}: {method} {path}", self.app),
            &answer,
        );
        let cors = answer.headers.keys().find(|name| {
            let name = name.as_str();
            name.starts_with("access-control-")
        });
        assert_eq!(cors, None, "{}: {method} {path}", self.app);
        let seen = Seen {
            status: answer.status.as_u16(),
            location: answer.header("location").to_owned(),
            allow: answer.header("allow").to_owned(),
            text: answer.text(),
        };
        self.seen.insert(key, seen.clone());
        seen
    }

    async fn send(&mut self, who: As, method: &str, path: &str) -> Answer {
        let caller = self.caller();
        let token = match who {
            As::Customer => self.token("customer@example.test").await,
            As::Staff => self.token("staff@example.test").await,
            As::Nobody | As::Visitor => String::new(),
        };
        let authority = self.url.trim_start_matches("http://");
        let origin = format!("https://{authority}");
        let mut headers = vec![("x-forwarded-for", caller.as_str())];
        let (mut browser, mut body) = (None, String::new());
        if who == As::Visitor {
            let visitor = Browser::new(&self.url);
            let page = visitor.page(SIGN_IN).await;
            body = format!("csrf={}", hidden(&page, "csrf"));
            headers.extend([
                ("origin", origin.as_str()),
                ("content-type", "application/x-www-form-urlencoded"),
            ]);
            browser = Some(visitor);
        }
        if !token.is_empty() {
            headers.extend([("authorization", token.as_str())]);
            headers.extend([("content-type", "application/json")]);
            "{}".clone_into(&mut body);
        }
        if method == "OPTIONS" {
            headers.extend([
                ("origin", "https://elsewhere.example"),
                ("access-control-request-method", "POST"),
            ]);
        }
        let http = browser.as_ref().map_or(&self.http, |browser| &browser.0);
        let method: Method = method.parse().unwrap();
        http.send(method, path, &headers, body).await
    }

    /// What `api` gives this account for its password.
    async fn token(&mut self, email: &'static str) -> String {
        if let Some(token) = self.tokens.get(email) {
            return token.clone();
        }
        let caller = self.caller();
        let headers = [
            ("x-forwarded-for", caller.as_str()),
            ("content-type", "application/json"),
        ];
        let body = json!({"email": email, "password": "pancakes-for-all"}).to_string();
        let answer = self
            .http
            .send(Method::POST, "/v1/sessions", &headers, body)
            .await;
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let token = format!("Bearer {token}");
        self.tokens.insert(email, token.clone());
        token
    }

    /// All that can be found out from outside.
    pub(super) async fn complaints(&mut self, table: &[Row]) -> Vec<String> {
        let mut complaints = self.walk(table).await;
        complaints.extend(self.siblings(table).await);
        complaints.extend(self.strangers(table).await);
        complaints
    }

    /// Each row of the table is there, and lets in whom it says.
    pub(super) async fn walk(&mut self, table: &[Row]) -> Vec<String> {
        let mut complaints = Vec::new();
        for row in self.rows(table) {
            let mut callers = vec![As::Nobody];
            if self.has_forms() && row.is_change() {
                callers.push(As::Visitor);
            }
            if self.app == "api" && !row.is_public() && !row.access.starts_with("webhook:") {
                callers.extend([As::Customer, As::Staff]);
            }
            for path in filled(&row.path) {
                for who in &callers {
                    let seen = self.ask(*who, &row.method, &path).await;
                    if !self.is_as_it_says(row, *who, &seen) {
                        complaints.push(format!(
                            "{} is `{}`, but answers {who:?} with {seen:?}",
                            row.name(),
                            row.access
                        ));
                    }
                }
                if row.method == "GET" {
                    let got = self.ask(As::Nobody, "GET", &path).await;
                    let head = self.ask(As::Nobody, "HEAD", &path).await;
                    if (head.status, head.text.as_str()) != (got.status, "") {
                        complaints.push(format!("{} answers HEAD with {head:?}", row.name()));
                    }
                }
            }
        }
        complaints
    }

    fn is_as_it_says(&self, row: &Row, who: As, seen: &Seen) -> bool {
        let says = |status, part: &str| seen.status == status && seen.text.contains(part);
        let is_let_in = match seen.status {
            // A handler's own 404 is about what the parameter names.
            404 => row.path.contains('{'),
            303 => seen.location != SIGN_IN,
            401 | 403 | 405 | 500.. => false,
            _ => true,
        };
        if row.is_public() {
            // It lets everyone in, but no form that another site has made up.
            return if who == As::Nobody && self.has_forms() && row.is_change() {
                says(403, "this form")
            } else {
                is_let_in
            };
        }
        if row.access.starts_with("webhook:") {
            return says(401, "signature");
        }
        let role = match who {
            As::Nobody | As::Visitor if self.has_forms() => {
                return seen.status == 303 && seen.location == SIGN_IN;
            }
            As::Nobody | As::Visitor => return says(401, "sign in first"),
            As::Customer => "role:customer",
            As::Staff => "role:staff",
        };
        if row.access == "signed-in" || row.access == role {
            is_let_in
        } else {
            says(403, "your role does not allow this")
        }
    }

    /// The methods that each pattern of the table answers.
    fn listed<'a>(&self, table: &'a [Row]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
        let mut listed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for row in self.rows(table) {
            let methods = listed.entry(&row.path).or_default();
            methods.insert(&row.method);
            if row.method == "GET" {
                methods.insert("HEAD");
            }
        }
        listed
    }

    /// No path of the table answers a method that the table does not list, and each says the same
    /// of itself in `allow`.
    async fn siblings(&mut self, table: &[Row]) -> Vec<String> {
        let mut complaints = Vec::new();
        for (pattern, methods) in self.listed(table) {
            for path in filled(pattern) {
                for method in METHODS {
                    if methods.contains(method) {
                        continue;
                    }
                    let seen = self.ask(As::Nobody, method, &path).await;
                    if seen.status != 405 || seen.allowed() != methods {
                        complaints.push(self.unlisted(method, &path, &seen));
                    }
                }
            }
        }
        complaints
    }

    /// No path beside those of the table is there. One method tells: a path that is registered for
    /// another answers 405. A path that the parameter of a pattern takes is that pattern's, unless a
    /// route of its own stands before it: that shows in the methods it allows, if they are others.
    async fn strangers(&mut self, table: &[Row]) -> Vec<String> {
        let listed = self.listed(table);
        let mut complaints = Vec::new();
        for path in nearby(table) {
            if listed.contains_key(path.as_str()) {
                continue;
            }
            let mut takers = listed
                .iter()
                .filter(|(pattern, _)| matches(pattern, &path))
                .peekable();
            let (method, status) = match takers.peek() {
                None => ("GET", 404),
                Some(_) => ("TRACE", 405),
            };
            let seen = self.ask(As::Nobody, method, &path).await;
            let is_theirs = status == 404 || takers.any(|(_, methods)| seen.allowed() == *methods);
            if seen.status != status || !is_theirs {
                complaints.push(self.unlisted(method, &path, &seen));
            }
        }
        complaints
    }

    fn unlisted(&self, method: &str, path: &str, seen: &Seen) -> String {
        let app = self.app;
        format!("{app}: {method} {path} is not in the table, but answers {seen:?}")
    }

    /// The routes that the process has series of, which `guard` makes when it closes the router: no
    /// path is too odd to be guessed here. Each row has been reached by now, under its own pattern.
    /// One that `guard` itself let past its list would have no series; then guessing is all there is.
    pub(super) async fn inventory(&self, table: &[Row]) -> Vec<String> {
        let metrics = Http::new(&self.metrics_url).get("/metrics").await.text();
        let label = |line: &str, name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        let mut live: BTreeMap<_, _> = metrics
            .lines()
            .filter(|line| line.starts_with("http_request_duration_seconds_count{"))
            .map(|line| {
                let (_, count) = line.rsplit_once(' ').unwrap();
                let route = (label(line, "method"), label(line, "route"));
                (route, count.parse::<u64>().unwrap())
            })
            .collect();
        assert!(live.remove(&("OTHER".into(), "unmatched".into())).is_some());
        let mut complaints = Vec::new();
        for row in self.rows(table) {
            match live.remove(&(row.method.clone(), row.path.clone())) {
                None => complaints.push(format!("{} is not in the process", row.name())),
                Some(0) => complaints.push(format!("no request has reached {}", row.name())),
                Some(_) => {}
            }
        }
        complaints.extend(live.into_keys().map(|(method, path)| {
            format!(
                "{}: {method} {path} is in the process, not in the table",
                self.app
            )
        }));
        complaints
    }

    /// The listener for operators, which belongs to no table, shows one path.
    pub(super) async fn operators(&self, table: &[Row]) -> Vec<String> {
        let http = Http::new(&self.metrics_url);
        let mut complaints = Vec::new();
        let paths = table.iter().flat_map(|row| filled(&row.path));
        let paths: BTreeSet<_> = paths.chain(LIKELY.map(str::to_owned)).collect();
        for path in paths {
            let answer = http.get(&path).await;
            let expected = if path == "/metrics" { 200 } else { 404 };
            if answer.status != expected {
                complaints.push(format!("{} shows operators {path}", self.app));
            }
        }
        complaints
    }
}

#[track_caller]
pub(super) fn assert_all_headers(what: &str, answer: &Answer) {
    answer.assert_headers(what);
    let hsts = answer.header("strict-transport-security");
    assert!(hsts.starts_with("max-age="), "{what}: {hsts:?}");
}

/// Announces a body of this many bytes and sends none: who refuses it has not read it.
pub(super) fn announce(url: &str, method: &str, path: &str, length: usize) -> Answer {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    raw(url, &head)
}

pub(super) fn raw(url: &str, request: &str) -> Answer {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        let name: HeaderName = name.parse().unwrap();
        (name, value.parse().unwrap())
    });
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        all.append(name, value);
    }
    Answer {
        status: status.parse::<StatusCode>().unwrap(),
        headers: all,
        body: body.to_owned().into(),
    }
}
