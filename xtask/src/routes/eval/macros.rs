//! Macros: what is known by name is evaluated, the tree's own `macro_rules!` are expanded, and of
//! the rest whatever reads as expressions.
//!
//! Long because of the ways to read tokens: as arguments, as pieces, as formats, and by rules.

use std::collections::HashMap;
use std::rc::Rc;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::parse::Parser as _;
use syn::spanned::Spanned as _;
use syn::{Expr, Item};

use super::rules::{Rules, Scope, matches, transcribe};
use super::{Eval, Frame};
use crate::routes::index::{ModId, Target, is_test, segments};
use crate::routes::router::Text;
use crate::routes::source::Site;
use crate::routes::value::Value;

/// Whether a macro's tokens may hold a route or serve one.
fn tells(tokens: &TokenStream) -> bool {
    let mut before = ' ';
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(name) => {
                let name = name.to_string();
                let is_type = matches!(
                    name.as_str(),
                    "Router" | "OpenApiRouter" | "ApiRouter" | "GuardedRouter"
                );
                let is_call = matches!(
                    name.as_str(),
                    "route"
                        | "routes"
                        | "route_service"
                        | "nest"
                        | "nest_service"
                        | "into_make_service"
                        | "into_make_service_with_connect_info"
                ) && before == '.';
                if is_type || is_call || name == "serve" && before == ':' {
                    return true;
                }
                before = ' ';
            }
            TokenTree::Punct(punct) => before = punct.as_char(),
            TokenTree::Group(group) => {
                if tells(&group.stream()) {
                    return true;
                }
                before = ' ';
            }
            TokenTree::Literal(_) => before = ' ',
        }
    }
    false
}

/// More than this is written by no macro that a person wrote.
const MOST_TOKENS: usize = 200_000;

fn count(tokens: &TokenStream) -> usize {
    tokens
        .clone()
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => 1 + count(&group.stream()),
            _ => 1,
        })
        .sum()
}

/// Macros of elsewhere that are read as the expressions in them.
const READ: &[&str] = &[
    "cfg_if",
    "cfg_select",
    "dbg",
    "join",
    "matches",
    "pin",
    "select",
    "select_biased",
    "try_join",
    "vec",
];

/// Macros that only look at what they are given.
const PRINTING: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "bail",
    "debug",
    "debug_assert",
    "ensure",
    "eprintln",
    "error",
    "format_args",
    "info",
    "json",
    "panic",
    "debug_span",
    "error_span",
    "info_span",
    "trace_span",
    "warn_span",
    "span",
    "event",
    "print",
    "println",
    "todo",
    "trace",
    "unimplemented",
    "unreachable",
    "warn",
];

/// Expanded code lives as long as the scan: a run reads each macro once, and then ends.
pub(crate) fn keep<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

impl<'s> Eval<'_, 's> {
    pub(crate) fn macro_call(&mut self, frame: &mut Frame<'s>, call: &'s syn::Macro) -> Value<'s> {
        let names = segments(&call.path);
        let last = names.last().cloned().unwrap_or_default();
        let target = self.index.resolve_path(frame.module, &call.path);
        match last.as_str() {
            "format" | "concat" | "const_format" | "formatcp" | "concatcp" => {
                return self.format(frame, call, &last);
            }
            "vec" => {
                let parts: Option<Vec<&'static Expr>> = split(call.tokens.clone())
                    .into_iter()
                    .map(part_expr)
                    .collect();
                return match parts {
                    Some(parts) => self.list(frame, parts.into_iter()),
                    None => Value::unknown(),
                };
            }
            "routes"
                if is_of(&target, "utoipa_axum")
                    || self.index.imports(frame.module, "routes", "utoipa_axum") =>
            {
                return self.routes_macro(frame, call);
            }
            "include" => {
                let site = self.site(frame, call.path.span());
                self.give_up(
                    site,
                    "`include!` takes code from where the scan does not look",
                );
                return Value::unknown();
            }
            "write" | "writeln" => {
                let place = split(call.tokens.clone())
                    .into_iter()
                    .next()
                    .and_then(part_expr);
                if let Some(place) = place {
                    let place = match place {
                        Expr::Reference(inner) => &inner.expr,
                        place => place,
                    };
                    if matches!(self.expr(frame, place), Value::Text(_)) {
                        self.write_back(frame, place, Value::unknown());
                    }
                }
                return Value::unknown();
            }
            "stringify" => return Value::Text(Text::known(call.tokens.to_string())),
            "vpath" => {
                if let Ok(path) = syn::parse2::<syn::LitStr>(call.tokens.clone()) {
                    return Value::Text(Text::known(path.value()));
                }
            }
            _ => {}
        }
        let why: Rc<str> = "cfg".into();
        let twins = self.rules(frame.module, &target, &last);
        if let Some(value) = twins
            .iter()
            .map(|(rules, home)| self.expand(frame, call, rules, home))
            .reduce(|joined, next| joined.join(next, &why))
        {
            return value;
        }
        let names_router = call.tokens.clone().into_iter().any(|token| match token {
            TokenTree::Ident(name) => frame
                .vars
                .iter()
                .rev()
                .find(|(known, _)| name == known)
                .is_some_and(|(_, value)| value.holds_router()),
            _ => false,
        });
        let tells = names_router || tells(&call.tokens);
        if READ.contains(&last.as_str()) {
            return self.read_pieces(frame, call);
        }
        if !tells || PRINTING.contains(&last.as_str()) {
            return Value::unknown();
        }
        // A macro of elsewhere may do anything with what it is given.
        let site = self.site(frame, name_of(call));
        self.give_up(
            site,
            format!(
                "what the macro `{}!` does to a router is not known",
                names.join("::")
            ),
        );
        self.read_pieces(frame, call)
    }

    /// Whatever of a macro's tokens reads as expressions or blocks.
    fn read_pieces(&mut self, frame: &mut Frame<'s>, call: &'s syn::Macro) -> Value<'s> {
        let mut value = Value::unknown();
        let why: Rc<str> = format!("{}!", segments(&call.path).join("::")).into();
        for piece in pieces(call.tokens.clone()) {
            let is_telling = tells(&piece);
            if let Some(expr) = part_expr(piece) {
                let part = self.expr(frame, expr);
                // Arms of `select!` and `cfg_select!`: any may be the one.
                if part.matters() {
                    value = if value.matters() {
                        value.join(part, &why)
                    } else {
                        part
                    };
                }
                continue;
            }
            if !is_telling {
                continue;
            }
            let site = self.site(frame, name_of(call));
            self.give_up(
                site,
                format!(
                    "the macro `{}!` hides a router",
                    segments(&call.path).join("::")
                ),
            );
        }
        value
    }

    /// The rules of a `macro_rules!` of the tree, and the crate it is of as the caller names it. More
    /// than one under `cfg`.
    fn rules(&mut self, module: ModId, target: &Target<'s>, name: &str) -> Vec<(Rules, String)> {
        let mut all: Vec<(&'s syn::ItemMacro, String)> = Vec::new();
        let own = match target {
            Target::Several(all) => all.first().unwrap_or(target),
            target => target,
        };
        match own {
            Target::Items(items) => {
                for found in items {
                    if let Item::Macro(item) = found.item
                        && item.mac.path.is_ident("macro_rules")
                    {
                        let theirs = self.index.module(found.module).krate;
                        let home = if theirs == self.index.module(module).krate {
                            "crate".to_owned()
                        } else {
                            self.index.workspace.crates[theirs.0 as usize].name.clone()
                        };
                        all.push((item, home));
                    }
                }
            }
            Target::External(_) => return Vec::new(),
            _ => {}
        }
        if all.is_empty() {
            // Textual scope: a macro of the same crate that is not imported by path.
            let near = self.macros_by_name(module, name);
            all.extend(near.into_iter().map(|item| (item, "crate".to_owned())));
        }
        all.into_iter()
            .map(|(item, home)| {
                let mut rules = Vec::new();
                let mut tokens = item.mac.tokens.clone().into_iter();
                while let Some(TokenTree::Group(matcher)) = tokens.next() {
                    tokens.next();
                    tokens.next();
                    let Some(TokenTree::Group(body)) = tokens.next() else {
                        break;
                    };
                    rules.push((matcher.stream(), body.stream()));
                    tokens.next();
                }
                (rules, home)
            })
            .collect()
    }

    /// Macros among a module's items: what they make is not read, so they must not make routes.
    pub(crate) fn item_macros(&mut self, module: ModId) {
        let here = self.index.module(module);
        for item in &here.items {
            let Item::Macro(item) = item else { continue };
            if item.ident.is_some() || is_test(&item.attrs) {
                continue;
            }
            let names = segments(&item.mac.path);
            let last = names.last().cloned().unwrap_or_default();
            let target = self.index.resolve_path(module, &item.mac.path);
            let rules = self.rules(module, &target, &last);
            let hides = tells(&item.mac.tokens)
                || rules
                    .iter()
                    .any(|(rules, _)| rules.iter().any(|(_, body)| tells(body)));
            if hides {
                let site = Site::at(here.file, item.mac.path.span().start());
                self.give_up(
                    site,
                    format!(
                        "the macro `{}!` makes functions that are not read",
                        names.join("::")
                    ),
                );
            }
        }
    }

    fn macros_by_name(&mut self, module: ModId, name: &str) -> Vec<&'s syn::ItemMacro> {
        let krate = self.index.module(module).krate;
        let mut all: Vec<&'s syn::ItemMacro> = Vec::new();
        for file in self.index.sources.defining("macro_rules! ", name) {
            for other in self.index.modules_in(*file) {
                let other = self.index.module(other);
                if other.krate != krate {
                    continue;
                }
                for item in &other.items {
                    if let Item::Macro(item) = item
                        && item.ident.as_ref().is_some_and(|ident| ident == name)
                        && !all.iter().any(|known| std::ptr::eq(*known, item))
                    {
                        all.push(item);
                    }
                }
            }
        }
        all
    }

    fn expand(
        &mut self,
        frame: &mut Frame<'s>,
        call: &'s syn::Macro,
        rules: &Rules,
        home: &str,
    ) -> Value<'s> {
        let at = name_of(call);
        let site = self.site(frame, at);
        let name = segments(&call.path).join("::");
        if self.depth() > 30 {
            self.give_up(site, format!("the macro `{name}!` expands without end"));
            return Value::unknown();
        }
        let input: Vec<TokenTree> = call.tokens.clone().into_iter().collect();
        for (matcher, body) in rules {
            let pattern: Vec<TokenTree> = matcher.clone().into_iter().collect();
            let Some((bound, [])) = matches(&pattern, &input) else {
                continue;
            };
            let body: Vec<TokenTree> = body.clone().into_iter().collect();
            let scope = Scope::of(&body, at, self.expansion(), home.to_owned());
            let Some(tokens) = transcribe(&body, &bound, &mut Vec::new(), &scope) else {
                break;
            };
            self.expanded += count(&tokens);
            if self.expanded > MOST_TOKENS {
                self.give_up(site, format!("the macro `{name}!` expands without end"));
                return Value::unknown();
            }
            if let Ok(expr) = syn::parse2::<Expr>(tokens.clone()) {
                return self.nested(|eval| eval.expr(frame, keep(expr)));
            }
            let block = TokenTree::Group(Group::new(Delimiter::Brace, tokens));
            if let Ok(block) = syn::parse2::<syn::Block>(block.into()) {
                // Names it makes stay visible: `macro_rules!` is hygienic, but what it is given is not.
                return self.nested(|eval| {
                    let mut value = Value::unknown();
                    let block: &'static syn::Block = keep(block);
                    for stmt in &block.stmts {
                        value = eval.one_stmt(frame, stmt);
                    }
                    value
                });
            }
            break;
        }
        if tells(&call.tokens) || rules.iter().any(|(_, body)| tells(body)) {
            self.give_up(site, format!("the macro `{name}!` hides a router"));
        }
        Value::unknown()
    }

    /// `format!("/{V}/x", …)` and `concat!("/", V)`.
    fn format(&mut self, frame: &mut Frame<'s>, call: &'s syn::Macro, name: &str) -> Value<'s> {
        let mut parts = split(call.tokens.clone()).into_iter();
        if name.starts_with("concat") {
            let mut text = Text::known("");
            for part in parts {
                let Some(expr) = part_expr(part) else {
                    return Value::unknown();
                };
                let part = self.text(frame, expr);
                text.push(&part);
            }
            return Value::Text(text);
        }
        let Some(format) = parts
            .next()
            .and_then(part_expr)
            .map(|expr| self.text(frame, expr))
        else {
            return Value::unknown();
        };
        if !format.is_known {
            return Value::unknown();
        }
        let (mut positional, mut named) = (Vec::new(), HashMap::new());
        for part in parts {
            let Some(expr) = part_expr(part) else {
                return Value::unknown();
            };
            if let Expr::Assign(assign) = expr {
                let key = match &*assign.left {
                    Expr::Path(path) => segments(&path.path).join("::"),
                    _ => String::new(),
                };
                let value = self.text(frame, &assign.right);
                named.insert(key, value);
            } else {
                let value = self.text(frame, expr);
                positional.push(value);
            }
        }
        let mut text = Text::known("");
        let mut rest = format.shown.as_str();
        let mut next = 0;
        while let Some(at) = rest.find(['{', '}']) {
            text.push(&Text::known(&rest[..at]));
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if rest.starts_with(brace) {
                text.push(&Text::known(brace));
                rest = &rest[1..];
                continue;
            }
            let Some(end) = rest.find('}') else { break };
            let (key, spec) = rest[..end].split_once(':').unwrap_or((&rest[..end], ""));
            let key = key.trim();
            rest = &rest[end + 1..];
            if !spec.is_empty() {
                // How it is written is not computed.
                if key.is_empty() {
                    next += 1;
                }
                text.push(&Text::unknown(&format!("{key}:{spec}")));
                continue;
            }
            let value = if key.is_empty() {
                next += 1;
                positional.get(next - 1).cloned()
            } else if let Ok(n) = key.parse::<usize>() {
                positional.get(n).cloned()
            } else if let Some(value) = named.get(key) {
                Some(value.clone())
            } else {
                syn::parse_str::<Expr>(key)
                    .ok()
                    .map(|expr| self.text(frame, keep(expr)))
            };
            text.push(&value.unwrap_or_else(|| Text::unknown(key)));
        }
        text.push(&Text::known(rest));
        Value::Text(text)
    }
}

fn is_of(target: &Target<'_>, krate: &str) -> bool {
    matches!(target, Target::External(path) if path.first().is_some_and(|first| first == krate))
}

/// Where the macro's name stands, without the path before it.
fn name_of(call: &syn::Macro) -> Span {
    let last = call.path.segments.last();
    last.map_or_else(Span::call_site, |last| last.ident.span())
}

fn part_expr(tokens: TokenStream) -> Option<&'static Expr> {
    let parser = |input: ParseStream<'_>| {
        let expr = input.parse::<Expr>()?;
        let _ = input.parse::<Option<syn::Token![;]>>()?;
        Ok(expr)
    };
    parser.parse2(tokens).ok().map(|expr| keep(expr))
}

/// Tokens, and whether each stands in a `::<…>`.
fn turbofish(tokens: TokenStream) -> Vec<(TokenTree, bool)> {
    let mut depth = 0_usize;
    let mut before = [' '; 2];
    tokens
        .into_iter()
        .map(|token| {
            let sign = match &token {
                TokenTree::Punct(punct) => punct.as_char(),
                _ => ' ',
            };
            let is_generic = depth > 0;
            match (sign, before) {
                ('<', before) if is_generic || before == [':', ':'] => depth += 1,
                // The end of an arrow closes nothing.
                ('>', [_, last]) if last != '-' => depth = depth.saturating_sub(1),
                _ => {}
            }
            before = [before[1], sign];
            (token, is_generic)
        })
        .collect()
}

/// Tokens split at the commas of the outermost level.
pub(crate) fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![Vec::new()];
    for (token, is_generic) in turbofish(tokens) {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ',' && !is_generic => {
                parts.push(Vec::new());
            }
            _ => {
                if let Some(last) = parts.last_mut() {
                    last.push(token);
                }
            }
        }
    }
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| part.into_iter().collect())
        .collect()
}

/// Pieces between commas, semicolons, `=>` and the `=` of `select!`.
fn pieces(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts: Vec<Vec<TokenTree>> = vec![Vec::new()];
    let mut tokens = turbofish(tokens).into_iter().peekable();
    while let Some((token, is_generic)) = tokens.next() {
        let ends = match &token {
            TokenTree::Punct(punct) if !is_generic => match punct.as_char() {
                ',' | ';' => true,
                '=' => match tokens.peek() {
                    Some((TokenTree::Punct(next), _)) if next.as_char() == '>' => {
                        tokens.next();
                        true
                    }
                    Some((TokenTree::Punct(next), _)) if next.as_char() == '=' => false,
                    _ => true,
                },
                _ => false,
            },
            _ => false,
        };
        if ends {
            parts.push(Vec::new());
            continue;
        }
        let closes =
            matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        if let Some(last) = parts.last_mut() {
            last.push(token);
        }
        // An arm that is a block needs no comma.
        if closes
            && matches!(tokens.peek(), Some((TokenTree::Ident(_), _)))
            && parts.last().is_some_and(|part| part.len() == 1)
        {
            parts.push(Vec::new());
        }
    }
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| part.into_iter().collect())
        .collect()
}
