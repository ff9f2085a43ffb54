//! How deep a text may nest. A parser that descends takes a stack frame for each level, and
//! squawk's takes a time that grows with the square of them: what is deeper than anybody writes is
//! not given to it.

/// Of what may be nested, not of what is: each token since the last comma or semicolon could be a
/// level, and so could those before each bracket and block that is still open.
const DEEPEST: usize = 3000;

/// Where the text nests deeper than a parser should be asked to follow.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    // Levels that wait for the end of each open bracket or block, and their sum.
    let (mut open, mut waiting, mut here): (Vec<usize>, usize, usize) = (Vec::new(), 0, 0);
    let (mut last, mut opened_by_if) = ("", false);
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let start = at;
        at += match bytes[at] {
            _ if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            b'\'' => rest[1..].find('\'').map_or(rest.len(), |end| end + 2),
            byte if byte.is_ascii_alphanumeric() || byte == b'_' => rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len()),
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        let token = &text[start..at];
        let is = |words: &[&str]| words.iter().any(|word| token.eq_ignore_ascii_case(word));
        if token.trim().is_empty() || token.starts_with("--") || token.starts_with("/*") {
            continue;
        }
        let after_end = last.eq_ignore_ascii_case("end");
        last = token;
        here += 1;
        if is(&["(", "[", "begin", "loop", "case", "if"]) && !after_end {
            opened_by_if = is(&["if"]);
            open.push(here);
            waiting += here;
            here = 0;
        } else if is(&[")", "]", "end"]) {
            here = open.pop().unwrap_or(0);
            waiting -= here;
        } else if is(&[",", ";"]) {
            here = 0;
        } else if is(&["exists"]) && here <= 2 && opened_by_if {
            // `IF [NOT] EXISTS` opens nothing.
            let before = open.pop().unwrap_or(0);
            waiting -= before;
            here += before;
        }
        if waiting + here > DEEPEST {
            return Some(start);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::too_deep;

    #[test]
    fn long_is_not_deep() {
        for flat in [
            "DROP TABLE IF EXISTS a;\n",
            "CREATE TABLE IF NOT EXISTS a (id int, n int);\n",
            "INSERT INTO a VALUES (1, 'it''s (a) text');\n",
            "SELECT CASE WHEN a THEN b ELSE c END;\n",
            "-- a ((( comment\n",
            "DO $$ BEGIN IF a THEN b; END IF; FOR x IN y LOOP z; END LOOP; END $$;\n",
        ] {
            assert_eq!(too_deep(&flat.repeat(4000)), None, "{flat}");
        }
    }

    #[test]
    fn deep_is_deep() {
        for nest in [
            "(",
            "[",
            "not ",
            "- ",
            "1+",
            "(1, ",
            "case when ",
            "begin ",
            "if a then b; ",
            "(select ",
        ] {
            assert!(too_deep(&nest.repeat(4000)).is_some(), "{nest}");
        }
    }
}
