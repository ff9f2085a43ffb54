//! Operators on the policy file: what it declares of routes and functions.

use std::collections::BTreeSet;

use super::base::{Base, CLASSES, Class, lost};
use super::mutant::{At, Expect, Mutant, Want};
use crate::scan::Files;

pub(crate) fn mutants(base: &Base) -> Vec<Mutant> {
    let mut all = Vec::new();
    let text = &base.files["xtask.toml"];
    let mutant = |operator, place: String, text: String, expect| Mutant {
        operator,
        place: format!("xtask.toml {place}"),
        changed: Files::from([("xtask.toml".to_owned(), text)]),
        expect,
    };
    for entry in text
        .split("[[routes.")
        .filter(|entry| entry.starts_with("public]]"))
    {
        let value = |key: &str| {
            let line = entry
                .lines()
                .find(|line| line.starts_with(&format!("{key} = ")));
            line.map(|line| line.split('"').nth(1).unwrap().to_owned())
        };
        let (app, method, path) = (
            value("app"),
            value("method").unwrap(),
            value("path").unwrap(),
        );
        let routes: BTreeSet<_> = base
            .table
            .keys()
            .into_iter()
            .filter(|key| {
                app.as_ref().is_none_or(|app| *app == key.0) && key.1 == method && key.2 == path
            })
            .collect();
        let full = format!("[[routes.{entry}");
        let place = format!("{method} {path}");
        let open = Expect::Red(vec![Want::either(
            "RG001",
            "RG003",
            At::Routes(routes.clone()),
        )]);
        all.push(mutant(
            "drop a public declaration",
            place.clone(),
            text.replacen(&full, "", 1),
            open,
        ));
        for reason in ["", " \\t"] {
            let old = format!("reason = \"{}\"", value("reason").unwrap());
            let empty = entry.replacen(&old, &format!("reason = \"{reason}\""), 1);
            let unreasoned = text.replacen(entry, &empty, 1);
            let expect = Expect::Red(vec![Want::new("RG009", At::Routes(routes.clone()))]);
            all.push(mutant(
                "empty reason of a public route",
                place.clone(),
                unreasoned,
                expect,
            ));
        }
        let gone = entry.replacen(&format!("\"{path}\""), &format!("\"{path}/none\""), 1);
        let wants = vec![
            Want::new("RG009", At::File("xtask.toml")),
            Want::either("RG001", "RG003", At::Routes(routes)),
        ];
        all.push(mutant(
            "public declaration of no route",
            place,
            text.replacen(entry, &gone, 1),
            Expect::Red(wants),
        ));
    }
    for row in base
        .table
        .routes
        .iter()
        .filter(|row| row.verdict == "guarded")
    {
        let entry = format!(
            "\n[[routes.public]]\napp = \"{}\"\nmethod = \"{}\"\npath = \"{}\"\nreason = \"test\"\n",
            row.app, row.method, row.path
        );
        let expect = Expect::Red(vec![Want::new(
            "RG009",
            At::Routes(BTreeSet::from([row.key()])),
        )]);
        all.push(mutant(
            "declare a guarded route public",
            format!("{} {}", row.method, row.path),
            format!("{text}{entry}"),
            expect,
        ));
    }
    for (name, class) in CLASSES {
        let routes: BTreeSet<_> = base
            .layers()
            .filter(|(source, chain, layer)| source.bound(chain, &layer.args[0]).contains(name))
            .flat_map(|(source, _, layer)| base.covered(source, layer))
            .collect();
        let Expect::Red(mut wants) = lost(&BTreeSet::from([*class]), &routes, "RG001") else {
            continue;
        };
        if routes.is_empty() {
            continue;
        }
        wants.push(Want::new("RG009", At::File("xtask.toml")));
        let typo = text.replace(&format!("::{name}\""), &format!("::{name}s\""));
        all.push(mutant(
            "typo in a name of the policy",
            (*name).to_owned(),
            typo,
            Expect::Red(wants),
        ));
        if *class == Class::Guard {
            let other = text.replace(&format!("::auth::{name}\""), &format!("::other::{name}\""));
            if other != *text {
                let expect = Expect::Red(vec![Want::new("RG001", At::Routes(routes))]);
                all.push(mutant(
                    "a guard of the same name elsewhere",
                    (*name).to_owned(),
                    other,
                    expect,
                ));
            }
        }
    }
    all
}
