//! Guards that are there on some ways through the program only: they guard nothing.

use super::{Shape, check};

#[test]
fn ways() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "guards_on_some_ways",
        r#"
use axum::middleware::from_fn;
use axum::{Router, routing::get};
use tower::ServiceBuilder;
use tower::util::{Either, option_layer};

use crate::guards::{auth, log};
use crate::handlers::{list, show};

fn one(path: &str) -> Router {
    Router::new().route(path, get(list)) //~ one
}

fn maybe(router: Router, secure: bool) -> Router {
    match secure {
        true => router.layer(from_fn(auth)), //~ matched
        false => router,
    }
}

fn returned(router: Router, secure: bool) -> Router {
    if !secure {
        return router;
    }
    router.layer(from_fn(auth)) //~ returned
}

fn always(router: Router, secure: bool) -> Router {
    if secure {
        router.layer(from_fn(auth)) //~ auth_always
    } else {
        panic!("never without")
    }
}

pub fn app() -> Router {
    let secure = std::env::var_os("OPEN").is_none();
    let chosen = if secure { one("/chosen").layer(from_fn(auth)) } else { one("/chosen") }; //~ chosen
    let stack = if secure { Some(from_fn(auth)) } else { None };
    let either = match secure {
        true => Either::Left(from_fn(auth)),
        false => Either::Right(from_fn(log)),
    };
    let mut looped = one("/looped");
    while looped.has_routes() && secure {
        looped = looped.layer(from_fn(auth)); //~ looped
        break;
    }
    let add = |router: Router| if secure { router.layer(from_fn(auth)) } else { router }; //~ added
    let clone = one("/cloned");
    let _layered = clone.clone().layer(from_fn(auth));
    #[cfg(not(debug_assertions))]
    let clone = clone.layer(from_fn(auth)); //~ cfg
    Router::new()
        .merge(maybe(one("/matched"), secure))
        .merge(returned(one("/returned"), secure))
        .merge(always(one("/always"), secure))
        .merge(chosen)
        .merge(one("/optional").layer(option_layer(stack.clone()))) //~ optional
        .merge(one("/built").layer(ServiceBuilder::new().option_layer(stack))) //~ built
        .merge(one("/either").layer(either)) //~ either
        .merge(looped)
        .merge(add(one("/added")))
        .merge(clone)
        .merge(Some(one("/mapped")).map_or(Router::new(), |router| router.layer(from_fn(auth)))) //~ auth_mapped
        .route("/verbs", if secure { get(show).layer(from_fn(auth)) } else { get(show) }) //~ verbs
}
"#,
        &[
            "GET /matched @one list [matched?]",
            "GET /returned @one list [returned?]",
            "GET /always @one list [auth_always]",
            "GET /chosen @one list [chosen?]",
            "GET /optional @one list [optional?]",
            "GET /built @one list [built?]",
            "GET /either @one list [either?]",
            "GET /looped @one list [looped?]",
            "GET /added @one list [added?]",
            "GET /cloned @one list [cfg?]",
            "GET /mapped @one list [auth_mapped]",
            "GET /verbs @verbs show [verbs?]",
        ],
    ),
    Shape::app(
        "guards_that_may_not_be_reached",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::list;

fn one(path: &str) -> Router {
    Router::new().route(path, get(list)) //~ one
}

pub fn app() -> Router {
    let keys: Vec<String> = std::env::args().collect();
    let open = std::env::var("OPEN").ok();

    let mut broken = one("/broken");
    loop {
        if open.is_some() {
            break;
        }
        broken = broken.layer(from_fn(auth)); //~ broken
        break;
    }
    let mut continued = one("/continued");
    for secure in [true, false] {
        if secure && open.is_some() {
            continue;
        }
        continued = continued.layer(from_fn(auth)); //~ continued
    }
    let mut each = one("/each");
    keys.iter().for_each(|_| each = each.clone().layer(from_fn(auth))); //~ each
    let mut mapped = one("/mapped");
    open.as_ref().map(|_| mapped = mapped.clone().layer(from_fn(auth))); //~ mapped
    let mut short = one("/short");
    let _ = open.is_none() && {
        short = short.layer(from_fn(auth)); //~ short
        true
    };
    let mut asked = one("/asked");
    let _: Option<()> = (|| {
        open.as_ref()?;
        asked = asked.clone().layer(from_fn(auth)); //~ asked
        Some(())
    })();
    let mut block = one("/block");
    'block: {
        if open.is_some() {
            break 'block;
        }
        block = block.layer(from_fn(auth)); //~ block
    }
    broken.merge(continued).merge(each).merge(mapped).merge(short).merge(asked).merge(block)
}
"#,
        &[
            "GET /broken @one list [broken?]",
            "GET /continued @one list [continued?]",
            "GET /each @one list [each?]",
            "GET /mapped @one list [mapped?]",
            "GET /short @one list [short?]",
            "GET /asked @one list [asked?]",
            "GET /block @one list [block?]",
        ],
    ),
];
