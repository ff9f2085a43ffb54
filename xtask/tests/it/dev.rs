//! `dev` runs every app, starts again what changed, and leaves nothing behind.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::Sandbox;

/// An app that answers every request with its version and its process.
const SERVER: &str = r#"//! A server in small.

use std::io::{Read, Write};

const SETTINGS: &str = r"{'surface':'NAME','settings':[
  {'name':'ADDR','about':'where it listens','kind':'socket-address','required':false,'secret':false,'default':'127.0.0.1:1','example':null},
  {'name':'KEY','about':'signs','kind':'secret','required':true,'secret':true,'default':null,'example':null},
  {'name':'DATABASE_URL','about':'the database','kind':'url','required':true,'secret':true,'default':'sqlite://data/local.db','example':null}
]}";

fn main() {
    if std::env::args().nth(2).is_some() {
        return println!("{}", SETTINGS.replace('\'', "\""));
    }
    let listener = std::net::TcpListener::bind(std::env::var("ADDR").unwrap()).unwrap();
    println!("\x1b[2Jversion 1");
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut request = [0; 256];
        let _ = stream.read(&mut request);
        if request.starts_with(b"GET /die") {
            std::process::exit(7);
        }
        let _ = write!(stream, "HTTP/1.1 200 OK\r\n\r\nversion 1 in {}", std::process::id());
    }
}
"#;

const LOCK: &str = "\
version = 4

[[package]]
name = \"shop\"
version = \"0.1.0\"

[[package]]
name = \"util\"
version = \"0.1.0\"

[[package]]
name = \"web\"
version = \"0.1.0\"
dependencies = [
 \"util\",
]
";

fn server(name: &str) -> String {
    let upper = name.to_uppercase();
    let text = SERVER
        .replace("'ADDR'", &format!("'{upper}_ADDR'"))
        .replace("\"ADDR\"", &format!("\"{upper}_ADDR\""));
    text.replace("'KEY'", &format!("'{upper}_KEY'"))
}

/// Two apps, `shop` and `web`.
fn two_apps() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("Cargo.lock", LOCK);
    sandbox.write(
        "apps/shop/Cargo.toml",
        "[package]\nname = \"shop\"\nversion.workspace = true\nedition.workspace = true\n",
    );
    sandbox.write("apps/shop/src/main.rs", server("shop"));
    sandbox.write("apps/web/src/main.rs", server("web"));
    sandbox
}

/// A running `dev` and what it has said so far.
struct Dev {
    child: Child,
    said: Arc<Mutex<String>>,
    shop: u16,
    web: u16,
}

/// A port that nobody has, for now.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Dev {
    fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        let (shop, web) = (free_port(), free_port());
        let mut command = sandbox.xtask_command(&[&["dev"], args].concat());
        command
            .env("SHOP_ADDR", format!("127.0.0.1:{shop}"))
            .env("WEB_ADDR", format!("127.0.0.1:{web}"))
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (pipe, to) = (child.stdout.take().unwrap(), Arc::clone(&said));
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                *to.lock().unwrap() += &(line + "\n");
            }
        });
        Self {
            child,
            said,
            shop,
            web,
        }
    }

    /// Waits until it says this, and forgets what it said.
    #[track_caller]
    fn says(&self, text: &str) -> String {
        let since = Instant::now();
        loop {
            let mut said = self.said.lock().unwrap();
            if let Some(at) = said.find(text) {
                let end = said[at..].find('\n').map_or(said.len(), |end| at + end);
                let before = said[..end].to_owned();
                said.drain(..end);
                return before;
            }
            assert!(
                since.elapsed() < Duration::from_secs(30),
                "`{text}` is not in:\n{said}"
            );
            drop(said);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
            let _ = self.child.wait();
        }
    }
}

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.rsplit('\n').next().unwrap_or_default().to_owned()
}

#[test]
fn apps_start_again_when_they_change_and_one_ctrl_c_ends_all() {
    let sandbox = two_apps();
    sandbox.write(
        "migrations/seed.sql",
        "-- sign-in: ada@example.test, password `pancakes`\nselect 1;\n",
    );
    let mut dev = Dev::start(&sandbox, &[]);
    let start = dev.says("Ctrl-C stops all");
    for line in [
        "dev  | done  `.env.local`: wrote SHOP_KEY, WEB_KEY\n",
        "dev  | done  database marked `dev`\n",
        "shop | version 1\n",
        "dev  | shop is ready after ",
        &format!("dev  | web   http://127.0.0.1:{}\n", dev.web),
        "dev  | sign in as ada@example.test, password `pancakes`\n",
    ] {
        assert!(start.contains(line), "`{line}` is not in:\n{start}");
    }
    let (shop, web) = (get(dev.shop, "/"), get(dev.web, "/"));
    assert!(shop.starts_with("version 1 in "), "{shop}");
    sandbox
        .xtask(&["dev"])
        .expect(75)
        .says("it holds `target/xtask/dev.lock`");

    let main = "apps/web/src/main.rs";
    sandbox.write(main, server("web").replace("version 1", "version 2"));
    dev.says("changed: `apps/web/src/main.rs`");
    dev.says("web is ready after ");
    assert!(get(dev.web, "/").starts_with("version 2 in "));
    assert_eq!(get(dev.shop, "/"), shop, "its neighbour goes on");
    assert_ne!(get(dev.web, "/"), web);

    let web = get(dev.web, "/");
    sandbox.write(main, "fn main() { let x: u8 = \"\"; }\n");
    let failed = dev.says("what still runs goes on as it was");
    assert!(failed.contains("error[E0308]"), "{failed}");
    assert!(failed.contains("the build failed: 1 error"), "{failed}");
    assert_eq!(get(dev.web, "/"), web);

    get(dev.shop, "/die");
    dev.says("shop ended by itself: exit code 7");
    // A new file, of a kind that only the database reads.
    sandbox.write(main, server("web").replace("version 1", "version 3"));
    for engine in ["sqlite", "postgres"] {
        sandbox.write(
            &format!("migrations/{engine}/20260102000000_later.sql"),
            "create table later (id integer);\n",
        );
    }
    dev.says("shop is ready after ");
    assert!(get(dev.web, "/").starts_with("version 3 in "));
    let since = Instant::now();
    sandbox
        .xtask(&["setup"])
        .expect(0)
        .says("2 migrations applied");
    assert!(get(dev.shop, "/").starts_with("version 1 in "));
    assert!(since.elapsed() < Duration::from_secs(30));

    dev.signal(Signal::INT);
    assert_eq!(dev.child.wait().unwrap().code(), Some(130));
    sandbox.assert_quiet(Duration::from_secs(5));
}

#[test]
fn what_cannot_run_is_told_before_anything_runs() {
    let sandbox = two_apps();
    sandbox
        .xtask(&["dev", "--only", "shp"])
        .expect(2)
        .says("there is no app `shp`")
        .says("the apps are: shop, web");
    sandbox
        .xtask_with(&["dev"], &[("APP_ENV", "staging")])
        .expect(3)
        .says("dev is for `local`");
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = stranger.local_addr().unwrap().to_string();
    let free = format!("127.0.0.1:{}", free_port());
    let env = [("SHOP_ADDR", free.as_str()), ("WEB_ADDR", taken.as_str())];
    sandbox
        .xtask_with(&["dev"], &env)
        .expect(3)
        .says(&format!(
            "`WEB_ADDR` is `{taken}`, which another process has taken"
        ))
        .says("set `WEB_ADDR` in `.env.local`");
    drop(stranger);
    sandbox
        .xtask_with(&["dev", "--only", "web"], &[("WEB_ADDR", "nowhere")])
        .expect(3)
        .says("`WEB_ADDR` is `nowhere`");

    let dev = Dev::start(&sandbox, &["--only", "web", "--no-watch"]);
    dev.says("web is ready after ");
    let said = dev.says("Ctrl-C stops all");
    assert!(!said.contains("shop"), "{said}");
    get(dev.web, "/die");
    dev.says("every app has ended");
    sandbox.assert_quiet(Duration::from_secs(5));
}

#[test]
fn an_app_without_binary_is_told() {
    let sandbox = two_apps();
    std::fs::remove_file(sandbox.dir.join("apps/shop/src/main.rs")).unwrap();
    sandbox.write("apps/shop/src/lib.rs", "//! Nothing to run.\n");
    for chore in [&["dev"][..], &["bench", "--apps"]] {
        sandbox
            .xtask(chore)
            .expect(1)
            .says("the app `shop` has no binary of its name")
            .says("add `apps/shop/src/main.rs`");
    }
}

/// Release binaries, with addresses and keys of their own; `.env.local` is not needed.
#[test]
fn bench_measures_each_app_by_itself() {
    let sandbox = two_apps();
    let figures = sandbox.xtask(&["bench", "--apps", "--json"]);
    let figures = figures.expect(0).json();
    let figures = figures.as_array().unwrap();
    let names: Vec<_> = figures.iter().map(|figure| &figure["app"]).collect();
    assert_eq!(names, ["shop", "web"]);
    for figure in figures {
        assert!(figure["ready_ms"].as_f64() > Some(0.0), "{figure}");
        assert!(figure["resident_mb"].as_f64() > Some(0.0), "{figure}");
        assert_eq!(figure["resident_mb_limit"], 40.0);
    }
    assert!(!sandbox.dir.join(".env.local").exists());
    sandbox.assert_quiet(Duration::from_secs(5));
}
