//! A program as source text, each call on a line of its own.

mod expression;
mod imports;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::program::{Kind, Layer, Place, Program, Router, Shape, Step, Version};

/// The text of a program and what a comparison needs to know of it.
#[derive(Debug, Default)]
pub(crate) struct Emitted {
    pub(crate) text: String,
    /// Line of the `layer` or `route_layer` that put this mark on.
    pub(crate) sites: BTreeMap<String, usize>,
    /// Lines that may count as the handler's registration; none where that is left open.
    pub(crate) handlers: BTreeMap<String, Vec<usize>>,
    /// Line of `axum::serve`.
    pub(crate) served: usize,
}

/// A module that is complete but for `mark`, which it expects in its parent.
pub(crate) fn emit(program: &Program, version: Version) -> Emitted {
    let body = Writer::new(version).program(program);
    // The imports come first, but only the body tells which of them are used; written twice, the
    // lines are right.
    let imports = imports::of(&body.text);
    let mut writer = Writer::new(version);
    for line in imports {
        writer.line(0, &line);
    }
    writer.program(program)
}

struct Writer {
    emitted: Emitted,
    version: Version,
    lines: usize,
    /// What follows the function that is being written.
    functions: Vec<Function>,
    handlers: Vec<String>,
    marks: Vec<String>,
}

enum Function {
    Builds(Router),
    Dresses(Router),
}

impl Writer {
    fn new(version: Version) -> Self {
        Self {
            emitted: Emitted::default(),
            version,
            lines: 0,
            functions: Vec::new(),
            handlers: Vec::new(),
            marks: Vec::new(),
        }
    }

    fn line(&mut self, indent: usize, text: &str) {
        if !text.is_empty() {
            let _ = write!(self.emitted.text, "{:1$}{text}", "", indent * 4);
        }
        self.emitted.text.push('\n');
        self.lines += 1;
    }

    fn program(mut self, program: &Program) -> Emitted {
        self.line(0, "pub(crate) fn app() -> Router {");
        self.body(&program.router, 1);
        self.line(0, "}");
        while let Some(function) = self.functions.pop() {
            self.line(0, "");
            match function {
                Function::Builds(router) => {
                    self.line(0, &format!("fn inner{}() -> Router {{", router.id));
                    self.body(&router, 1);
                }
                Function::Dresses(router) => {
                    self.line(
                        0,
                        &format!("fn dress{}(router: Router) -> Router {{", router.id),
                    );
                    self.dress(&router);
                }
            }
            self.line(0, "}");
        }
        self.run(program.wrap.as_ref());
        for name in std::mem::take(&mut self.handlers) {
            self.line(0, "");
            self.line(
                0,
                &format!("async fn {name}() -> [(&'static str, &'static str); 1] {{"),
            );
            self.line(1, &format!("[(\"x-handler\", \"{name}\")]"));
            self.line(0, "}");
        }
        for name in std::mem::take(&mut self.marks) {
            self.line(0, "");
            self.line(
                0,
                &format!("async fn {name}(request: Request, next: Next) -> Response {{"),
            );
            self.line(1, &format!("mark(\"{name}\", next.run(request).await)"));
            self.line(0, "}");
        }
        self.emitted
    }

    fn run(&mut self, wrap: Option<&Layer>) {
        self.line(0, "");
        self.line(
            0,
            "pub(crate) async fn run(listener: tokio::net::TcpListener) -> std::io::Result<()> {",
        );
        if let Some(layer) = wrap {
            let layers = self.layer(layer, self.lines + 1);
            // On a builder `layer` is the method that adds one more.
            let method = match layer.kind {
                Kind::Builder => "service",
                Kind::One | Kind::Tuple => "layer",
            };
            self.line(1, &format!("let app = {layers}.{method}(app());"));
            self.emitted.served = self.lines + 1;
            self.line(
                1,
                "axum::serve(listener, axum::ServiceExt::<Request>::into_make_service(app)).await",
            );
        } else {
            self.emitted.served = self.lines + 1;
            self.line(1, "axum::serve(listener, app()).await");
        }
        self.line(0, "}");
    }

    /// The body of a function that builds this router.
    fn body(&mut self, router: &Router, indent: usize) {
        self.bindings(own(router), indent);
        if router.shape == Shape::Chain {
            self.chain(router, indent, "");
        } else {
            self.statements(router, indent, "router");
            self.line(indent, "router");
        }
    }

    /// The variables that the router's argument lists mention, innermost first.
    fn bindings(&mut self, steps: &[Step], indent: usize) {
        for step in steps {
            let (Step::Nest(_, inner) | Step::NestService(_, inner) | Step::Merge(inner)) = step
            else {
                continue;
            };
            if inner.place != Place::Function {
                self.bindings(own(inner), indent);
            }
            if inner.place == Place::Binding {
                let name = format!("inner{}", inner.id);
                if inner.shape == Shape::Chain {
                    self.line(indent, &format!("let {name}: Router ="));
                    self.chain(inner, indent + 1, ";");
                } else {
                    self.statements(inner, indent, &name);
                }
            }
        }
    }

    fn statements(&mut self, router: &Router, indent: usize, name: &str) {
        let assign = match router.shape {
            Shape::Reassign if !router.steps.is_empty() => {
                self.line(indent, &format!("let mut {name}: Router = Router::new();"));
                format!("{name} = ")
            }
            _ => {
                self.line(indent, &format!("let {name}: Router = Router::new();"));
                format!("let {name}: Router = ")
            }
        };
        for step in own(router) {
            self.step(step, indent, &format!("{assign}{name}."), ";");
        }
        if router.dressed > 0 {
            self.line(indent, &format!("{assign}dress{}({name});", router.id));
            self.functions.push(Function::Dresses(router.clone()));
        }
    }

    fn chain(&mut self, router: &Router, mut indent: usize, end: &str) {
        let dressed = router.dressed > 0;
        if dressed {
            self.line(indent, &format!("dress{}(", router.id));
            indent += 1;
            self.functions.push(Function::Dresses(router.clone()));
        }
        let end_of_chain = if dressed { "," } else { end };
        let new = "Router::new()";
        self.calls(own(router), indent, new, end_of_chain);
        if dressed {
            self.line(indent - 1, &format!("){end}"));
        }
    }

    fn calls(&mut self, steps: &[Step], indent: usize, start: &str, end: &str) {
        let Some((last, before)) = steps.split_last() else {
            return self.line(indent, &format!("{start}{end}"));
        };
        self.line(indent, start);
        for step in before {
            self.step(step, indent + 1, ".", "");
        }
        self.step(last, indent + 1, ".", end);
    }

    fn dress(&mut self, router: &Router) {
        let steps = &router.steps[router.steps.len() - router.dressed..];
        self.bindings(steps, 1);
        self.calls(steps, 1, "router", "");
    }

    fn step(&mut self, step: &Step, indent: usize, before: &str, end: &str) {
        let at = self.lines + 1;
        match step {
            Step::Route(path, verbs) => {
                self.line(indent, &format!("{before}route("));
                self.line(indent + 1, &format!("{:?},", self.version.path(path)));
                self.verbs(verbs, indent + 1, at);
                self.line(indent, &format!("){end}"));
            }
            Step::Nest(path, inner) => self.inner("nest", Some(path), inner, indent, before, end),
            Step::NestService(path, inner) => {
                self.inner("nest_service", Some(path), inner, indent, before, end);
            }
            Step::Merge(inner) => self.inner("merge", None, inner, indent, before, end),
            Step::Layer(layer) => {
                let layers = self.layer(layer, at);
                self.line(indent, &format!("{before}layer({layers}){end}"));
            }
            Step::RouteLayer(layer) => {
                let layers = self.layer(layer, at);
                self.line(indent, &format!("{before}route_layer({layers}){end}"));
            }
            Step::Fallback(handler) => {
                let handler = self.handler(handler, &[at], at);
                self.line(indent, &format!("{before}fallback({handler}){end}"));
            }
            Step::MethodNotAllowedFallback(handler) => {
                let handler = self.handler(handler, &[], at);
                self.line(
                    indent,
                    &format!("{before}method_not_allowed_fallback({handler}){end}"),
                );
            }
            Step::ResetFallback => self.line(indent, &format!("{before}reset_fallback(){end}")),
            Step::WithState => self.line(indent, &format!("{before}with_state::<()>(()){end}")),
        }
    }

    fn inner(
        &mut self,
        method: &str,
        path: Option<&str>,
        inner: &Router,
        indent: usize,
        before: &str,
        end: &str,
    ) {
        let path = path.map(|path| format!("{:?}", self.version.path(path)));
        let mut name = format!("inner{}", inner.id);
        match inner.place {
            Place::Inline => {
                self.line(indent, &format!("{before}{method}("));
                if let Some(path) = path {
                    self.line(indent + 1, &format!("{path},"));
                }
                self.chain(inner, indent + 1, ",");
                return self.line(indent, &format!("){end}"));
            }
            Place::Binding => {}
            Place::Function => {
                name.push_str("()");
                self.functions.push(Function::Builds(inner.clone()));
            }
        }
        let path = path.map(|path| format!("{path}, ")).unwrap_or_default();
        self.line(indent, &format!("{before}{method}({path}{name}){end}"));
    }
}

/// The steps that stand where the router is built.
fn own(router: &Router) -> &[Step] {
    &router.steps[..router.steps.len() - router.dressed]
}
