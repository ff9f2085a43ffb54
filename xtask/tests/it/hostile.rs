//! Output of a test is not ours: it must not command a CI service, repaint a terminal, or break JSON.

use crate::sandbox::{Sandbox, findings, gate};

const HOSTILE: &str = r#"
#[cfg(test)]
mod hostile {
    use std::io::Write as _;

    #[test]
    fn shouts() {
        let mut out = std::io::stdout().lock();
        out.write_all(b"::error file=x::from a test\n::set-env name=A::b\n##[command]x\n\xff\xfe\n").unwrap();
        out.write_all("\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[31mred\u{202e}\n".as_bytes()).unwrap();
        out.write_all(&vec![b'x'; 5_000_000]).unwrap();
        drop(out);
        panic!("::error::\u{1b}[1mboom\n::warning::again");
    }
}
"#;

#[test]
fn hostile_output_is_harmless_in_every_sink() {
    let sandbox = Sandbox::new();
    sandbox.append("crates/util/src/lib.rs", HOSTILE);

    let human = sandbox.xtask(&["ci", "test"]);
    human.expect(1).says("hostile::shouts` failed");
    let json = sandbox.xtask(&["ci", "test", "--format", "json"]);
    json.expect(1);
    let github = sandbox.xtask_with(&["ci", "test"], &[("GITHUB_ACTIONS", "true")]);
    github.expect(1);
    for (name, text) in [
        ("human", &human.stdout),
        ("json", &json.stdout),
        ("github", &github.stdout),
    ] {
        assert!(text.len() < 300_000, "{name}: {} bytes", text.len());
        let control = text
            .chars()
            .find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
        assert_eq!(control, None, "{name}");
        assert!(!text.contains('\u{202e}'), "{name}");
    }
    assert!(
        !human.stdout.lines().any(|line| line.starts_with("::")),
        "{}",
        human.stdout
    );

    let run = json.json();
    crate::ci::validate(&run);
    assert_eq!(findings(&run, "test").len(), 1, "{run:#}");
    assert_eq!(
        gate(&run, "test")["findings"][0]["file"],
        "crates/util/src/lib.rs"
    );

    // What GitHub's runner would do with it: commands count only outside `stop-commands`.
    let mut stopped: Option<String> = None;
    let mut commands = Vec::new();
    for line in github.stdout.lines().map(str::trim_start) {
        if let Some(token) = &stopped {
            if line == format!("::{token}::") {
                stopped = None;
            }
        } else if let Some(token) = line.strip_prefix("::stop-commands::") {
            stopped = Some(token.to_owned());
        } else if line.starts_with("::") || line.contains("##[") {
            commands.push(line.to_owned());
        }
    }
    assert_eq!(stopped, None, "commands stay off for the next step");
    assert_eq!(commands.len(), 1, "{commands:#?}");
    assert!(
        commands[0].starts_with("::error title=test/failed,file=crates/util/src/lib.rs,line="),
        "{commands:?}"
    );
}
