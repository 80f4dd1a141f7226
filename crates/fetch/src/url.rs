//! What all references have in common: a scheme, printable ASCII, and whole percent-encodings (RFC 3986).

use hashward_engine::core::{Unreadable, UnreadableKind};

/// A reference whose text is well-formed.
pub(crate) struct Reference<'a> {
    /// In lower case.
    pub(crate) scheme: String,
    /// Everything after `scheme://`.
    pub(crate) rest: &'a str,
}

/// The longest scheme that an error repeats, in bytes.
const SCHEME_BYTES_MAX: usize = 32;

pub(crate) fn parse(url: &str, bytes_max: usize) -> Result<Reference<'_>, Unreadable> {
    if url.len() > bytes_max {
        return Err(bad(format_args!("it is {} bytes long, at most {bytes_max} are read", url.len())));
    }
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(bad("it holds spaces, control characters or others than ASCII: percent-encode them"));
    }
    if !percent_encodings_are_whole(url) {
        return Err(bad("`%` is not followed by two hexadecimal digits: write `%25` for the sign itself"));
    }
    let scheme = url.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| is_scheme(scheme));
    let Some(scheme) = scheme else { return Err(bad("it is no URL: it does not begin with a scheme")) };
    let Some(rest) = url[scheme.len()..].strip_prefix("://") else {
        return Err(bad("the scheme is not followed by `://`"));
    };
    Ok(Reference { scheme: scheme.to_ascii_lowercase(), rest })
}

fn is_scheme(text: &str) -> bool {
    text.len() <= SCHEME_BYTES_MAX
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn percent_encodings_are_whole(url: &str) -> bool {
    let mut parts = url.split('%');
    parts.next();
    parts.all(|part| matches!(part.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
}

/// The reason for a reference that is malformed.
pub(crate) fn bad(detail: impl std::fmt::Display) -> Unreadable {
    Unreadable::new(UnreadableKind::BadReference, detail)
}

/// The reason for a reference that leads where it may not.
pub(crate) fn refused(detail: impl std::fmt::Display) -> Unreadable {
    Unreadable::new(UnreadableKind::ReferenceRefused, detail)
}
