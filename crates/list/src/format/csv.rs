//! One line of separated values, as RFC 4180 has them; a quoted field ends on its line.

use std::borrow::Cow;

use crate::Problem;

/// The fields of a line, which comes without its end.
pub(super) fn split(line: &[u8], separator: u8) -> Result<Vec<Cow<'_, [u8]>>, Problem> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = if let Some(quoted) = rest.strip_prefix(b"\"") {
            quoted_field(quoted)?
        } else {
            let end = rest.iter().position(|byte| *byte == separator).unwrap_or(rest.len());
            (Cow::Borrowed(&rest[..end]), &rest[end..])
        };
        fields.push(field);
        match after {
            [] => return Ok(fields),
            [next, after @ ..] if *next == separator => rest = after,
            _ => return Err(Problem::Quote),
        }
    }
}

/// The field up to its closing quote, and what follows.
fn quoted_field(quoted: &[u8]) -> Result<(Cow<'_, [u8]>, &[u8]), Problem> {
    let mut field = Cow::Borrowed(&b""[..]);
    let mut rest = quoted;
    loop {
        let end = rest.iter().position(|byte| *byte == b'"').ok_or(Problem::Quote)?;
        let after = &rest[end + 1..];
        let escaped = after.first() == Some(&b'"');
        let piece = &rest[..end + usize::from(escaped)];
        if field.is_empty() {
            field = Cow::Borrowed(piece);
        } else {
            field.to_mut().extend_from_slice(piece);
        }
        if !escaped {
            return Ok((field, after));
        }
        rest = &after[1..];
    }
}

/// A field as text: what is no UTF-8 is taken for Latin-1, as older tools write it.
pub(super) fn text(field: &[u8]) -> String {
    match std::str::from_utf8(field) {
        Ok(text) => text.trim().to_owned(),
        Err(_) => field.iter().map(|byte| char::from(*byte)).collect::<String>().trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let cases: [(&str, &[&str]); 7] = [
            ("", &[""]),
            ("a;b", &["a", "b"]),
            ("a;;", &["a", "", ""]),
            (r#""a;b";c"#, &["a;b", "c"]),
            (r#""a""b";"""";"""#, &["a\"b", "\"", ""]),
            (r#""""a";x"y"#, &["\"a", "x\"y"]),
            (r#"x;"y z""#, &["x", "y z"]),
        ];
        for (line, expected) in cases {
            let line = if line.ends_with(r#";""#) { format!("{line}\"") } else { line.to_owned() };
            let fields = split(line.as_bytes(), b';').unwrap();
            assert!(
                fields.iter().map(|field| &**field).eq(expected.iter().map(|field| field.as_bytes())),
                "{line}"
            );
        }
        for line in [r#"""#, r#""a"#, r#""a"b;c"#, r#""a"""#] {
            assert_eq!(split(line.as_bytes(), b';').unwrap_err(), Problem::Quote, "{line}");
        }
        assert_eq!(text(b" \xe4 "), "\u{e4}");
    }
}
