//! The words of a pattern (STIX 2.1, part 9).

use crate::Problem;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Token {
    /// One of `[ ] ( ) = : . ,`
    Sign(char),
    /// Letters, digits, `-` and `_`: a keyword, a part of a path, a number.
    Word(String),
    /// Text in quotes.
    Text(String),
}

/// The words of a pattern, in order.
pub(super) fn tokens(pattern: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '[' | ']' | '(' | ')' | '=' | ':' | '.' | ',' => tokens.push(Token::Sign(c)),
            '\'' => tokens.push(Token::Text(quoted(&mut chars)?)),
            c if is_word(c) => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| is_word(*c)) {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
            _ => return Err(Problem::Pattern("has a sign that asks for more than digests")),
        }
    }
    Ok(tokens)
}

/// The text up to the closing quote; a backslash makes the next character plain.
fn quoted(chars: &mut impl Iterator<Item = char>) -> Result<String, Problem> {
    const CUT: Problem = Problem::Pattern("breaks off");
    let mut text = String::new();
    loop {
        match chars.next().ok_or(CUT)? {
            '\'' => return Ok(text),
            '\\' => text.push(chars.next().ok_or(CUT)?),
            c => text.push(c),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}
