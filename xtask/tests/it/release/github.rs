//! What of GitHub's API `gh` needs for releases, on a local port. `gh` speaks plain HTTP to the host
//! `github.localhost`, and takes a proxy: the server is that proxy. Published releases are immutable.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// The repository `o/n` on a server of its own.
pub(super) struct GitHub {
    pub(super) address: String,
    state: Arc<Mutex<State>>,
}

/// A file of a release. Its number stays its own when others go.
pub(super) struct Asset {
    id: usize,
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) tags: Vec<String>,
    /// What GitHub knows of each, and its files.
    pub(super) releases: Vec<(Value, Vec<Asset>)>,
    /// What was asked for, as `POST /repos/o/n/releases`.
    pub(super) log: Vec<String>,
    /// As many uploads are cut short.
    pub(super) truncated: usize,
    /// Requests that begin so are answered with 500.
    pub(super) broken: Option<String>,
    uploads: usize,
}

impl GitHub {
    pub(super) fn start(tags: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(&shared, stream);
            }
        });
        Self { address, state }
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }
}

/// One request for each connection.
fn answer(state: &Mutex<State>, stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).is_err() || line.is_empty() {
        return;
    }
    let mut length = 0;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).is_err() {
            return;
        }
        let header = header.trim().to_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    // One upload that fails ends the others halfway.
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap();
    // A proxy is told the whole address.
    let url = words.next().unwrap();
    let url = url
        .split_once("github.localhost")
        .map_or(url, |(_, path)| path);
    let (status, bytes) = state.lock().unwrap().respond(method, url, &body);
    let mut stream = reader.into_inner();
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        bytes.len()
    );
    // Whoever asked may be gone.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&bytes);
}

impl State {
    fn respond(&mut self, method: &str, url: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let request = format!("{method} {path}");
        self.log.push(request.clone());
        let is_broken = self.broken.as_ref();
        if is_broken.is_some_and(|prefix| request.starts_with(prefix)) {
            return (500, br#"{"message": "out of order"}"#.to_vec());
        }
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let (status, value) = match parts.as_slice() {
            ["graphql"] => (200, self.graph(&serde_json::from_slice(body).unwrap())),
            ["repos", "o", "n", "releases", "assets", id] => {
                return self.asset(method, id.parse().unwrap());
            }
            parts => self.rest(method, parts, query, body),
        };
        (status, value.to_string().into_bytes())
    }

    fn graph(&self, question: &Value) -> Value {
        let tag = question["variables"]["tagName"]
            .as_str()
            .unwrap_or_default();
        let query = question["query"].as_str().unwrap();
        if query.contains("release(") {
            let found = self.named(tag);
            let found =
                found.map(|at| json!({"databaseId": at, "isDraft": self.releases[at].0["draft"]}));
            return json!({"data": {"repository": {"release": found}}});
        }
        let tag = tag.trim_start_matches("refs/tags/");
        let found = self.tags.iter().any(|known| known == tag);
        json!({"data": {"repository": {"ref": found.then(|| json!({"id": "1"}))}}})
    }

    fn rest(&mut self, method: &str, parts: &[&str], query: &str, body: &[u8]) -> (u16, Value) {
        let missing = (404, json!({"message": "Not Found"}));
        match (method, parts) {
            ("GET", ["repos", "o", "n", "releases", "tags", tag]) => match self.named(tag) {
                Some(at) if self.releases[at].0["draft"] == json!(false) => (200, self.shown(at)),
                _ => missing,
            },
            ("POST", ["repos", "o", "n", "releases"]) => {
                let release = serde_json::from_slice(body).unwrap();
                self.releases.push((release, Vec::new()));
                (201, self.shown(self.releases.len() - 1))
            }
            (_, ["repos", "o", "n", "releases", id]) => {
                let at: usize = id.parse().unwrap();
                if method == "PATCH" {
                    let change: Value = serde_json::from_slice(body).unwrap();
                    for (key, value) in change.as_object().unwrap() {
                        self.releases[at].0[key] = value.clone();
                    }
                }
                (200, self.shown(at))
            }
            ("POST", ["repos", "o", "n", "releases", id, "assets"]) => {
                let (release, assets) = &mut self.releases[id.parse::<usize>().unwrap()];
                if release["draft"] != json!(true) {
                    return (422, json!({"message": "the release is immutable"}));
                }
                let name = query.split('&').find_map(|pair| pair.strip_prefix("name="));
                let mut bytes = body.to_vec();
                if self.truncated > 0 {
                    self.truncated -= 1;
                    bytes.pop();
                }
                self.uploads += 1;
                assets.push(Asset {
                    id: self.uploads,
                    name: name.unwrap().to_owned(),
                    bytes,
                });
                (201, json!({"id": 1, "name": name, "state": "uploaded"}))
            }
            _ => missing,
        }
    }

    fn asset(&mut self, method: &str, id: usize) -> (u16, Vec<u8>) {
        for (_, assets) in &mut self.releases {
            if let Some(at) = assets.iter().position(|asset| asset.id == id) {
                return match method {
                    "DELETE" => {
                        assets.remove(at);
                        (204, Vec::new())
                    }
                    _ => (200, assets[at].bytes.clone()),
                };
            }
        }
        (404, b"{}".to_vec())
    }

    /// Puts a file there that nobody uploaded.
    pub(super) fn smuggle(&mut self, name: &str) {
        self.uploads += 1;
        let asset = Asset {
            id: self.uploads,
            name: name.to_owned(),
            bytes: Vec::new(),
        };
        self.releases[0].1.push(asset);
    }

    fn named(&self, tag: &str) -> Option<usize> {
        let mut releases = self.releases.iter();
        releases.position(|(release, _)| release["tag_name"] == json!(tag))
    }

    fn shown(&self, at: usize) -> Value {
        let (release, assets) = &self.releases[at];
        let page = "http://api.github.localhost/repos/o/n/releases";
        let assets = assets.iter().map(|asset| {
            let (id, size) = (asset.id, asset.bytes.len());
            let url = format!("{page}/assets/{id}");
            json!({"id": id, "name": asset.name, "size": size, "state": "uploaded", "url": url})
        });
        let mut shown = release.clone();
        shown["id"] = json!(at);
        shown["url"] = json!(format!("{page}/{at}"));
        shown["html_url"] = json!(format!("http://github.localhost/o/n/releases/{at}"));
        shown["upload_url"] = json!(format!("{page}/{at}/assets{{?name,label}}"));
        shown["assets"] = assets.collect();
        shown
    }
}
