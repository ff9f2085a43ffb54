//! Reading squawk's syntax tree by kinds: the typed one has a type for each of 900 nodes, of which
//! the rules need a few properties only.

pub(super) use squawk_syntax::{SyntaxKind as Kind, SyntaxNode as Node};

/// Is a node or token of that kind directly in it?
pub(super) fn has(node: &Node, kind: Kind) -> bool {
    node.children_with_tokens()
        .any(|child| child.kind() == kind)
}

pub(super) fn child(node: &Node, kind: Kind) -> Option<Node> {
    node.children().find(|child| child.kind() == kind)
}

pub(super) fn children(node: &Node, kind: Kind) -> impl Iterator<Item = Node> + use<> {
    node.children().filter(move |child| child.kind() == kind)
}

/// The first below it, in the order of the text.
pub(super) fn find(node: &Node, kind: Kind) -> Option<Node> {
    node.descendants().find(|below| below.kind() == kind)
}

/// Its words without blanks and comments, in lower case where they are not quoted.
pub(super) fn words(node: &Node) -> Vec<String> {
    node.descendants_with_tokens()
        .filter_map(squawk_syntax::SyntaxElement::into_token)
        .filter(|token| !token.kind().is_trivia())
        .map(|token| identifier(token.text()))
        .collect()
}

/// An identifier as the catalog knows it.
fn identifier(text: &str) -> String {
    match text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => text.to_lowercase(),
    }
}

/// The first name in it, with its schema unless that is `public`.
pub(super) fn name(node: &Node) -> String {
    let path = node
        .descendants()
        .find(|below| matches!(below.kind(), Kind::PATH | Kind::PATH_REF));
    let parts = words(path.as_ref().unwrap_or(node));
    let name = parts.concat();
    match name.strip_prefix("public.") {
        Some(name) => name.to_owned(),
        None => name,
    }
}

/// `new` in the schema of `old`, where a statement names the schema only once.
pub(super) fn beside(old: &str, new: &str) -> String {
    match old.rsplit_once('.') {
        Some((schema, _)) => format!("{schema}.{new}"),
        None => new.to_owned(),
    }
}

/// The name of its child of that kind.
pub(super) fn name_of(node: &Node, kind: Kind) -> Option<String> {
    child(node, kind).map(|child| name(&child))
}

/// Names of the columns that an expression or a list mentions.
pub(super) fn columns(node: &Node) -> Vec<String> {
    node.descendants()
        .filter(|below| matches!(below.kind(), Kind::NAME_REF | Kind::COLUMN_NAME_REF))
        .map(|below| name(&below))
        .collect()
}

pub(super) fn at(node: &Node) -> usize {
    node.text_range().start().into()
}

/// The parts of an expression that all must hold.
pub(super) fn conjuncts(expression: &Node, each: &mut dyn FnMut(&Node)) {
    match expression.kind() {
        Kind::PAREN_EXPR => expression
            .children()
            .for_each(|inner| conjuncts(&inner, each)),
        Kind::BIN_EXPR if has(expression, Kind::AND_KW) => {
            expression
                .children()
                .for_each(|side| conjuncts(&side, each));
        }
        _ => each(expression),
    }
}
