//! One violation per rule of the gate `routes`, for `cargo xtask prove`. Most are raw axum routers in
//! a module of their own, with a policy that names their guard.

use anyhow::{Context as _, Result, bail};

use crate::gates::Plant;
use crate::policy;
use crate::runner::tree::{Spot, Tree};

pub(crate) const PLANTS: &[Plant] = &[
    Plant {
        rule: "routes/RG001",
        plant: |tree| {
            raw(
                tree,
                &app("Router::new()\n            .route(\"/planted\", get(handler)) // here"),
            )
        },
    },
    Plant {
        rule: "routes/RG002",
        plant: |tree| {
            raw(
                tree,
                &app(
                    "Router::new()\n            .route(\"/a\", get(handler))\n            .layer(from_fn(guard))\n            .route(\"/b\", get(handler)) // here",
                ),
            )
        },
    },
    Plant {
        rule: "routes/RG003",
        plant: |tree| {
            raw(
                tree,
                &app(
                    "Router::new()\n            .route(\"/a\", get(handler).layer(from_fn(guard)).post(handler)) // here",
                ),
            )
        },
    },
    Plant {
        rule: "routes/RG004",
        plant: |tree| {
            raw(
                tree,
                &app(
                    "Router::new()\n            .route(\"/a\", any(handler).get(handler).route_layer(from_fn(guard))) // here",
                ),
            )
        },
    },
    Plant {
        rule: "routes/RG005",
        plant: |tree| {
            raw(
                tree,
                "    pub async fn serve(listener: Listener, strict: bool) {\n        let mut app = Router::new()\n            .route(\"/a\", get(handler)); // here\n        if strict {\n            app = app.route_layer(from_fn(guard));\n        }\n        axum::serve(listener, app).await;\n    }\n",
            )
        },
    },
    Plant {
        rule: "routes/RG006",
        plant: |tree| {
            let spot = raw(
                tree,
                &app(
                    "Router::new()\n            .route(\"/a\", get(handler)) // here\n            .route_layer(from_fn(guard))",
                ),
            )?;
            demand(tree, "headers", "headers")?;
            Ok(spot)
        },
    },
    Plant {
        rule: "routes/RG007",
        plant: |tree| {
            let spot = raw(
                tree,
                &app(
                    "Router::new()\n            .route(\"/a\", get(handler))\n            .route_layer(from_fn(guard))\n            .layer(from_fn(headers))\n            .merge(Router::new()) // here",
                ),
            )?;
            demand(tree, "headers", "headers")?;
            Ok(spot)
        },
    },
    Plant {
        rule: "routes/RG008",
        plant: |tree| {
            raw(
                tree,
                &app("Router::new()\n            .merge(from_elsewhere()) // here"),
            )
        },
    },
    Plant {
        rule: "routes/RG009",
        plant: empty_reason,
    },
    Plant {
        rule: "routes/RG010",
        plant: |tree| {
            raw(
                tree,
                &format!(
                    "    #[utoipa::path(get, path = \"/a\")]\n    async fn one() {{}}\n    #[utoipa::path(post, path = \"/b\")]\n    async fn two() {{}}\n{}",
                    app(
                        "utoipa_axum::router::OpenApiRouter::new()\n            .routes(utoipa_axum::routes!(one, two)) // here\n            .route_layer(from_fn(guard))\n            .split_for_parts()\n            .0"
                    )
                ),
            )
        },
    },
    Plant {
        rule: "routes/RG011",
        plant: |tree| {
            raw(
                tree,
                "    pub fn nobody_serves(router: Router) -> Router {\n        router.route(\"/a\", get(handler)) // here\n    }\n",
            )
        },
    },
    Plant {
        rule: "routes/RG012",
        plant: |tree| {
            let spot = raw(
                tree,
                &format!(
                    "    pub async fn open(request: Request, next: Next) -> Response {{\n        next.run(request).await // here\n    }}\n{}",
                    app(
                        "Router::new()\n            .route(\"/a\", get(handler))\n            .route_layer(from_fn(open))"
                    )
                ),
            )?;
            demand(tree, "guards", "open")?;
            Ok(spot)
        },
    },
    Plant {
        rule: "routes/RG013",
        plant: |tree| {
            raw(
                tree,
                &app(
                    "Router::new()\n            .route(\"/a\", get(handler))\n            .layer(from_fn(guard)) // here",
                ),
            )
        },
    },
    Plant {
        rule: "routes/bypass",
        plant: |tree| tree.append(&tree.leaf()?, "pub type Planted = axum::Router;\n"),
    },
    Plant {
        rule: "routes/lock",
        plant: forgotten_route,
    },
    Plant {
        rule: "routes/unseen",
        plant: unregistered,
    },
];

const HEAD: &str = "/// Planted.
pub mod planted {
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::middleware::{Next, from_fn};
    use axum::response::Response;
    use axum::routing::{any, get};
    use axum::Router;

    pub async fn guard(request: Request, next: Next) -> Result<Response, StatusCode> {
        if request.headers().is_empty() {
            return Err(StatusCode::UNAUTHORIZED);
        }
        Ok(next.run(request).await)
    }

    pub async fn headers(request: Request, next: Next) -> Response {
        next.run(request).await
    }

    async fn handler() {}

";

/// A served router.
fn app(router: &str) -> String {
    format!(
        "    pub async fn serve(listener: Listener) {{\n        let served = axum::serve(\n            listener,\n            {router}\n        );\n        served.await;\n    }}\n"
    )
}

/// Appends a module with a raw router; the spot is the line that says `// here`.
fn raw(tree: &Tree, body: &str) -> Result<Spot> {
    let file = tree.leaf()?;
    let text = format!("{HEAD}{body}}}\n");
    let first = tree.append(&file, &text)?;
    let offset = text
        .lines()
        .position(|line| line.ends_with("// here"))
        .context("no line to look at")?;
    demand(tree, "guards", "guard")?;
    Ok(Spot {
        line: first.line.map(|line| line + offset),
        ..first
    })
}

/// Adds a function of the planted module to a list of the policy.
fn demand(tree: &Tree, list: &str, function: &str) -> Result<()> {
    let leaf = tree.leaf()?;
    let (package, _) = leaf
        .rsplit_once("/src/")
        .context("no package to plant in")?;
    let manifest: toml_edit::DocumentMut = tree.read(&format!("{package}/Cargo.toml"))?.parse()?;
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name")?.as_str())
        .context("no package to plant in")?
        .replace('-', "_");
    let text = tree.read(policy::FILE).unwrap_or_default();
    let mut document: toml_edit::DocumentMut = text.parse()?;
    let routes = document.entry("routes").or_insert_with(toml_edit::table);
    let names = routes
        .as_table_like_mut()
        .context("`routes` is no table")?
        .entry(list)
        .or_insert_with(|| toml_edit::value(toml_edit::Array::new()));
    names
        .as_array_mut()
        .context("no list to plant in")?
        .push(format!("{name}::planted::{function}"));
    tree.write(policy::FILE, &document.to_string())?;
    Ok(())
}

/// Empties the reason of an app's first public route.
fn empty_reason(tree: &Tree) -> Result<Spot> {
    for file in tree.find("apps/", "/src/router.rs") {
        let text = tree.read(&file)?;
        if let Some((before, rest)) = text.split_once("public(\"") {
            let reason = rest.split('"').next().unwrap_or_default();
            let spot = tree.replace(&file, &format!("public(\"{reason}\")"), "public(\"\")")?;
            // The registration may begin on a line before its policy.
            let call = before.rfind("\n        .").map_or(0, |at| at + 1);
            let line = text[..call].matches('\n').count() + 1;
            return Ok(Spot {
                line: Some(line),
                ..spot
            });
        }
    }
    bail!("no app has a public route to plant over")
}

/// Takes a line out of an app's lock file.
fn forgotten_route(tree: &Tree) -> Result<Spot> {
    let file = tree
        .find("apps/", "/routes.lock")
        .into_iter()
        .next()
        .context("no app has a `routes.lock`")?;
    let text = tree.read(&file)?;
    let at = text
        .lines()
        .position(|line| !line.starts_with('#'))
        .context("the lock file is empty")?;
    let kept: Vec<&str> = text
        .lines()
        .enumerate()
        .filter(|(n, _)| *n != at)
        .map(|(_, line)| line)
        .collect();
    tree.write(&file, &format!("{}\n", kept.join("\n")))?;
    Ok(Spot::line(&file, at + 1))
}

/// A route that is in the source under a condition that never holds.
fn unregistered(tree: &Tree) -> Result<Spot> {
    const NEW: &str = "GuardedRouter::new()\n";
    for file in tree.find("apps/", "/src/router.rs") {
        let text = tree.read(&file)?;
        if text.contains(NEW) {
            tree.write(
                &file,
                &text.replacen(NEW, "planted(GuardedRouter::new())\n", 1),
            )?;
            let spot = tree.append(
                &file,
                "#[cfg(any())]\nfn planted<R>(router: R) -> R {\n    router.get(\"/planted\", guard::public(\"planted\"), planted)\n}\n#[cfg(not(any()))]\nfn planted<R>(router: R) -> R {\n    router\n}\n",
            )?;
            return Ok(Spot {
                line: spot.line.map(|line| line + 2),
                ..spot
            });
        }
    }
    bail!("no app has a router to plant in")
}
