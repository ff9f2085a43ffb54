//! Text that can neither end its quotes nor steer a terminal.

use std::fmt::{self, Write};

use super::Form;

/// Writes into a JSON string: quotes, backslashes and control characters are escaped.
pub(crate) struct Escaped<'a>(pub(crate) &'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Nearly every text is plain, and then copied at once.
        if text.bytes().all(is_plain) {
            self.0.push_str(text);
            return Ok(());
        }
        text.chars().try_for_each(|c| self.write_char(c))
    }

    fn write_char(&mut self, c: char) -> fmt::Result {
        match c {
            '"' | '\\' => {
                self.0.push('\\');
                self.0.push(c);
            }
            '\n' => self.0.push_str("\\n"),
            // Controls, and what turns the direction of the text around.
            c if c.is_control()
                || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                write!(self.0, "\\u{:04x}", u32::from(c))?;
            }
            c => self.0.push(c),
        }
        Ok(())
    }
}

/// Writes a value in the quotes that its form asks for.
pub(crate) fn push_text(line: &mut String, text: &str, form: Form) {
    let bare = match form {
        Form::Json => false,
        Form::Plain => {
            !text.is_empty() && text.bytes().all(|b| is_plain(b) && b != b' ' && b != b'=')
        }
    };
    if bare {
        line.push_str(text);
        return;
    }
    line.push('"');
    let _ = Escaped(line).write_str(text);
    line.push('"');
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_is_json_and_reads_back_the_same() {
        for text in [
            "plain",
            "two\nlines",
            "\"\\\u{1b}[2J",
            "a\u{7f}\u{85}\u{202e}b",
            "ünïcödé ✓",
            "\u{0}",
        ] {
            let mut line = String::new();
            push_text(&mut line, text, Form::Json);
            assert!(!line.chars().any(char::is_control), "{line}");
            assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }

    #[test]
    fn plain_words_need_no_quotes_where_people_read() {
        for (text, written) in [
            ("GET", "GET"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("a=b", "\"a=b\""),
        ] {
            let mut line = String::new();
            push_text(&mut line, text, Form::Plain);
            assert_eq!(line, written);
        }
    }
}
