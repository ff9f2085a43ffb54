//! What the settings accept, refuse and tell.

use std::cell::RefCell;
use std::collections::BTreeSet;

use secrecy::ExposeSecret;
use settings::{
    AdminSettings, ApiSettings, AppEnv, ClientSettings, Problems, Settings, SiteSettings, Surface,
    describe,
};

const KEY: &str = "a-key-that-nothing-but-tests-knows";

fn read<S: Settings>(values: &[(&str, &str)]) -> Result<S, Problems> {
    S::from_source(&|name| {
        let value = values.iter().find(|(known, _)| *known == name);
        value.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn local_needs_only_the_keys() {
    let api: ApiSettings = read(&[("API_TOKEN_KEY", KEY)]).unwrap();
    assert_eq!(api.common.app_env, AppEnv::Local);
    assert_eq!(api.common.addr, "127.0.0.1:4000".parse().unwrap());
    assert_eq!(api.common.drain.lame_duck.as_millis(), 0);
    assert_eq!(api.common.drain.deadline.as_millis(), 20_000);
    assert_eq!(api.common.release_sha, "unknown");
    assert!(api.common.trusted_proxies.is_empty());
    assert_eq!(api.database_url.expose_secret(), "sqlite://data/local.db");

    let client: ClientSettings = read(&[("CLIENT_SESSION_KEY", KEY)]).unwrap();
    assert_eq!(client.common.addr.port(), 4001);
    let admin: AdminSettings = read(&[("ADMIN_SESSION_KEY", KEY)]).unwrap();
    assert_eq!(admin.common.addr.port(), 4002);
    let site: SiteSettings = read(&[]).unwrap();
    assert_eq!(site.common.addr.port(), 4003);
}

#[test]
fn every_problem_is_reported_at_once_without_a_secret() {
    let problems = read::<ApiSettings>(&[
        ("APP_ENV", "production"),
        ("API_ADDR", "nowhere"),
        ("DRAIN_DEADLINE_MS", "-1"),
        ("TRUSTED_PROXIES", "10.0.0.1,lb"),
        ("DATABASE_URL", concat!("mysql://root:", "hunter2", "@db")),
        ("API_TOKEN_KEY", "hunter2"),
    ])
    .unwrap_err();
    let text = problems.to_string();
    assert_eq!(
        text,
        "the settings of `api` cannot be used\n  \
         `API_ADDR` is `nowhere`, not a socket address such as `127.0.0.1:4000`\n  \
         `TRUSTED_PROXIES` is `10.0.0.1,lb`, not addresses, with commas between, whose `x-forwarded-for` is believed\n  \
         `DRAIN_DEADLINE_MS` is `-1`, not a whole number from 0 to 4294967295\n  \
         `DATABASE_URL` begins with neither `postgres:` nor `sqlite:`\n  \
         `API_TOKEN_KEY` has 7 characters, at least 32 are needed"
    );
    assert!(!format!("{problems:?}").contains("hunter2"));
    assert!(problems.help().contains("`api describe settings`"));
}

#[test]
fn what_is_missing_says_what_it_is_for_and_how_to_get_it() {
    let problems = read::<ApiSettings>(&[]).unwrap_err();
    assert_eq!(
        problems.found(),
        ["`API_TOKEN_KEY` is not set: signs the access tokens of `api`"]
    );
    assert!(problems.help().contains("`cargo xtask setup`"));
}

#[test]
fn an_empty_value_counts_as_not_set() {
    let problems = read::<ApiSettings>(&[("API_TOKEN_KEY", ""), ("API_ADDR", "")]).unwrap_err();
    assert_eq!(problems.found().len(), 1);
}

#[test]
fn an_idle_connection_ends_before_a_drain_does() {
    for (idle, drain) in [("0", "20000"), ("20000", "20000"), ("15000", "200")] {
        let values = [("HEADER_TIMEOUT_MS", idle), ("DRAIN_DEADLINE_MS", drain)];
        let problems = read::<SiteSettings>(&values).unwrap_err();
        assert_eq!(
            problems.found(),
            [format!(
                "`HEADER_TIMEOUT_MS` is `{idle}`, not more than 0 and less than `DRAIN_DEADLINE_MS`, which is `{drain}`"
            )]
        );
    }
}

#[test]
fn tls_that_cannot_be_had_is_refused() {
    for mode in [
        "sslmode=require",
        "sslmode=verify-full",
        "ssl-mode=verify-ca",
    ] {
        let url = format!("postgres://app@db.example/app?application_name=api&{mode}");
        let problems = read::<ApiSettings>(&[
            ("APP_ENV", "production"),
            ("DATABASE_URL", &url),
            ("API_TOKEN_KEY", KEY),
        ])
        .unwrap_err();
        assert!(problems.to_string().contains("demands TLS"), "{problems}");
        assert!(!problems.to_string().contains("db.example"), "{problems}");
    }
    let plain = read::<ApiSettings>(&[
        ("APP_ENV", "production"),
        (
            "DATABASE_URL",
            "postgres://app@10.0.0.5/app?sslmode=disable",
        ),
        ("API_TOKEN_KEY", KEY),
    ]);
    assert!(plain.is_ok());
}

#[test]
fn sqlite_is_refused_where_data_matters() {
    for app_env in ["staging", "production"] {
        let problems = read::<ApiSettings>(&[
            ("APP_ENV", app_env),
            ("DATABASE_URL", "sqlite://data/local.db"),
            ("API_TOKEN_KEY", KEY),
        ])
        .unwrap_err();
        assert_eq!(
            problems.found(),
            [format!(
                "`DATABASE_URL` is SQLite, which is refused in `{app_env}`: PostgreSQL is needed"
            )]
        );
    }
    let preview = read::<ApiSettings>(&[
        ("APP_ENV", "preview"),
        ("DATABASE_URL", "sqlite://data/preview.db"),
        ("API_TOKEN_KEY", KEY),
    ]);
    assert!(preview.is_ok());
}

#[test]
fn local_defaults_do_not_reach_other_environments() {
    for app_env in ["preview", "staging", "production", "prodution"] {
        let problems =
            read::<ApiSettings>(&[("APP_ENV", app_env), ("API_TOKEN_KEY", KEY)]).unwrap_err();
        assert!(
            problems
                .found()
                .iter()
                .any(|line| line.starts_with("`DATABASE_URL` is not set"))
        );
    }
}

#[test]
fn secrets_are_redacted_in_debug_output() {
    let api: ApiSettings = read(&[("API_TOKEN_KEY", KEY)]).unwrap();
    let text = format!("{api:?}");
    assert!(!text.contains(KEY));
    assert!(!text.contains("sqlite:"));
}

#[test]
fn markers_follow_the_environment() {
    let markers = ["local", "preview", "staging", "production"]
        .map(|text| text.parse::<AppEnv>().unwrap().expected_marker());
    assert_eq!(markers, ["dev", "dev", "staging", "prod"]);
}

#[test]
fn each_surface_reads_exactly_what_it_describes() {
    fn check<S: Settings>() {
        let asked = RefCell::new(BTreeSet::new());
        let _ = S::from_source(&|name| {
            asked.borrow_mut().insert(name.to_owned());
            None
        });
        let described: BTreeSet<_> = describe(S::SURFACE)
            .settings
            .iter()
            .map(|setting| setting.name.to_owned())
            .collect();
        assert_eq!(asked.into_inner(), described);
    }
    check::<ApiSettings>();
    check::<ClientSettings>();
    check::<AdminSettings>();
    check::<SiteSettings>();
}

#[test]
fn description_has_the_promised_shape() {
    let api = serde_json::to_value(describe(Surface::Api)).unwrap();
    assert_eq!(api["surface"], "api");
    let settings = api["settings"].as_array().unwrap();
    let database = settings
        .iter()
        .find(|setting| setting["name"] == "DATABASE_URL")
        .unwrap();
    assert_eq!(
        *database,
        serde_json::json!({
            "name": "DATABASE_URL",
            "about": "the database; PostgreSQL in staging and production",
            "kind": "url",
            "required": true,
            "secret": true,
            "default": "sqlite://data/local.db",
            "example": "postgres://app@localhost/app",
        })
    );
    let key = settings
        .iter()
        .find(|setting| setting["name"] == "API_TOKEN_KEY")
        .unwrap();
    assert_eq!(key["kind"], "secret");
    assert_eq!(key["default"], serde_json::Value::Null);
}

#[test]
fn no_secret_has_a_default_outside_local() {
    for surface in Surface::ALL {
        for setting in describe(surface).settings {
            assert!(!setting.secret || setting.required, "{}", setting.name);
        }
    }
}
