//! Text as it is laid out: what is on a line of its own, and which comment belongs to what.

use syn::ExprMethodCall;
use syn::spanned::Spanned;

use super::Bytes;

/// The text with a call moved in front of an earlier one. What is commented on a line of its own, or
/// behind a call, stays with its call.
pub(super) fn moved(old: &str, first: &ExprMethodCall, late: &ExprMethodCall) -> Option<String> {
    let to = bytes(&first.dot_token).start;
    let from = bytes(&late.dot_token).start;
    let end = bytes(late).end;
    let before = bytes(&late.receiver).end;
    // Behind the line of what it is called on.
    let lines = |receiver: usize, dot: usize| {
        let newline = old[receiver..dot].find('\n')?;
        let is_own = old[line_start(old, dot)..dot].trim().is_empty();
        is_own.then_some(receiver + newline + 1)
    };
    let first_lines = lines(bytes(&first.receiver).end, to);
    let (Some(insert), Some(start)) = (first_lines, lines(before, from)) else {
        let gap = &old[before..from];
        let kept = if gap.trim().is_empty() { "" } else { gap };
        let layout = match first_lines {
            Some(_) => &old[bytes(&first.receiver).end..to],
            None => "",
        };
        if layout.contains('/') {
            return None;
        }
        return Some(format!(
            "{}{}{layout}{}{kept}{}",
            &old[..to],
            &old[from..end],
            &old[to..before],
            &old[end..]
        ));
    };
    let line_end = line_end(old, end);
    let rest = old[end..line_end].trim_end_matches(['\r', '\n']);
    let newline = &old[end + rest.len()..line_end];
    let (code, comment) = split_comment(rest)?;
    Some(format!(
        "{}{}{comment}{}{}{code}{}{}",
        &old[..insert],
        &old[start..end],
        if newline.is_empty() { "\n" } else { newline },
        &old[insert..before],
        &old[before..start],
        &old[line_end..]
    ))
}

/// The lines of a statement with the comments above it; `None` where it shares them.
pub(super) fn statement_lines(old: &str, stmt: Bytes) -> Option<Bytes> {
    let mut start = line_start(old, stmt.start);
    let end = line_end(old, stmt.end);
    let (code, _) = split_comment(old[stmt.end..end].trim_end())?;
    if !old[start..stmt.start].trim().is_empty() || !code.is_empty() {
        return None;
    }
    while start > 0 {
        let above = line_start(old, start - 1);
        if !old[above..start].trim_start().starts_with("//") {
            break;
        }
        start = above;
    }
    Some(start..end)
}

/// The rest of a line: code, and the comment behind it. `None` where it is not sure which is which.
fn split_comment(rest: &str) -> Option<(&str, &str)> {
    let at = rest.find("//").into_iter().chain(rest.find("/*")).min();
    let code = rest[..at.unwrap_or(rest.len())].trim_end();
    (!code.contains('"')).then(|| (code, rest[code.len()..].trim_end()))
}

pub(super) fn replaced(old: &str, range: Bytes, new: &str) -> String {
    format!("{}{new}{}", &old[..range.start], &old[range.end..])
}

pub(super) fn bytes(node: &impl Spanned) -> Bytes {
    node.span().byte_range()
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |n| n + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |n| at + n + 1)
}
