//! Patterns of target paths in delegations (section 4.5.2): those of a shell, `*` and `?` and `[…]`, none of which
//! matches `/`.

/// Whether `path` has the form of `pattern`.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut segments) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), segments.next()) {
            (None, None) => return true,
            (Some(pattern), Some(segment)) => {
                let (pattern, segment): (Vec<char>, Vec<char>) =
                    (pattern.chars().collect(), segment.chars().collect());
                if !segment_matches(&pattern, &segment) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// One segment. Only the last `*` is ever gone back to, so that time grows with the product of the lengths at most.
fn segment_matches(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => class(&pattern[p..], text[t]),
            Some(c) if *c == text[t] => Some(1),
            _ => None,
        };
        match (step, star) {
            (Some(taken), _) => {
                p += taken;
                t += 1;
            }
            (None, Some((after_star, from))) => {
                star = Some((after_star, from + 1));
                p = after_star;
                t = from + 1;
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// How many characters of the pattern a class takes, if it holds `c`. One without an end is a plain `[`.
fn class(pattern: &[char], c: char) -> Option<usize> {
    let is_negated = pattern.get(1) == Some(&'!');
    let first = if is_negated { 2 } else { 1 };
    // A `]` that comes first is itself a member.
    let end = pattern.iter().skip(first + 1).position(|c| *c == ']').map(|at| at + first + 1);
    let Some(end) = end else { return (c == '[').then_some(1) };
    let members = &pattern[first..end];
    let mut holds = false;
    let mut i = 0;
    while i < members.len() {
        if i + 2 < members.len() && members[i + 1] == '-' {
            holds |= (members[i]..=members[i + 2]).contains(&c);
            i += 3;
        } else {
            holds |= members[i] == c;
            i += 1;
        }
    }
    (holds != is_negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn shell_patterns_within_a_segment() {
        for (pattern, path, expected) in [
            ("*", "a", true),
            ("*", "a/b", false),
            ("*.tgz", "foo.tgz", true),
            ("*.tgz", "a/foo.tgz", false),
            ("foo-version-?.tgz", "foo-version-a.tgz", true),
            ("foo-version-?.tgz", "foo-version-alpha.tgz", false),
            ("releases/*/*", "releases/x/x_v1", true),
            ("releases/*/*", "releases/x/y/z", false),
            ("releases/**", "releases/a", true),
            ("releases/**", "releases/a/b", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[!a-c]x", "dx", true),
            ("[]]x", "]x", true),
            ("[x", "[x", true),
            ("", "", true),
            ("", "a", false),
            ("?", "/", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn many_stars_take_no_long_time() {
        assert!(!matches(&"*a".repeat(500), &format!("{}b", "a".repeat(5000))));
    }
}
