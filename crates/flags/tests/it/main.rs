//! What the flags decide, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flags::{Flag, Flags};
use settings::AppEnv;

const PREORDERS: &str = "\
[preorders]
about = \"later\"
owner = \"kitchen\"
created = 2026-11-21
local = true
";

#[track_caller]
fn refused(text: &str) -> String {
    let error = Flags::parse(text, AppEnv::Local).unwrap_err();
    assert!(error.help().contains("`flags.toml`"));
    error.to_string()
}

#[test]
fn preorders_are_for_developers_and_previews() {
    let on = |env| Flags::load(env).unwrap().is_on(Flag::Preorders);
    assert!(on(AppEnv::Local) && on(AppEnv::Preview));
    assert!(!on(AppEnv::Staging) && !on(AppEnv::Production));
}

#[test]
fn what_is_not_turned_on_is_off() {
    let on = |env| {
        let flags = Flags::parse(PREORDERS, env).unwrap();
        flags.is_on(Flag::Preorders)
    };
    assert!(on(AppEnv::Local) && !on(AppEnv::Preview));
    assert!(!on(AppEnv::Staging) && !on(AppEnv::Production));
}

#[test]
fn a_flag_without_variant_is_refused() {
    let text = format!("{PREORDERS}\n[delivery]\nabout = \"x\"\n");
    assert_eq!(
        refused(&text),
        "line 7 of `flags.toml`, `[delivery]`: unknown field `delivery`, expected `preorders`"
    );
}

#[test]
fn a_variant_without_flag_is_refused() {
    assert_eq!(
        refused("# none yet\n"),
        "line 1 of `flags.toml`: missing field `preorders`"
    );
}

#[test]
fn every_problem_has_its_line_and_key() {
    for (from, to, said) in [
        (
            "owner = \"kitchen\"\n",
            "",
            "line 1 of `flags.toml`, `[preorders]`: missing field `owner`",
        ),
        (
            "\"kitchen\"",
            "\" \"",
            "line 3 of `flags.toml`, `owner`: empty text",
        ),
        (
            "local = true",
            "locl = true",
            "line 5 of `flags.toml`, `locl`: unknown field `locl`",
        ),
        (
            "local = true",
            "local = \"on\"",
            "line 5 of `flags.toml`, `local`: invalid type: string \"on\", expected a boolean",
        ),
        (
            "2026-11-21",
            "2026-11-21T08:00:00Z",
            "line 4 of `flags.toml`, `created`: `2026-11-21T08:00:00Z` is not a date",
        ),
        (
            "2026-11-21",
            "2026-11-31",
            "line 4 of `flags.toml`, `created`: ",
        ),
        ("2026-11-21", "soon", "line 4 of `flags.toml`, `created`: "),
    ] {
        let text = refused(&PREORDERS.replace(from, to));
        assert!(text.starts_with(said), "{text}");
    }
}
