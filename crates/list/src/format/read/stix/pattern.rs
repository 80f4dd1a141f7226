//! Patterns of digests: `[file:hashes.'SHA-256' = '…' AND file:hashes.MD5 = '…'] OR [file:hashes.'SHA-1' = '…']`.
//!
//! What is joined by AND in one observation says something of one file; what is joined by OR are alternatives, each an
//! item. Everything else that patterns can ask for is refused: a digest alone would match more than the pattern does.
//! A file's name beside a digest is taken for a note, since the digest says all that the name could.

use super::tokens::Token;
use crate::Problem;
use crate::format::{ITEM_BYTES_MAX, SIGNALS_MAX};

/// How many alternatives a pattern may have.
const ALTERNATIVES_MAX: usize = 1000;
/// How deep its brackets may stand inside each other.
const BRACKETS_MAX: usize = 16;

/// How many conditions may hold together: the signals of one item, its digests, its size and its name.
const CONDITIONS_MAX: usize = 2 * SIGNALS_MAX;

/// What a file must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Condition<'t> {
    Hash { name: &'t str, value: &'t str },
    Size(u64),
    Name(&'t str),
}

/// Alternatives, each of conditions that hold together.
type Alternatives<'t> = Vec<Vec<Condition<'t>>>;

pub(super) fn parse(tokens: &[Token]) -> Result<Alternatives<'_>, Problem> {
    let mut parser = Parser { tokens, brackets: 0 };
    let alternatives = parser.observations()?;
    if parser.tokens.is_empty() {
        Ok(alternatives)
    } else {
        Err(Problem::Pattern("asks for more than one observation"))
    }
}

struct Parser<'t> {
    tokens: &'t [Token],
    brackets: usize,
}

impl<'t> Parser<'t> {
    fn next_if(&mut self, wanted: impl Fn(&Token) -> bool) -> Option<&'t Token> {
        let (first, rest) = self.tokens.split_first()?;
        if !wanted(first) {
            return None;
        }
        self.tokens = rest;
        Some(first)
    }

    fn sign(&mut self, sign: char) -> bool {
        self.next_if(|token| *token == Token::Sign(sign)).is_some()
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        self.next_if(|token| matches!(token, Token::Word(word) if word == keyword)).is_some()
    }

    fn need(&mut self, sign: char) -> Result<(), Problem> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(Problem::Pattern("has another form than digests in brackets"))
        }
    }

    /// What stands in round brackets, the opening one taken.
    fn bracketed(
        &mut self,
        inner: fn(&mut Self) -> Result<Alternatives<'t>, Problem>,
    ) -> Result<Alternatives<'t>, Problem> {
        self.brackets += 1;
        if self.brackets > BRACKETS_MAX {
            return Err(Problem::TooDeep);
        }
        let found = inner(self)?;
        self.need(')')?;
        self.brackets -= 1;
        Ok(found)
    }

    /// Observations joined by OR.
    fn observations(&mut self) -> Result<Alternatives<'t>, Problem> {
        let mut all = Vec::new();
        loop {
            if self.sign('(') {
                all.extend(self.bracketed(Self::observations)?);
            } else {
                self.need('[')?;
                all.extend(self.any_of()?);
                self.need(']')?;
            }
            bounded(&all)?;
            if !self.keyword("OR") {
                return Ok(all);
            }
        }
    }

    /// Comparisons joined by OR, which binds less than AND.
    fn any_of(&mut self) -> Result<Alternatives<'t>, Problem> {
        let mut all = self.all_of()?;
        while self.keyword("OR") {
            all.extend(self.all_of()?);
            bounded(&all)?;
        }
        Ok(all)
    }

    fn all_of(&mut self) -> Result<Alternatives<'t>, Problem> {
        let mut all = self.one()?;
        while self.keyword("AND") {
            let more = self.one()?;
            if all.len() * more.len() > ALTERNATIVES_MAX {
                return Err(TOO_MANY);
            }
            let both = |left: &Vec<Condition<'t>>| -> Alternatives<'t> {
                more.iter().map(|right| [&left[..], &right[..]].concat()).collect()
            };
            all = all.iter().flat_map(both).collect();
            bounded(&all)?;
        }
        Ok(all)
    }

    fn one(&mut self) -> Result<Alternatives<'t>, Problem> {
        if self.sign('(') { self.bracketed(Self::any_of) } else { Ok(vec![vec![self.comparison()?]]) }
    }

    fn comparison(&mut self) -> Result<Condition<'t>, Problem> {
        if !self.keyword("file") {
            return Err(Problem::Pattern("asks for something else than a file"));
        }
        self.need(':')?;
        let property = self.word()?;
        if property == "hashes" {
            self.need('.')?;
            let name = self.word()?;
            self.need('=')?;
            return Ok(Condition::Hash { name, value: self.text()? });
        }
        self.need('=')?;
        match property {
            "size" => {
                let size = self.word()?.parse();
                size.map(Condition::Size).map_err(|_| Problem::Pattern("has a size that is no whole number"))
            }
            "name" => Ok(Condition::Name(self.text()?)),
            _ => Err(Problem::Pattern("asks for something else of a file than its digests, size and name")),
        }
    }

    /// A word, in quotes or without.
    fn word(&mut self) -> Result<&'t str, Problem> {
        match self.next_if(|token| !matches!(token, Token::Sign(_))) {
            Some(Token::Word(word) | Token::Text(word)) => Ok(word),
            _ => Err(Problem::Pattern("breaks off")),
        }
    }

    fn text(&mut self) -> Result<&'t str, Problem> {
        match self.next_if(|token| matches!(token, Token::Text(_))) {
            Some(Token::Text(text)) => Ok(text),
            _ => Err(Problem::Pattern("has a value that is not in quotes")),
        }
    }
}

const TOO_MANY: Problem = Problem::Pattern("has more than 1000 alternatives");

/// Holds a short pattern to a short list: brackets joined by AND multiply.
fn bounded(alternatives: &[Vec<Condition<'_>>]) -> Result<(), Problem> {
    if alternatives.len() > ALTERNATIVES_MAX {
        return Err(TOO_MANY);
    }
    if alternatives.iter().any(|conditions| conditions.len() > CONDITIONS_MAX) {
        return Err(Problem::TooManySignals);
    }
    let bytes: usize = alternatives.iter().flatten().map(Condition::bytes).sum();
    if bytes > ITEM_BYTES_MAX { Err(Problem::TooLarge) } else { Ok(()) }
}

impl Condition<'_> {
    /// How many bytes the condition takes, about.
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Hash { name, value } => name.len() + value.len(),
                Self::Size(_) => 0,
                Self::Name(name) => name.len(),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    /// Each alternative as `name=value` and so on.
    fn told(pattern: &str) -> Result<Vec<String>, Problem> {
        let tell = |condition: &Condition| match condition {
            Condition::Hash { name, value } => format!("{name}={value}"),
            Condition::Size(size) => format!("size={size}"),
            Condition::Name(name) => format!("name={name}"),
        };
        let tell_all = |all: Vec<Condition<'_>>| all.iter().map(tell).collect::<Vec<_>>().join(" ");
        let tokens = tokens(pattern)?;
        parse(&tokens).map(|alternatives| alternatives.into_iter().map(tell_all).collect())
    }

    #[test]
    fn digests_of_one_file_and_alternatives() {
        let cases: [(&str, &[&str]); 8] = [
            ("[file:hashes.MD5 = 'a']", &["MD5=a"]),
            ("[ file:hashes.'SHA-256'='a' ]", &["SHA-256=a"]),
            ("[file:hashes.SHA-1 = 'a' AND file:size = 25]", &["SHA-1=a size=25"]),
            ("[file:hashes.A='1' OR file:hashes.B='2' AND file:hashes.C='3']", &["A=1", "B=2 C=3"]),
            ("[(file:hashes.A='1' OR file:hashes.B='2') AND file:hashes.C='3']", &["A=1 C=3", "B=2 C=3"]),
            ("([file:hashes.A='1'] OR ([file:hashes.B='2'])) OR [file:hashes.C='3']", &["A=1", "B=2", "C=3"]),
            (r"[file:name='it\'s \\ x' AND file:hashes.A='1']", &[r"name=it's \ x A=1"]),
            ("[file:hashes.A='1' OR file:hashes.A='2' OR file:hashes.A='3']", &["A=1", "A=2", "A=3"]),
        ];
        for (pattern, expected) in cases {
            assert_eq!(told(pattern).unwrap(), expected, "{pattern}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for pattern in [
            "",
            "[",
            "[]",
            "[file:hashes.MD5 = 'a'",
            "[file:hashes.MD5 = 'a",
            r"[file:hashes.MD5 = 'a\",
            "[file:hashes.MD5 = a]",
            "[file:hashes.MD5 != 'a']",
            "[NOT file:hashes.MD5 = 'a']",
            "[file:hashes.MD5 MATCHES 'a']",
            "[file:hashes.MD5 IN ('a', 'b')]",
            "[file:mime_type = 'image/png' AND file:hashes.MD5 = 'a']",
            "[file:size > 25]",
            "[file:size = -1]",
            "[file:size = 99999999999999999999999]",
            "[url:value = 'https://example.org']",
            "[file:hashes.MD5 = 'a'] AND [file:hashes.MD5 = 'b']",
            "[file:hashes.MD5 = 'a'] FOLLOWEDBY [file:hashes.MD5 = 'b']",
            "[file:hashes.MD5 = 'a'] WITHIN 5 SECONDS",
            "[file:hashes.MD5 = 'a'\0]",
        ] {
            assert!(matches!(told(pattern), Err(Problem::Pattern(_))), "{pattern}");
        }
    }

    #[test]
    fn patterns_that_grow_are_bounded() {
        let deep = "(".repeat(100_000);
        assert_eq!(told(&deep), Err(Problem::TooDeep));
        assert_eq!(told(&format!("[{deep}")), Err(Problem::TooDeep));
        let two = "(file:hashes.A='1' OR file:hashes.B='2')";
        let product = format!("[{}]", [two; 20].join(" AND "));
        assert_eq!(told(&product), Err(Problem::Pattern("has more than 1000 alternatives")));
        let long = format!("[{}]", vec!["file:hashes.A='1'"; 100_000].join(" AND "));
        assert_eq!(told(&long), Err(Problem::TooManySignals));
        let either = vec!["file:hashes.A='1'"; 900].join(" OR ");
        let heavy = format!("[({either}) AND file:hashes.B='{}']", "b".repeat(100_000));
        assert_eq!(told(&heavy), Err(Problem::TooLarge));
    }
}
