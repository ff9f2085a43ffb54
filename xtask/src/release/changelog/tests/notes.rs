//! Notes that stand alone: no link in them leads nowhere, and footnotes come along.

use semver::Version;

use super::super::{Files, notes, parse};

const FILES: Files<'_> = Files {
    page: "https://github.com/o/n",
    tag: "v1.0.0",
    folder: "sub/",
};

/// The notes of 1.0.0 in a changelog with `body` below it, and `end` at its end.
fn said(body: &str, end: &str) -> Result<String, String> {
    let text = format!("## [1.0.0]\n\n{body}\n\n## [0.9.0]\n\n- old[^old] [a]\n\n{end}");
    notes(&parse(&text), &Version::new(1, 0, 0), Some(FILES)).map_err(|error| error.to_string())
}

#[test]
fn relative_links_become_permanent_however_they_are_written() {
    let (blob, raw) = (
        "https://github.com/o/n/blob/v1.0.0/sub",
        "https://github.com/o/n/raw/v1.0.0/sub",
    );
    for (body, wanted) in [
        (
            r"[a](docs/my\_file.md)",
            format!(r"[a]({blob}/docs/my\_file.md)"),
        ),
        (
            "[b](docs/x.md?a=1&amp;b=2)",
            format!("[b]({blob}/docs/x.md?a=1&amp;b=2)"),
        ),
        ("[c]( docs/c.md )", format!("[c]( {blob}/docs/c.md )")),
        (
            "[c](\n  docs/c.md 'c')",
            format!("[c](\n  {blob}/docs/c.md 'c')"),
        ),
        ("[d](<docs/a b.md>)", format!("[d](<{blob}/docs/a b.md>)")),
        ("[e](docs/(e).md)", format!("[e]({blob}/docs/(e).md)")),
        ("[](docs/f.md)", format!("[]({blob}/docs/f.md)")),
        (
            "[![g]( g\\_.png)](./docs/g\\_.md)",
            format!("[![g]( {raw}/g\\_.png)]({blob}/docs/g\\_.md)"),
        ),
        (
            "[`](docs/h.md)` docs/h.md](docs/h.md)",
            format!("[`](docs/h.md)` docs/h.md]({blob}/docs/h.md)"),
        ),
        (
            "A <img alt='>' src=\"docs/x.png\"> <a href=docs/x.md>x</a> <a href='https://h/'>",
            format!(
                "A <img alt='>' src=\"{raw}/docs/x.png\"> <a href={blob}/docs/x.md>x</a> <a href='https://h/'>"
            ),
        ),
        (
            "<picture>\n<source\n  srcset=\"a.png 1x, https://h/b.png 2x, c.png\">\n<img SRC = './d.png'/>\n</picture>",
            format!(
                "<picture>\n<source\n  srcset=\"{raw}/a.png 1x, https://h/b.png 2x, {raw}/c.png\">\n<img SRC = '{raw}/d.png'/>\n</picture>"
            ),
        ),
        (
            "A <!-- <a href=\"a.md\"> --> `<a href=\"a.md\">` <a name=href></a>",
            "A <!-- <a href=\"a.md\"> --> `<a href=\"a.md\">` <a name=href></a>".to_owned(),
        ),
    ] {
        assert_eq!(said(&format!("- {body}"), ""), Ok(format!("- {wanted}\n")));
    }
}

#[test]
fn a_link_that_would_stay_relative_is_refused() {
    for (body, line) in [
        ("- a\n- [a](\\#a)", 4),
        ("- a\n\n> b [c]\n>\n> [c]: docs/c.md", 5),
    ] {
        let message = said(body, "").unwrap_err();
        assert!(message.contains(&format!("line {line} ")), "{message}");
    }
}

#[test]
fn footnotes_are_no_links_and_come_along() {
    let end = "[^old]: Once\n[^1]: Linux\n[^2]: More in [a], [b](docs/b.md)\n    and[^3]\n[^3]: https://h/\n[^4]: nobody's\n\n[a]: docs/a.md\n[0.9.0]: https://h/releases/tag/v0.9.0\n";
    assert_eq!(
        said("- a note[^1]", end).unwrap(),
        "- a note[^1]\n\n[^1]: Linux\n"
    );
    let blob = "https://github.com/o/n/blob/v1.0.0/sub/docs";
    assert_eq!(
        said("- a[^2] b[^2]", end).unwrap(),
        format!(
            "- a[^2] b[^2]\n\n[^2]: More in [a], [b]({blob}/b.md)\n    and[^3]\n\n[^3]: https://h/\n\n[a]: {blob}/a.md\n"
        )
    );
    let own = "- a[^1] [a]\n\n[^1]: docs/b.md\n\n[a]: https://h/";
    assert_eq!(
        said(own, end).unwrap(),
        "- a[^1] [a]\n\n[^1]: docs/b.md\n\n[a]: https://h/\n"
    );
    assert_eq!(said("- a[^none]", end).unwrap(), "- a[^none]\n");
    let last = parse("## 1.0.0\n\n- a[^1]\n\n[^1]: Linux\n[b]: docs/b.md\n");
    assert_eq!(
        notes(&last, &Version::new(1, 0, 0), Some(FILES)).unwrap(),
        "- a[^1]\n\n[^1]: Linux\n"
    );
}
