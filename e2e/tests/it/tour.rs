//! The tour of the README, as it stands there.

use std::process::Command;

use crate::surfaces::Surfaces;

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_tour_by_curl_does_what_it_says() {
    let surfaces = Surfaces::start("tour", &[("APP_ENV", "local")]).await;
    let readme = include_str!("../../../README.md");
    let (_, tour) = readme.split_once("```sh\napi=").unwrap();
    let (tour, _) = tour.split_once("```").unwrap();
    // Only where it runs, and with which key, is another matter here.
    let (where_it_runs, tour) = tour.split_once("field()").unwrap();
    assert!(where_it_runs.contains(".env.local"), "{where_it_runs}");
    let tour = format!(
        "set -eu\napi={} json='content-type: application/json' key={}\nfield(){tour}",
        surfaces.api.url, surfaces.payments_key,
    );
    let run = Command::new("bash").args(["-c", &tour]).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    let complaints = String::from_utf8_lossy(&run.stderr);
    assert!(
        run.status.success() && complaints.is_empty(),
        "{said}{complaints}"
    );
    let expected = [
        (r#""name":"Ada""#, "201"),
        (r#""status":"placed""#, ""),
        ("cannot become", "409"),
        ("your role does not allow this", "403"),
        (r#""status":"cooking""#, "200"),
        (r#"{"result":"accepted"}"#, "200"),
        ("received before", "409"),
        (r#"{"result":"duplicate"}"#, "200"),
        ("minutes old", "400"),
        ("signature", "401"),
    ];
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{said}");
    for (line, (part, status)) in lines.iter().zip(expected) {
        assert!(
            line.contains(part) && line.ends_with(status),
            "{line}: {part} {status}"
        );
    }
}
