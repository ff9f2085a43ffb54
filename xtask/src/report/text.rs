//! Foreign text made harmless: compiler messages and test output are not ours to trust.

/// Longest message kept, in bytes; the rest is counted, not shown.
pub(crate) const MESSAGE: usize = 8 * 1024;
/// Longest single line (a path, a note), in bytes.
pub(crate) const LINE: usize = 1024;
/// Longest diff kept, in bytes.
pub(crate) const DIFF: usize = 64 * 1024;

/// Drops escape sequences, control and bidirectional-override characters, and cuts at `max` bytes.
/// Newlines and tabs stay.
pub(crate) fn clean(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if out.len() >= max {
            let cut = text.len() - at;
            return format!("{out}… ({cut} more bytes)");
        }
        match c {
            '\x1b' => skip_escape(&mut chars),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || is_invisible(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// Bytes of a child process, decoded with U+FFFD for what is not UTF-8, then [`clean`]ed.
pub(crate) fn clean_bytes(bytes: &[u8], max: usize) -> String {
    clean(&String::from_utf8_lossy(bytes), max)
}

/// ECMA-48: CSI ends at `@`..`~`, OSC and the like at BEL or ST; anything else is two characters.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>) {
    match chars.next().map(|(_, c)| c) {
        Some('[') => while chars.next().is_some_and(|(_, c)| !('@'..='~').contains(&c)) {},
        Some(']' | 'P' | '^' | '_' | 'X') => {
            while let Some((_, c)) = chars.next() {
                if c == '\x07' || c == '\n' {
                    break;
                }
                if c == '\x1b' {
                    chars.next();
                    break;
                }
            }
        }
        _ => {}
    }
}

/// Characters that reorder or hide what stands around them (Unicode UAX 9 controls, zero width).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
}

/// On one line, with what cannot be seen written as an escape: for names and literals out of foreign
/// source.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let hidden = c.is_control() || is_invisible(c);
            let escaped = hidden.then(|| c.escape_unicode()).into_iter().flatten();
            escaped.chain((!hidden).then_some(c))
        })
        .collect()
}

/// `n thing` or `n things`.
pub(crate) fn plural(n: usize, thing: &str) -> String {
    if n == 1 {
        format!("1 {thing}")
    } else {
        format!("{n} {thing}s")
    }
}

/// A unified diff between the committed and the generated text of `path`.
pub(crate) fn diff(path: &str, old: &str, new: &str) -> String {
    similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

/// The first line (from 1) on which two texts differ.
pub(crate) fn first_difference(old: &str, new: &str) -> usize {
    old.lines()
        .zip(new.lines())
        .take_while(|(a, b)| a == b)
        .count()
        + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_comes_out_harmless() {
        assert_eq!(
            clean(
                "\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x1b\\",
                MESSAGE
            ),
            "red link"
        );
        assert_eq!(clean("a\rb\x08c\u{202e}d\0e", MESSAGE), "abcde");
        assert_eq!(clean("keep\n\ttabs", MESSAGE), "keep\n\ttabs");
        assert_eq!(
            clean_bytes(b"\xff\xfe::error::x", MESSAGE),
            "\u{fffd}\u{fffd}::error::x"
        );
        assert_eq!(clean("\x1b", MESSAGE), "");
        assert_eq!(clean("\x1b[", MESSAGE), "");
    }

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(
            visible("/a\u{1b}[2J\n::e\u{202e}ü"),
            "/a\\u{1b}[2J\\u{a}::e\\u{202e}ü"
        );
    }

    #[test]
    fn a_long_line_is_cut_and_counted() {
        let cut = clean(&"x".repeat(5_000_000), MESSAGE);
        assert!(cut.len() < MESSAGE + 64, "{}", cut.len());
        assert!(cut.ends_with("more bytes)"));
    }

    proptest::proptest! {
        #[test]
        fn never_longer_never_a_control(bytes: Vec<u8>, max in 0usize..64) {
            let out = clean_bytes(&bytes, max);
            proptest::prop_assert!(out.len() <= max + 48);
            proptest::prop_assert!(out.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
        }
    }
}
