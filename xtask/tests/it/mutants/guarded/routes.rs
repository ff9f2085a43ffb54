//! Operators on the routes of a guarded router.

use std::collections::BTreeMap;
use std::ops::Range;

use super::around;
use crate::mutants::mutant::{At, Expect, Mutant, Want};
use crate::mutants::source::{Kind, Segment, Source};
use crate::scan::Files;

/// What one route of an app's router says.
struct Route<'a> {
    source: &'a Source,
    segment: &'a Segment,
    /// `GET /orders`.
    name: String,
    method: String,
    path: String,
    policy: Range<usize>,
    handler: Range<usize>,
}

pub(super) fn mutants(files: &Files, app: &str) -> Vec<Mutant> {
    let router = format!("apps/{app}/src/router.rs");
    let source = Source::read(&router, &files[&router]);
    let chain = source
        .chains
        .iter()
        .find(|chain| chain.kind == Kind::Guarded)
        .unwrap();
    let constants = BTreeMap::from([("sign_in::PATH", "/sign-in"), ("sign_up::PATH", "/sign-up")]);
    let mut all = Vec::new();
    let mut before: Option<&Segment> = None;
    for segment in &chain.segments {
        if let [path, policy, handler] = &segment.args[..] {
            let written = source.at(path);
            let path = constants.get(written).map_or_else(
                || written.trim_matches('"').to_owned(),
                |path| (*path).to_owned(),
            );
            let method = segment.name.to_uppercase();
            let route = Route {
                source: &source,
                segment,
                name: format!("{method} {path}"),
                method,
                path,
                policy: policy.clone(),
                handler: handler.clone(),
            };
            route.policies(&mut all);
            route.itself(&mut all);
            route.macros(&mut all);
            if let Some(before) = before {
                let edits = [
                    (before.range.clone(), source.at(&segment.range).to_owned()),
                    (segment.range.clone(), source.at(&before.range).to_owned()),
                ];
                all.push(route.mutant(
                    "swap two routes",
                    &edits,
                    Expect::Same("each has its policy, wherever it stands"),
                ));
            }
            before = Some(segment);
        } else if source.at(&segment.args[0]).contains("health") {
            let lost = || Expect::Lock("GET /livez".to_owned());
            let edit = |text: String| source.edited(&[(segment.range.clone(), text)]);
            let arg = source.at(&segment.args[0]);
            for (operator, text, expect) in [
                ("drop a merge", String::new(), lost()),
                (
                    "merge → nest",
                    format!(".nest(\"/internal\", {arg})"),
                    lost(),
                ),
                ("merge → nest", format!(".nest(INNER, {arg})"), lost()),
                (
                    "opaque macro around a merge",
                    format!(".merge(opaque!({arg}))"),
                    Expect::Red(vec![Want::new(
                        "RG008",
                        At::Lines(router.clone(), source.lines(&segment.range)),
                    )]),
                ),
            ] {
                let mut text = edit(text);
                text.push_str("\nconst INNER: &str = \"/inner\";\n");
                all.push(Mutant {
                    operator,
                    place: source.place(segment.line),
                    changed: Files::from([(router.clone(), text)]),
                    expect,
                });
            }
        }
    }
    around::aliases(&source, &mut all);
    around::around(files, app, &source, chain.range.clone(), &mut all);
    all
}

impl Route<'_> {
    fn mutant(
        &self,
        operator: &'static str,
        edits: &[(Range<usize>, String)],
        expect: Expect,
    ) -> Mutant {
        // What the new text may call.
        let mut text = self.source.edited(edits);
        text.push_str("\nconst OPEN: guard::Policy = guard::public(\"mutant\");\nfn open() -> guard::Policy {\n    guard::public(\"mutant\")\n}\n");
        Mutant {
            operator,
            place: format!("{} {}", self.source.place(self.segment.line), self.name),
            changed: Files::from([(self.source.file.clone(), text)]),
            expect,
        }
    }

    fn lock(&self) -> Expect {
        Expect::Lock(self.name.clone())
    }

    fn here(&self) -> At {
        At::Lines(
            self.source.file.clone(),
            self.source.lines(&self.segment.range),
        )
    }

    fn policies(&self, all: &mut Vec<Mutant>) {
        let policy = self.source.at(&self.policy);
        let mut put = |operator, new: String, expect| {
            all.push(self.mutant(operator, &[(self.policy.clone(), new)], expect));
        };
        if let Some(rest) = policy.strip_prefix("public(") {
            let (reason, rest) = rest[1..].split_once('"').unwrap();
            for empty in ["\"\"", "\" \"", "r\"\"", "concat!(\"\", \"\")"] {
                let expect = Expect::Red(vec![Want::new("RG009", self.here())]);
                put("empty reason", format!("public({empty}{rest}"), expect);
            }
            put(
                "another reason",
                format!("public(\"{reason}, and more\"{rest}"),
                self.lock(),
            );
            let rated = Expect::Same("the rate class is not whom it lets in");
            let other = match policy.split_once(".rate") {
                Some((unrated, _)) => unrated.to_owned(),
                None => format!("{policy}.rate(guard::RateClass::Strict)"),
            };
            put("drop or add a rate class", other, rated);
        } else {
            put(
                "policy → public",
                "guard::public(\"mutant\")".to_owned(),
                self.lock(),
            );
            put("policy → public", "open()".to_owned(), self.lock());
            put("policy → public", "OPEN".to_owned(), self.lock());
            put(
                "policy → public",
                "{ let policy = open(); policy }".to_owned(),
                self.lock(),
            );
            put(
                "policy → public",
                format!("{{ let _ = {policy}; open() }}"),
                self.lock(),
            );
            for condition in [
                "cfg!(debug_assertions)",
                "std::env::var_os(\"OPEN\").is_some()",
            ] {
                let new = format!("if {condition} {{ open() }} else {{ {policy} }}");
                put(
                    "policy under a condition",
                    new,
                    Expect::RedOrLock(self.name.clone()),
                );
                let new = format!("match {condition} {{ true => open(), false => {policy} }}");
                put(
                    "policy under a condition",
                    new,
                    Expect::RedOrLock(self.name.clone()),
                );
            }
            let rated = Expect::Same("the rate class is not whom it lets in");
            put(
                "drop or add a rate class",
                format!("{policy}.rate(guard::RateClass::Strict)"),
                rated,
            );
        }
        if policy.starts_with("role(") || policy.starts_with("webhook(") {
            put(
                "role → signed_in",
                "guard::signed_in()".to_owned(),
                self.lock(),
            );
            put(
                "role → another role",
                "guard::role(guard::Role::Customer)".to_owned(),
                self.lock(),
            );
        }
        if policy.starts_with("signed_in(") {
            put(
                "signed_in → role",
                "guard::role(guard::Role::Staff)".to_owned(),
                self.lock(),
            );
        }
    }

    fn itself(&self, all: &mut Vec<Mutant>) {
        let Segment {
            range,
            name_range,
            args,
            ..
        } = self.segment;
        let end = range.end..range.end;
        let handler = self.source.at(&self.handler);
        let policy = self.source.at(&self.policy);
        all.push(self.mutant(
            "drop a route",
            &[(range.clone(), String::new())],
            self.lock(),
        ));
        let more = format!(".get(\"/mutant\", guard::public(\"mutant\"), {handler})");
        all.push(self.mutant(
            "add a route",
            &[(end.clone(), more)],
            Expect::Lock("GET /mutant".to_owned()),
        ));
        let more = format!(".delete(\"{}\", {policy}, {handler})", self.path);
        if self.method != "DELETE" {
            all.push(self.mutant(
                "add a method",
                &[(end, more)],
                Expect::Lock(format!("DELETE {}", self.path)),
            ));
        }
        let another = "crate::another::handler".to_owned();
        all.push(self.mutant(
            "another handler",
            &[(self.handler.clone(), another)],
            self.lock(),
        ));
        let closure = "|| async { \"\" }".to_owned();
        all.push(self.mutant(
            "another handler",
            &[(self.handler.clone(), closure)],
            self.lock(),
        ));
        let path = format!("\"{}x\"", self.path);
        all.push(self.mutant("another path", &[(args[0].clone(), path)], self.lock()));
        let method = if self.method == "PUT" { "patch" } else { "put" };
        all.push(self.mutant(
            "another method",
            &[(name_range.clone(), method.to_owned())],
            self.lock(),
        ));
    }

    fn macros(&self, all: &mut Vec<Mutant>) {
        for (operator, range) in [
            ("opaque macro around a policy", &self.policy),
            ("opaque macro around a path", &self.segment.args[0]),
        ] {
            let edits = [(range.clone(), format!("opaque!({})", self.source.at(range)))];
            all.push(self.mutant(
                operator,
                &edits,
                Expect::Red(vec![Want::new("RG008", self.here())]),
            ));
        }
        let edits = [(
            self.handler.clone(),
            format!("opaque!({})", self.source.at(&self.handler)),
        )];
        all.push(self.mutant("opaque macro around a handler", &edits, self.lock()));
    }
}
