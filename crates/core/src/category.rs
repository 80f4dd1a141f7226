use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::UnknownWord;

/// What kind of illegal content a list is about: the common vocabulary, so that statistics can be compared.
///
/// The child-abuse words follow INHOPE (baseline: illegal everywhere) and the industry classification (A1, A2, B1, B2).
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Category(String);

const KNOWN: &[&str] = &[
    "csam-baseline",
    "csam-national",
    "csam-a1",
    "csam-a2",
    "csam-b1",
    "csam-b2",
    "terrorist-content",
    "incitement-to-hatred",
    "intimate-imagery",
    "unspecified",
    "own:<name>",
];

impl Category {
    /// The category's word.
    pub fn word(&self) -> &str {
        if self.0.is_empty() { "unspecified" } else { &self.0 }
    }
}

impl FromStr for Category {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let own = word.strip_prefix("own:").is_some_and(is_own_name);
        if own || KNOWN[..KNOWN.len() - 1].contains(&word) {
            let word = if word == "unspecified" { "" } else { word };
            return Ok(Self(word.to_owned()));
        }
        Err(UnknownWord { what: "category", word: word.to_owned(), known: KNOWN })
    }
}

fn is_own_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl TryFrom<String> for Category {
    type Error = UnknownWord;
    fn try_from(word: String) -> Result<Self, UnknownWord> {
        word.parse()
    }
}

impl From<Category> for String {
    fn from(category: Category) -> Self {
        category.word().to_owned()
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vocabulary() {
        for word in ["csam-baseline", "terrorist-content", "own:leaked-builds", "unspecified"] {
            assert_eq!(word.parse::<Category>().unwrap().to_string(), word);
        }
        assert_eq!(Category::default().to_string(), "unspecified");
        for word in ["", "CSAM", "own:", "own:With Space", "own:<name>"] {
            assert!(word.parse::<Category>().is_err(), "{word:?} is no category");
        }
    }
}
