//! The pages that people see instead of content that does not pass.

use hashward_engine::core::Match;

/// A page that says which lists a content is on, on what ground, and who answers questions. No digest and no entry is told.
pub(super) fn blocked(matches: &[Match]) -> String {
    let mut lists: Vec<&Match> = matches.iter().collect();
    lists.dedup_by(|right, left| right.list.id == left.list.id);
    let mut told = String::from("<p>It is on a list of known illegal content:</p>\n");
    for found in lists {
        let list = &found.list;
        told.push_str("<dl>\n");
        for (term, value) in [
            ("List", Some(list.id.as_str())),
            ("Category", Some(list.category.word())),
            ("Published by", list.owner.as_deref()),
            ("Legal basis", list.legal_basis.as_deref()),
            ("Reference", list.reference.as_deref()),
            ("Contact", list.contact.as_deref()),
        ] {
            if let Some(value) = value {
                told.extend(["<dt>", term, "</dt><dd>", &escaped(value), "</dd>\n"]);
            }
        }
        told.push_str("</dl>\n");
    }
    page("This content was blocked", &told)
}

/// A page that says that nobody knows.
pub(super) fn unjudged(why: &str) -> String {
    page("This content could not be checked", &format!("<p>{}. Please try again later.</p>\n", escaped(why)))
}

fn page(title: &str, text: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body>\n<h1>{title}</h1>\n{text}</body>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}
