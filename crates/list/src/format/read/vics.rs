//! Project VIC's JSON, 1.3 and 2.0: `value` holds media, or cases that hold `Media`.

use std::io::BufRead;

use hashward_core::Algorithm;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::format::At;
use crate::format::draft::Draft;
use crate::format::json::hashes::Hashes;
use crate::format::json::scalar::{Scalar, from_item};
use crate::format::json::{Items, Scanner};
use crate::format::out::{Fault, Out, Step};
use crate::{Problem, Statement};

/// The longest name of a data model that is looked at, in bytes.
const CONTEXT_BYTES_MAX: usize = 4096;
/// What the name of a data model of cases holds.
const CASES: &[u8] = b"#Cases";
/// What would be right in place of a case that nobody said was one.
const CASES_TOLD: &str =
    "a medium; a file of cases says so before `value`, in a data model that ends in #Cases";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Medium<'a> {
    #[serde(borrow, default, rename = "MediaID")]
    id: Scalar<'a>,
    #[serde(borrow, default)]
    category: Scalar<'a>,
    #[serde(borrow, default, rename = "MD5", alias = "Md5", alias = "md5")]
    md5: Scalar<'a>,
    #[serde(borrow, default, rename = "SHA1", alias = "Sha1", alias = "sha1")]
    sha1: Scalar<'a>,
    #[serde(borrow, default, rename = "SHA256", alias = "Sha256", alias = "sha256")]
    sha256: Scalar<'a>,
    #[serde(borrow, default)]
    media_size: Scalar<'a>,
    #[serde(borrow, default, rename = "PhotoDNA", alias = "PhotoDna")]
    photodna: Hashes<'a>,
    #[serde(borrow, default)]
    alternative_hashes: Hashes<'a>,
    #[serde(borrow, default)]
    victim_identified: Scalar<'a>,
    #[serde(borrow, default)]
    offender_identified: Scalar<'a>,
    #[serde(borrow, default)]
    is_distributed: Scalar<'a>,
    #[serde(borrow, default)]
    series: Scalar<'a>,
    #[serde(borrow, default)]
    tags: Scalar<'a>,
    /// Only a case has it.
    #[serde(default)]
    media: Option<IgnoredAny>,
    /// What [`write`](crate::format::write()) adds.
    #[serde(borrow, default, rename = "@hashward.item")]
    own: Option<Own<'a>>,
}

/// What the format has no place for.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
struct Own<'a> {
    #[serde(borrow, default)]
    key: Scalar<'a>,
    #[serde(borrow, default)]
    category: Scalar<'a>,
    #[serde(borrow, default)]
    reference: Scalar<'a>,
    #[serde(borrow, default)]
    valid_from: Scalar<'a>,
    #[serde(borrow, default)]
    valid_until: Scalar<'a>,
    #[serde(borrow, default)]
    note: Scalar<'a>,
}

pub(super) fn read(reader: &mut dyn BufRead, out: &mut Out<'_>) -> Step {
    let mut items = Items::new(out);
    Scanner::new(reader).documents(&mut |scanner| {
        let mut cases = false;
        let mut found = false;
        scanner.members(&mut |scanner, key| match key {
            "odata.metadata" | "@odata.context" => {
                let mut context = Vec::new();
                if scanner.value(&mut context, CONTEXT_BYTES_MAX)?.is_ok() {
                    cases = context.windows(CASES.len()).any(|window| window == CASES);
                }
                Ok(())
            }
            "value" => {
                found = true;
                scanner.elements(&mut |scanner| {
                    if cases { read_case(scanner, &mut items) } else { items.item(scanner, &mut read_medium) }
                })
            }
            _ => scanner.skip(),
        })?;
        if found { Ok(()) } else { scanner.malformed(Problem::Syntax("an object with the array `value`")) }
    })
}

/// A case may hold any number of media: they are read one by one.
fn read_case(scanner: &mut Scanner<'_>, items: &mut Items<'_, '_>) -> Step {
    scanner.members(&mut |scanner, key| {
        if key == "Media" && scanner.peek()? == Some(b'[') {
            scanner.elements(&mut |scanner| items.item(scanner, &mut read_medium))
        } else {
            scanner.skip()
        }
    })
}

fn read_medium(item: &[u8], at: At, out: &mut Out<'_>) -> Step {
    out.put(at, from_item(item).and_then(|medium| parse(&medium)))
}

fn parse(medium: &Medium<'_>) -> Result<Statement, Fault> {
    if medium.media.is_some() {
        // A case, in a file that did not say that it holds cases.
        return Err(Fault::of("Media", Problem::Syntax(CASES_TOLD)));
    }
    let mut draft = Draft::of(medium.id.word("MediaID")?);
    draft.digest("MD5", Algorithm::Md5, medium.md5.text("MD5")?.unwrap_or_default())?;
    draft.digest("SHA1", Algorithm::Sha1, medium.sha1.text("SHA1")?.unwrap_or_default())?;
    draft.digest("SHA256", Algorithm::Sha256, medium.sha256.text("SHA256")?.unwrap_or_default())?;
    for (field, hashes) in [("PhotoDNA", &medium.photodna), ("AlternativeHashes", &medium.alternative_hashes)]
    {
        for (name, value) in &hashes.0 {
            // Beside a name only: the field's own name says what a plain value is.
            let name = name.text(field)?.or((field == "PhotoDNA").then_some(field));
            draft.named(field, name.unwrap_or_default(), value.text(field)?.unwrap_or_default())?;
        }
    }
    draft.statement.size_bytes = medium.media_size.whole("MediaSize")?;
    let category = medium.category.whole("Category")?.ok_or(Fault::of("Category", Problem::Missing))?;
    if let Some(own) = &medium.own {
        take_own(&mut draft, own)?;
        return draft.finish();
    }
    // What a number means differs from country to country; only 0 is the same: not illegal, or not looked at.
    if category == 0 {
        return Err(Fault::of(
            "Category",
            Problem::NotListed("category 0 is for what is not illegal, or not yet judged"),
        ));
    }
    let name = format!("own:project-vic-{category}");
    draft.statement.category = Some(name.parse().expect("a number makes an own category"));
    let flags = [
        ("victim identified", "VictimIdentified", &medium.victim_identified),
        ("offender identified", "OffenderIdentified", &medium.offender_identified),
        ("distributed", "IsDistributed", &medium.is_distributed),
    ];
    for (told, field, flag) in flags {
        if flag.flag(field)? == Some(true) {
            draft.note(told);
        }
    }
    draft.note_value("series", medium.series.word("Series")?.as_deref());
    draft.note_value("tags", medium.tags.word("Tags")?.as_deref());
    draft.finish()
}

fn take_own(draft: &mut Draft, own: &Own<'_>) -> Result<(), Fault> {
    const FIELD: &str = "@hashward.item";
    let whole = |text: &Scalar<'_>| text.exact(FIELD);
    draft.statement.key = whole(&own.key)?;
    draft.statement.reference = whole(&own.reference)?;
    draft.statement.note = whole(&own.note)?;
    draft.statement.valid_from = own.valid_from.time(FIELD)?;
    draft.statement.valid_until = own.valid_until.time(FIELD)?;
    let category = own.category.text(FIELD)?.map(str::parse).transpose();
    draft.statement.category = category.map_err(|_| Fault::of(FIELD, Problem::NotA("a category")))?;
    Ok(())
}
