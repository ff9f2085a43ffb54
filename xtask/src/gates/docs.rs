//! Generated pages are current, and links between the workspace's own files lead somewhere.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use pulldown_cmark::{BrokenLink, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::{Cache, Gate, Input, Lock, Plant, Platform, Rule, Tier, minutes};
use crate::cx::{Cx, write_atomic};
use crate::pages;
use crate::report::{Finding, Report, text};

pub(super) const GATE: Gate = Gate {
    id: "docs",
    about: "generated pages that are stale, relative links and anchors that lead nowhere",
    tier: Tier::Pull,
    needs: &["typecheck"],
    locks: &[Lock::DevBuild],
    inputs: &[Input::Crates, Input::Files("**")],
    cache: Cache::Content,
    platforms: Platform::ALL,
    timeout: minutes(20),
    rules: &[
        Rule::error("docs/stale", "a generated page differs from its source"),
        Rule::error(
            "docs/dead-link",
            "a relative link to a file that is not there",
        ),
        Rule::error("docs/dead-anchor", "a link to a heading that is not there"),
    ],
    check,
    fix: Some(fix),
    plants: &[
        Plant {
            rule: "docs/stale",
            plant: |tree| tree.append("docs/gates.md", "planted\n"),
        },
        Plant {
            rule: "docs/dead-link",
            plant: |tree| tree.append("README.md", "[planted](docs/no-such-page.md)\n"),
        },
        Plant {
            rule: "docs/dead-anchor",
            plant: |tree| tree.append("README.md", "[planted](docs/gates.md#no-such-heading)\n"),
        },
    ],
};

fn check(cx: &Cx) -> Result<Report> {
    let mut report = Report::default();
    for (file, wanted) in pages::all(cx)? {
        let text = if cx.root.join(&file).is_file() {
            cx.read(&file)?
        } else {
            String::new()
        };
        if text != wanted {
            let line = text::first_difference(&text, &wanted);
            let finding = Finding::error(
                "docs/stale",
                format!("`{file}` differs from what it is generated from"),
            );
            report.findings.push(
                finding
                    .at(&file, line)
                    .fix(text::diff(&file, &text, &wanted)),
            );
        }
        report.count("generated", 1);
    }
    let is_skipped = |file: &str| {
        cx.policy
            .docs
            .skip
            .iter()
            .any(|prefix| file.starts_with(prefix.as_str()))
    };
    let files: BTreeSet<&str> = cx.files()?.iter().map(String::as_str).collect();
    let mut pages = BTreeMap::new();
    for file in cx.files_with(".md")? {
        match cx.read(file) {
            Ok(text) => pages.insert(file, page(&text)),
            // Not ours to mend, and so not ours to read.
            Err(_) if is_skipped(file) => None,
            Err(error) => return Err(error),
        };
    }
    for (file, page) in pages.iter().filter(|(file, _)| !is_skipped(file)) {
        report.count("pages", 1);
        for (line, label) in &page.undefined {
            let message = format!("`{label}` is defined nowhere on this page");
            report
                .findings
                .push(Finding::error("docs/dead-link", message).at(file, *line));
        }
        for (line, target) in &page.links {
            let Some((path, anchor)) = resolve(file, target) else {
                continue;
            };
            report.count("links", 1);
            let is_folder = || {
                path.is_empty()
                    || files
                        .iter()
                        .any(|known| known.starts_with(&format!("{path}/")))
            };
            if !files.contains(path.as_str()) && !is_folder() {
                let message = format!("`{target}` leads to no file");
                report
                    .findings
                    .push(Finding::error("docs/dead-link", message).at(file, *line));
            } else if let (Some(anchor), Some(to)) = (anchor, pages.get(path.as_str()))
                && !to.anchors.contains(&anchor)
            {
                let message = format!("`{target}` leads to no heading of `{path}`");
                report
                    .findings
                    .push(Finding::error("docs/dead-anchor", message).at(file, *line));
            }
        }
    }
    Ok(report)
}

fn fix(cx: &Cx) -> Result<Vec<String>> {
    let mut done = Vec::new();
    for (file, wanted) in pages::all(cx)? {
        if !cx.read(&file).is_ok_and(|text| text == wanted) {
            write_atomic(&cx.root.join(&file), wanted)?;
            done.push(format!("wrote `{file}`"));
        }
    }
    Ok(done)
}

#[derive(Debug, Default)]
struct Page {
    /// Line and destination, inline and by reference.
    links: Vec<(usize, String)>,
    /// Line and label of `[text][label]` without a definition.
    undefined: Vec<(usize, String)>,
    anchors: BTreeSet<String>,
}

fn page(text: &str) -> Page {
    let mut page = Page::default();
    let mut heading: Option<String> = None;
    let line_of = |offset: usize| text[..offset].matches('\n').count() + 1;
    let undefined = std::cell::RefCell::new(Vec::new());
    let on_undefined = |link: BrokenLink<'_>| {
        // `[text][label]` is meant as a link; `[x]` alone may be just that.
        if link.link_type == LinkType::Reference {
            undefined
                .borrow_mut()
                .push((line_of(link.span.start), format!("[{}]", link.reference)));
        }
        None
    };
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    for (event, range) in
        Parser::new_with_broken_link_callback(text, options, Some(on_undefined)).into_offset_iter()
    {
        match event {
            Event::Start(
                Tag::Link {
                    link_type,
                    dest_url,
                    ..
                }
                | Tag::Image {
                    link_type,
                    dest_url,
                    ..
                },
            ) if link_type != LinkType::Email => {
                page.links
                    .push((line_of(range.start), dest_url.into_string()));
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                page.anchors.extend(attributes(&html, &["id=", "name="]));
                page.links.extend(
                    attributes(&html, &["href=", "src="]).map(|to| (line_of(range.start), to)),
                );
            }
            Event::End(TagEnd::Heading(_)) => {
                let slug = slug(&heading.take().unwrap_or_default());
                let mut unique = slug.clone();
                let mut n = 0;
                while !page.anchors.insert(unique.clone()) {
                    n += 1;
                    unique = format!("{slug}-{n}");
                }
            }
            _ => {}
        }
    }
    page.undefined = undefined.into_inner();
    page
}

/// The quoted values of these attributes in a piece of HTML.
fn attributes<'a>(html: &'a str, names: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    names.iter().flat_map(move |name| {
        html.split(name).skip(1).filter_map(|rest| {
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            rest[1..].split(quote).next().map(str::to_owned)
        })
    })
}

/// The anchor that GitHub gives a heading.
fn slug(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c),
            _ => None,
        })
        .collect()
}

/// A relative link as a path from the root and an anchor; `None` for one that leads out.
fn resolve(from: &str, target: &str) -> Option<(String, Option<String>)> {
    let scheme = target
        .split([':', '/', '#', '?'])
        .next()
        .unwrap_or_default();
    if target.is_empty() || target.starts_with("//") || target[scheme.len()..].starts_with(':') {
        return None;
    }
    let (path, anchor) = target
        .split_once('#')
        .map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path = path.split('?').next().unwrap_or_default();
    let anchor = anchor
        .filter(|anchor| !anchor.is_empty())
        .map(|anchor| unescape(anchor).to_lowercase());
    if path.is_empty() {
        return Some((from.to_owned(), anchor));
    }
    let mut parts: Vec<&str> = if path.starts_with('/') {
        Vec::new()
    } else {
        from.split('/').collect()
    };
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            // Above the root there is nothing to lead to: the step stays, and no file has its name.
            ".." if parts.last().is_none_or(|last| *last == "..") => parts.push(".."),
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some((unescape(&parts.join("/")), anchor))
}

/// Percent-decoding (RFC 3986 section 2.1); a broken escape stays as it is.
fn unescape(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let decoded = (*first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_resolve_as_a_browser_would() {
        let path =
            |from, to| resolve(from, to).map(|(path, anchor)| (path, anchor.unwrap_or_default()));
        assert_eq!(
            path("docs/a.md", "../README.md#Top"),
            Some(("README.md".into(), "top".into()))
        );
        assert_eq!(
            path("docs/a.md", "#x"),
            Some(("docs/a.md".into(), "x".into()))
        );
        assert_eq!(
            path("a.md", "/docs/b%20c.md?x"),
            Some(("docs/b c.md".into(), String::new()))
        );
        assert_eq!(path("a.md", "https://example.org"), None);
        assert_eq!(path("a.md", "mailto:a@b"), None);
        assert_eq!(path("a.md", "//cdn/x"), None);
    }

    #[test]
    fn headings_become_the_anchors_of_github() {
        let page = page("# What's `new`?\n\n## A\n\n## A\n\n[x]: ./b.md\n\n[x] and ![i](c.png)\n");
        let anchors: Vec<_> = page.anchors.iter().map(String::as_str).collect();
        assert_eq!(anchors, ["a", "a-1", "whats-new"]);
        assert_eq!(
            page.links,
            [(9, "./b.md".to_owned()), (9, "c.png".to_owned())]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_link_resolves_or_leads_out(target: String) {
            let _ = resolve("docs/a.md", &target);
            let _ = page(&target);
        }
    }
}
