//! Rules for text: functions that say in words what is wrong. The `schema` attributes beside their
//! use say the same as patterns, in the part of the syntax that ECMAScript, Python and Rust share.

/// Visible ASCII around one `@`: more is only known once a letter has arrived. No other letters, for
/// databases differ on which addresses are the same in another case.
pub(crate) fn address<C>(value: &str, _: &C) -> garde::Result {
    let is_visible = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic());
    let is_address = value.split_once('@').is_some_and(|(local, domain)| {
        is_visible(local) && is_visible(domain) && !domain.contains('@')
    });
    if is_address {
        return Ok(());
    }
    Err(garde::Error::new("must be an e-mail address"))
}

/// Not only white space, and nothing that moves the cursor.
pub(crate) fn line<C>(value: &str, _: &C) -> garde::Result {
    if value.trim().is_empty() {
        return Err(garde::Error::new("must not be empty"));
    }
    if value.contains(char::is_control) {
        return Err(garde::Error::new("must have no control characters"));
    }
    Ok(())
}

/// May be empty and have several lines.
pub(crate) fn lines<C>(value: &str, _: &C) -> garde::Result {
    if value.contains(|c: char| c.is_control() && c != '\n') {
        return Err(garde::Error::new(
            "must have no control characters but line breaks",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{address, line, lines};

    #[test]
    fn an_address_is_visible_ascii_around_one_at() {
        for good in ["a@b", "Ada.L+1@example.test", "!@~"] {
            assert!(address(good, &()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "a@b\n",
            "é@b",
            "a@b\u{7f}",
        ] {
            assert!(address(bad, &()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_line_has_something_to_see_and_lines_may_break() {
        for good in ["Soup", " Soup ", "Crème brûlée", "スープ"] {
            assert!(line(good, &()).is_ok(), "{good}");
        }
        for bad in ["", " ", "\u{a0}\u{3000}", "So\nup", "So\0up", "So\u{85}up"] {
            assert!(line(bad, &()).is_err(), "{bad}");
        }
        assert!(lines("", &()).is_ok());
        assert!(lines("hot\nor cold", &()).is_ok());
        assert!(lines("hot\r\nor cold", &()).is_err());
    }
}
