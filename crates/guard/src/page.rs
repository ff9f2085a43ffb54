//! The one page that is the guard's own: an error in an app of pages. It links the app's
//! stylesheet, `/style.css`; the way on is back to the front page.

/// The page of an error.
pub(crate) fn error(title: &str, detail: Option<&str>) -> String {
    let title = escaped(title);
    let detail = detail.map_or_else(String::new, |detail| {
        format!("<p>{}</p>\n", escaped(detail))
    });
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n\
         <link rel=\"icon\" href=\"/icon.svg\">\n\
         <main>\n<h1>{title}</h1>\n{detail}<p><a href=\"/\">To the front page</a></p>\n</main>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut html, c| {
            match c {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&#39;"),
                _ => html.push(c),
            }
            html
        })
}

#[cfg(test)]
mod tests {
    #[test]
    fn whatever_is_shown_is_escaped() {
        let html = super::error("<h1>", Some("a & \"b\" 'c'"));
        assert!(html.contains("<h1>&lt;h1&gt;</h1>"), "{html}");
        assert!(
            html.contains("<p>a &amp; &quot;b&quot; &#39;c&#39;</p>"),
            "{html}"
        );
    }
}
