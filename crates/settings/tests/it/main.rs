//! What the settings accept, refuse and tell.

use std::cell::RefCell;
use std::collections::BTreeSet;

use secrecy::{ExposeSecret, SecretString};
use settings::{
    AdminSettings, ApiSettings, AppEnv, ClientSettings, Problems, Settings, SiteSettings, Surface,
    describe,
};

const KEY: &str = "a-key-that-nothing-but-tests-knows";
const NEXT: &str = "another-key-that-only-tests-know";
const API: [(&str, &str); 2] = [("API_TOKEN_KEY", KEY), ("API_PAYMENTS_KEY", KEY)];

/// The keys of `api`, and then what a test is about.
fn api(values: &[(&str, &str)]) -> Result<ApiSettings, Problems> {
    read(&[values, &API].concat())
}

fn exposed(keys: &[SecretString]) -> Vec<&str> {
    keys.iter().map(ExposeSecret::expose_secret).collect()
}

fn read<S: Settings>(values: &[(&str, &str)]) -> Result<S, Problems> {
    S::from_source(&|name| {
        let value = values.iter().find(|(known, _)| *known == name);
        value.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn local_needs_only_the_keys() {
    let api = api(&[]).unwrap();
    assert_eq!(api.common.app_env, AppEnv::Local);
    assert_eq!(api.common.addr, "127.0.0.1:4000".parse().unwrap());
    assert_eq!(api.common.metrics_addr, "127.0.0.1:4100".parse().unwrap());
    assert!(api.common.redis_url.is_none() && api.common.otlp_endpoint.is_none());
    assert_eq!(exposed(&api.token_keys), [KEY]);
    assert_eq!(api.payments_key.expose_secret(), KEY);
    assert_eq!(api.common.drain.lame_duck.as_millis(), 0);
    assert_eq!(api.common.drain.deadline.as_millis(), 20_000);
    assert_eq!(api.common.release_sha, "unknown");
    assert!(api.common.trusted_proxies.is_empty());
    assert_eq!(api.database_url.expose_secret(), "sqlite://data/local.db");

    let client: ClientSettings = read(&[("CLIENT_SESSION_KEY", KEY)]).unwrap();
    assert_eq!(client.common.addr.port(), 4001);
    assert_eq!(client.common.metrics_addr.port(), 4101);
    assert_eq!(client.api_url, "http://127.0.0.1:4000");
    let admin: AdminSettings = read(&[("ADMIN_SESSION_KEY", KEY)]).unwrap();
    assert_eq!(admin.common.addr.port(), 4002);
    assert_eq!(admin.common.metrics_addr.port(), 4102);
    let site: SiteSettings = read(&[]).unwrap();
    assert_eq!(site.common.addr.port(), 4003);
    assert_eq!(site.common.metrics_addr.port(), 4103);
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
        ("API_TOKEN_KEYS_ACCEPTED", "hunter2"),
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
         `API_TOKEN_KEY` has 7 characters, at least 32 are needed\n  \
         `API_TOKEN_KEYS_ACCEPTED` has a key of less than 32 characters\n  \
         `API_PAYMENTS_KEY` is not set: signs what the payment provider sends; a `whsec_` key is read as the provider shows it"
    );
    assert!(!format!("{problems:?}").contains("hunter2"));
    assert!(problems.help().contains("`api describe settings`"));
}

#[test]
fn what_is_missing_says_what_it_is_for_and_how_to_get_it() {
    let problems = read::<ApiSettings>(&[]).unwrap_err();
    assert_eq!(
        problems.found(),
        [
            "`API_TOKEN_KEY` is not set: signs the access tokens of `api`",
            "`API_PAYMENTS_KEY` is not set: signs what the payment provider sends; a `whsec_` key is read as the provider shows it",
        ]
    );
    assert!(problems.help().contains("`cargo xtask setup`"));
}

#[test]
fn an_empty_value_counts_as_not_set() {
    let empty = [("API_TOKEN_KEY", ""), ("API_ADDR", ""), ("REDIS_URL", "")];
    let problems = api(&empty).unwrap_err();
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

/// Rotation: sign with the first, believe them all.
#[test]
fn the_key_in_use_comes_before_those_that_are_believed() {
    let accepted = format!("{NEXT}, ,{KEY},");
    let api = api(&[("API_TOKEN_KEYS_ACCEPTED", &accepted)]).unwrap();
    assert_eq!(exposed(&api.token_keys), [KEY, NEXT, KEY]);
    let client: ClientSettings = read(&[
        ("CLIENT_SESSION_KEY", KEY),
        ("CLIENT_SESSION_KEYS_ACCEPTED", NEXT),
    ])
    .unwrap();
    assert_eq!(exposed(&client.session_keys), [KEY, NEXT]);
    let short = [
        ("ADMIN_SESSION_KEY", KEY),
        ("ADMIN_SESSION_KEYS_ACCEPTED", "hunter2,hunter3"),
    ];
    let problems = read::<AdminSettings>(&short).unwrap_err();
    assert_eq!(
        problems.found(),
        ["`ADMIN_SESSION_KEYS_ACCEPTED` has a key of less than 32 characters"]
    );
}

#[test]
fn addresses_of_neighbours_are_checked_at_the_start() {
    let site: SiteSettings = read(&[("API_URL", "http://10.0.0.4:4000/")]).unwrap();
    assert_eq!(site.api_url, "http://10.0.0.4:4000");
    for (name, value, said) in [
        (
            "API_URL",
            "https://10.0.0.4",
            "`API_URL` does not begin with `http://`",
        ),
        (
            "API_URL",
            "http://",
            "`API_URL` does not begin with `http://`",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "10.0.0.6:4318",
            "`OTEL_EXPORTER_OTLP_ENDPOINT` does not begin with `http://`",
        ),
        (
            "REDIS_URL",
            "http://10.0.0.5",
            "`REDIS_URL` does not begin with `redis://`",
        ),
        (
            "SITE_METRICS_ADDR",
            "4103",
            "`SITE_METRICS_ADDR` is `4103`, not a socket address",
        ),
    ] {
        let problems = read::<SiteSettings>(&[(name, value)]).unwrap_err();
        assert_eq!(problems.found().len(), 1, "{problems}");
        assert!(problems.found()[0].starts_with(said), "{problems}");
    }
    let values = [
        ("REDIS_URL", "redis://10.0.0.5:6379"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://10.0.0.6:4318"),
    ];
    let site: SiteSettings = read(&values).unwrap();
    let redis = site.common.redis_url.unwrap();
    assert_eq!(redis.expose_secret(), "redis://10.0.0.5:6379");
    assert_eq!(
        site.common.otlp_endpoint.as_deref(),
        Some("http://10.0.0.6:4318")
    );
}

#[test]
fn tls_that_cannot_be_had_is_refused() {
    for mode in [
        "sslmode=require",
        "sslmode=verify-full",
        "ssl-mode=verify-ca",
    ] {
        let url = format!("postgres://app@db.example/app?application_name=api&{mode}");
        let problems = api(&[("APP_ENV", "production"), ("DATABASE_URL", &url)]).unwrap_err();
        assert!(problems.to_string().contains("demands TLS"), "{problems}");
        assert!(!problems.to_string().contains("db.example"), "{problems}");
    }
    let url = "postgres://app@10.0.0.5/app?sslmode=disable";
    let plain = api(&[("APP_ENV", "production"), ("DATABASE_URL", url)]);
    assert!(plain.is_ok());
}

#[test]
fn sqlite_is_refused_where_data_matters() {
    for app_env in ["staging", "production"] {
        let url = "sqlite://data/local.db";
        let problems = api(&[("APP_ENV", app_env), ("DATABASE_URL", url)]).unwrap_err();
        assert_eq!(
            problems.found(),
            [format!(
                "`DATABASE_URL` is SQLite, which is refused in `{app_env}`: PostgreSQL is needed"
            )]
        );
    }
    let url = "sqlite://data/preview.db";
    let preview = api(&[("APP_ENV", "preview"), ("DATABASE_URL", url)]);
    assert!(preview.is_ok());
}

#[test]
fn local_defaults_do_not_reach_other_environments() {
    for app_env in ["preview", "staging", "production", "prodution"] {
        let problems = api(&[("APP_ENV", app_env)]).unwrap_err();
        let tells = |what: &str| problems.found().iter().any(|line| line.starts_with(what));
        assert!(tells("`DATABASE_URL` is not set"), "{problems}");
        let problems = read::<SiteSettings>(&[("APP_ENV", app_env)]).unwrap_err();
        let tells = |what: &str| problems.found().iter().any(|line| line.starts_with(what));
        assert!(tells("`API_URL` is not set"), "{problems}");
    }
}

#[test]
fn secrets_are_redacted_in_debug_output() {
    let redis = concat!("redis://:", "hunter2", "@10.0.0.5");
    let values = [("API_TOKEN_KEYS_ACCEPTED", NEXT), ("REDIS_URL", redis)];
    let text = format!("{:?}", api(&values).unwrap());
    for secret in [KEY, NEXT, "sqlite:", "hunter2"] {
        assert!(!text.contains(secret), "{text}");
    }
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
            let empty = setting.default.is_none_or(str::is_empty);
            assert!(
                !setting.secret || setting.required || empty,
                "{}",
                setting.name
            );
        }
    }
}

#[test]
fn a_webhook_key_that_only_looks_like_one_is_refused() {
    let with =
        |key: &str| read::<ApiSettings>(&[("API_TOKEN_KEY", KEY), ("API_PAYMENTS_KEY", key)]);
    for good in [
        KEY,
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==",
    ] {
        assert!(with(good).is_ok(), "{good}");
    }
    for bad in [
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZ-o2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2L=====",
        // The last digit says more than the byte it ends.
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLR==",
    ] {
        let problems = with(bad).unwrap_err().to_string();
        assert!(
            problems.contains("no base64") && !problems.contains("MfKQ"),
            "{problems}"
        );
    }
}
