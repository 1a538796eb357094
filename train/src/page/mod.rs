//! The shell of the pages: one file that needs nothing else, neither a network nor a library.

/// A page with this text as its title, and these styles, contents and script; light or dark as the reader's system is.
///
/// The title may be any text; the rest stands as it is given, and must not come from strangers. The styles can use the
/// colours that `base.css` names: `--ground`, `--raised`, `--ink`, `--muted`, `--line`, `--strong`, `--accent`, `--on-accent`,
/// `--tint`, `--gradient`, `--gradient-tint`.
///
/// ```
/// let body = "<main>\n<h1>Here</h1>\n</main>\n";
/// let page = train::page::page("1 < 2", "h1 { color: var(--accent); }\n", body, "document.title += '!';\n");
/// assert!(page.contains("<title>1 &lt; 2</title>") && page.contains("<h1>Here</h1>"));
/// ```
pub fn page(title: &str, style: &str, body: &str, script: &str) -> String {
    let title = escaped(title);
    let base = include_str!("base.css");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{base}{style}</style>\n</head>\n<body>\n{body}\
         <script>\n{script}</script>\n</body>\n</html>\n"
    )
}

/// Text between tags, and in the quotes of an attribute.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Data that a script reads: an element of this id. No text in it can end the element.
pub(crate) fn data(id: &str, value: &serde_json::Value) -> String {
    let text = value.to_string().replace('<', "\\u003c");
    format!("<script type=\"application/json\" id=\"{id}\">{text}</script>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_place() {
        let text = "</script><b> & \"x\"";
        assert_eq!(escaped(text), "&lt;/script&gt;&lt;b&gt; &amp; &quot;x&quot;");
        let element = data("d", &serde_json::json!(text));
        assert_eq!(element.matches('<').count(), 2, "{element}");
        let inside = element.split_once('>').and_then(|(_, rest)| rest.strip_suffix("</script>\n"));
        let inside = inside.expect("what stands between the tags");
        assert_eq!(serde_json::from_str::<String>(inside).expect("it is JSON"), text);
    }
}
