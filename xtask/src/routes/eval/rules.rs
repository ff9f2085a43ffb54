//! `macro_rules!`: matching what a macro is given, and writing out the body of the rule.
//!
//! Long because it does what the compiler does: fragments, repetitions and hygiene.

use std::collections::HashMap;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::parse::Parser as _;
use syn::{Expr, Item};

/// Matcher and body of each rule of a macro.
pub(super) type Rules = Vec<(TokenStream, TokenStream)>;

/// What the variables of a matcher stand for.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    One(Vec<TokenTree>),
    Many(Vec<HashMap<String, Bound>>),
}

/// Matches tokens against a matcher: what it binds, and what is left over.
pub(super) fn matches<'t>(
    pattern: &[TokenTree],
    mut input: &'t [TokenTree],
) -> Option<(HashMap<String, Bound>, &'t [TokenTree])> {
    let mut bound = HashMap::new();
    let mut at = 0;
    while at < pattern.len() {
        match &pattern[at] {
            TokenTree::Punct(dollar) if dollar.as_char() == '$' => match pattern.get(at + 1)? {
                TokenTree::Group(repeated) if repeated.delimiter() == Delimiter::Parenthesis => {
                    let inner: Vec<TokenTree> = repeated.stream().into_iter().collect();
                    at += 2;
                    let mut separator = None;
                    let op = loop {
                        let TokenTree::Punct(punct) = pattern.get(at)? else {
                            return None;
                        };
                        at += 1;
                        match punct.as_char() {
                            op @ ('*' | '+' | '?') => break op,
                            other => separator = Some(other),
                        }
                    };
                    let mut rounds = Vec::new();
                    loop {
                        if input.is_empty() || op == '?' && rounds.len() == 1 {
                            break;
                        }
                        let mut from = input;
                        if let (Some(separator), false) = (separator, rounds.is_empty()) {
                            match input.first() {
                                Some(TokenTree::Punct(punct)) if punct.as_char() == separator => {
                                    from = &input[1..];
                                }
                                _ => break,
                            }
                        }
                        match matches(&inner, from) {
                            Some((round, rest)) if rest.len() < from.len() => {
                                rounds.push(round);
                                input = rest;
                            }
                            _ => break,
                        }
                    }
                    if op == '+' && rounds.is_empty() {
                        return None;
                    }
                    for name in variables(&inner) {
                        bound.insert(
                            name.clone(),
                            Bound::Many(
                                rounds
                                    .iter()
                                    .filter_map(|round| {
                                        Some(HashMap::from([(
                                            name.clone(),
                                            round.get(&name)?.clone(),
                                        )]))
                                    })
                                    .collect(),
                            ),
                        );
                    }
                }
                TokenTree::Ident(name) => {
                    let TokenTree::Ident(kind) = pattern.get(at + 3)? else {
                        return None;
                    };
                    let taken = fragment(&kind.to_string(), input)?;
                    let (tokens, rest) = input.split_at(taken);
                    let mut tokens = tokens.to_vec();
                    // An expression stays one: `$a + $b` does not mix with what is around it.
                    if kind == "expr" && tokens.len() > 1 {
                        tokens = vec![TokenTree::Group(Group::new(
                            Delimiter::None,
                            tokens.into_iter().collect(),
                        ))];
                    }
                    bound.insert(name.to_string(), Bound::One(tokens));
                    input = rest;
                    at += 4;
                }
                _ => return None,
            },
            TokenTree::Group(group) => {
                let Some(TokenTree::Group(theirs)) = input.first() else {
                    return None;
                };
                if theirs.delimiter() != group.delimiter() {
                    return None;
                }
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let given: Vec<TokenTree> = theirs.stream().into_iter().collect();
                let (more, rest) = matches(&inner, &given)?;
                if !rest.is_empty() {
                    return None;
                }
                bound.extend(more);
                input = &input[1..];
                at += 1;
            }
            token => {
                if input.first()?.to_string() != token.to_string() {
                    return None;
                }
                input = &input[1..];
                at += 1;
            }
        }
    }
    Some((bound, input))
}

fn variables(pattern: &[TokenTree]) -> Vec<String> {
    let mut names = Vec::new();
    for (at, token) in pattern.iter().enumerate() {
        match token {
            TokenTree::Punct(dollar) if dollar.as_char() == '$' => {
                if let Some(TokenTree::Ident(name)) = pattern.get(at + 1) {
                    names.push(name.to_string());
                }
            }
            TokenTree::Group(group) => {
                names.extend(variables(&group.stream().into_iter().collect::<Vec<_>>()));
            }
            _ => {}
        }
    }
    names
}

/// How many tokens a fragment takes.
fn fragment(kind: &str, input: &[TokenTree]) -> Option<usize> {
    let first = input.first()?;
    match kind {
        "tt" => return Some(1),
        "ident" => return matches!(first, TokenTree::Ident(_)).then_some(1),
        "literal" => {
            return match (first, input.get(1)) {
                (TokenTree::Literal(_), _) => Some(1),
                (TokenTree::Ident(word), _) if word == "true" || word == "false" => Some(1),
                (TokenTree::Punct(minus), Some(TokenTree::Literal(_))) => {
                    (minus.as_char() == '-').then_some(2)
                }
                _ => None,
            };
        }
        "lifetime" => {
            return matches!(first, TokenTree::Punct(quote) if quote.as_char() == '\'').then_some(2);
        }
        "block" => return matches!(first, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace).then_some(1),
        _ => {}
    }
    let all: TokenStream = input.iter().cloned().collect();
    let kind = kind.to_owned();
    let parser = move |input: ParseStream<'_>| {
        match kind.as_str() {
            "expr" | "expr_2021" => drop(input.parse::<Expr>()?),
            "ty" => drop(input.parse::<syn::Type>()?),
            "path" => drop(input.parse::<syn::Path>()?),
            "pat" | "pat_param" => drop(syn::Pat::parse_single(input)?),
            "stmt" => drop(input.parse::<syn::Stmt>()?),
            "item" => drop(input.parse::<Item>()?),
            "vis" => drop(input.parse::<syn::Visibility>()?),
            "meta" => drop(input.parse::<syn::Meta>()?),
            _ => return Err(input.error("unknown fragment")),
        }
        let rest: TokenStream = input.parse()?;
        Ok(rest.into_iter().count())
    };
    let left = parser.parse2(all).ok()?;
    Some(input.len() - left)
}

/// Where a macro's own tokens stand, and what only they can see.
pub(super) struct Scope {
    at: Span,
    /// The crate it was written in, as the caller names it.
    home: String,
    /// Variables that the body introduces: those of the caller are others.
    locals: Vec<String>,
    n: usize,
}

impl Scope {
    pub(super) fn of(body: &[TokenTree], at: Span, n: usize, home: String) -> Self {
        let mut locals = Vec::new();
        introduced(body, &mut locals);
        Self {
            at,
            home,
            locals,
            n,
        }
    }
}

/// The names after `let` and `let mut`.
fn introduced(body: &[TokenTree], names: &mut Vec<String>) {
    for (n, token) in body.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                introduced(&group.stream().into_iter().collect::<Vec<_>>(), names);
            }
            TokenTree::Ident(word) if word == "let" => {
                let mut next = n + 1;
                if matches!(body.get(next), Some(TokenTree::Ident(word)) if word == "mut") {
                    next += 1;
                }
                if let Some(TokenTree::Ident(name)) = body.get(next) {
                    names.push(name.to_string());
                }
            }
            _ => {}
        }
    }
}

/// Writes a rule's body out; its own tokens stand where the macro is called.
pub(super) fn transcribe(
    body: &[TokenTree],
    bound: &HashMap<String, Bound>,
    outer: &mut Vec<HashMap<String, Bound>>,
    scope: &Scope,
) -> Option<TokenStream> {
    let find = |name: &str, outer: &Vec<HashMap<String, Bound>>| -> Option<Bound> {
        outer
            .iter()
            .rev()
            .find_map(|round| round.get(name))
            .or_else(|| bound.get(name))
            .cloned()
    };
    let mut out: Vec<TokenTree> = Vec::new();
    let mut n = 0;
    while n < body.len() {
        match &body[n] {
            TokenTree::Punct(dollar) if dollar.as_char() == '$' => match body.get(n + 1)? {
                TokenTree::Ident(name) if name == "crate" => {
                    out.push(proc_macro2::Ident::new(&scope.home, scope.at).into());
                    n += 2;
                }
                TokenTree::Ident(name) => {
                    match find(&name.to_string(), outer)? {
                        Bound::One(tokens) => out.extend(tokens),
                        Bound::Many(_) => return None,
                    }
                    n += 2;
                }
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    n += 2;
                    let mut separator = None;
                    loop {
                        let token = body.get(n)?;
                        n += 1;
                        match token {
                            TokenTree::Punct(punct)
                                if matches!(punct.as_char(), '*' | '+' | '?') =>
                            {
                                break;
                            }
                            token => separator = Some(token.clone()),
                        }
                    }
                    let names = variables(&inner);
                    let rounds = names
                        .iter()
                        .filter_map(|name| match find(name, outer)? {
                            Bound::Many(rounds) => Some((name.clone(), rounds)),
                            Bound::One(_) => None,
                        })
                        .collect::<Vec<_>>();
                    let count = rounds
                        .iter()
                        .map(|(_, rounds)| rounds.len())
                        .max()
                        .unwrap_or(0);
                    for round in 0..count {
                        let mut round_of = HashMap::new();
                        for (_, all) in &rounds {
                            if let Some(one) = all.get(round) {
                                round_of.extend(one.clone());
                            }
                        }
                        outer.push(round_of);
                        let tokens = transcribe(&inner, bound, outer, scope);
                        outer.pop();
                        if round > 0 {
                            out.extend(separator.clone());
                        }
                        out.extend(tokens?);
                    }
                }
                _ => return None,
            },
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let tokens = transcribe(&inner, bound, outer, scope)?;
                let mut group = Group::new(group.delimiter(), tokens);
                group.set_span(scope.at);
                out.push(group.into());
                n += 1;
            }
            token => {
                let mut token = match token {
                    TokenTree::Ident(name) if scope.locals.contains(&name.to_string()) => {
                        // Renamed, it is no keyword any more.
                        let name = name.to_string();
                        let name = name.trim_start_matches("r#");
                        proc_macro2::Ident::new(&format!("{name}_of_macro_{}", scope.n), scope.at)
                            .into()
                    }
                    token => token.clone(),
                };
                token.set_span(scope.at);
                out.push(token);
                n += 1;
            }
        }
    }
    Some(out.into_iter().collect())
}
