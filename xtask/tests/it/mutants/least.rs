//! How many mutants each operator makes at least: one that fits nowhere any more kills nothing.

/// In which order the numbers of an operator stand.
const ORDER: [&str; 4] = ["api", "client", "admin", "site"];

/// An operator, and its least numbers.
type Least = (&'static str, [usize; 4]);

/// What has to be made of an app.
pub(crate) fn of(all: &'static [Least], app: &str) -> impl Iterator<Item = (&'static str, usize)> {
    let at = ORDER.iter().position(|name| *name == app).unwrap();
    all.iter()
        .map(move |(operator, numbers)| (*operator, numbers[at]))
}

/// Those of the twins.
pub(crate) const TWINS: &[Least] = &[
    (".layer → .route_layer", [1, 4, 3, 1]),
    (".route_layer → .layer", [5, 1, 1, 0]),
    ("a guard of the same name elsewhere", [2, 1, 1, 0]),
    ("add a route after a layer", [6, 5, 3, 1]),
    ("alias an import", [90, 46, 21, 7]),
    ("any before route_layer", [4, 0, 0, 0]),
    ("chain a verb after a layer", [8, 0, 0, 0]),
    ("declare a guarded route public", [13, 5, 6, 0]),
    ("drop a layer", [10, 5, 4, 1]),
    ("drop a layer of a ServiceBuilder", [3, 0, 0, 0]),
    ("drop a public declaration", [8, 10, 8, 7]),
    ("empty reason of a public route", [16, 20, 16, 14]),
    ("fallback after a layer", [1, 1, 1, 1]),
    ("fallback beside route_layer", [10, 2, 2, 0]),
    ("fallback of a path's methods", [8, 0, 0, 0]),
    ("give another function the name", [5, 3, 3, 2]),
    ("layer in both branches", [20, 10, 8, 2]),
    ("layer in both of two functions", [10, 5, 4, 1]),
    ("layer in one cfg arm", [30, 15, 12, 3]),
    ("layer in one of two functions", [10, 5, 4, 1]),
    ("layer of Option", [10, 5, 4, 1]),
    ("layer on a clone", [20, 10, 8, 2]),
    ("layer under `if`", [50, 25, 20, 5]),
    ("layer ↔ route_layer of methods", [4, 0, 0, 0]),
    ("let requests pass a guard", [6, 0, 0, 0]),
    ("merge an empty router after headers", [1, 1, 1, 1]),
    ("move registration behind layer", [3, 21, 7, 3]),
    ("move the guards to another module", [2, 2, 2, 0]),
    ("opaque macro around a layer", [10, 5, 4, 1]),
    ("opaque macro around a path", [21, 14, 5, 2]),
    ("opaque macro around a registration", [26, 14, 9, 4]),
    ("opaque macro around an argument", [54, 38, 18, 8]),
    ("opaque macro around serve", [1, 1, 1, 1]),
    ("public declaration of no route", [8, 10, 8, 7]),
    ("register a route twice", [16, 11, 5, 2]),
    ("register a verb after a layer", [1, 4, 2, 0]),
    ("rename a function of the policy", [5, 3, 3, 2]),
    ("replace a function of the policy", [26, 5, 6, 2]),
    ("replace a guarding argument", [0, 0, 3, 0]),
    ("return before the layer", [4, 1, 1, 1]),
    ("swap layer and registration", [5, 2, 1, 1]),
    ("swap two layers", [2, 3, 2, 0]),
    ("typo in a name of the policy", [5, 3, 3, 2]),
    ("unmount a router", [10, 5, 3, 2]),
];

/// Those of the apps.
pub(crate) const APPS: &[Least] = &[
    ("add a method", [17, 10, 9, 2]),
    ("add a route", [18, 10, 9, 2]),
    ("alias an import", [7, 4, 5, 2]),
    ("another handler", [36, 20, 18, 4]),
    ("another method", [18, 10, 9, 2]),
    ("another path", [18, 10, 9, 2]),
    ("another reason", [5, 5, 3, 2]),
    ("drop a merge", [1, 1, 1, 1]),
    ("drop a route", [18, 10, 9, 2]),
    ("drop or add a rate class", [18, 10, 9, 2]),
    ("empty reason", [20, 20, 12, 8]),
    ("merge → nest", [2, 2, 2, 2]),
    ("opaque macro around a handler", [18, 10, 9, 2]),
    ("opaque macro around a merge", [1, 1, 1, 1]),
    ("opaque macro around a path", [18, 10, 9, 2]),
    ("opaque macro around a policy", [18, 10, 9, 2]),
    ("opaque macro around the router", [1, 1, 1, 1]),
    ("policy under a condition", [52, 20, 24, 0]),
    ("policy → public", [65, 25, 30, 0]),
    ("raw router served beside", [2, 2, 2, 2]),
    ("role → another role", [7, 0, 6, 0]),
    ("role → signed_in", [7, 0, 6, 0]),
    ("route added behind the map", [1, 1, 1, 1]),
    ("route in a function", [1, 1, 1, 1]),
    ("route in a loop", [1, 1, 1, 1]),
    ("route under a condition", [3, 3, 3, 3]),
    ("signed_in → role", [6, 5, 0, 0]),
    ("swap two routes", [17, 9, 8, 1]),
];
