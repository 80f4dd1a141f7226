//! `POST /v1/digests`: contents of which only the digests are known, up to 10,000 in one call.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::response::{IntoResponse, Response};
use hashward_engine::core::{Algorithm, Digest, Digests, Identity};
use http_body_util::BodyExt as _;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use tokio::sync::OwnedSemaphorePermit;

use super::answer::{ContentAnswer, DigestsAnswer, PlacedAnswer};
use super::content::broken;
use super::pace::Paced;
use super::problem::{Problem, Reason};
use super::{State, identity};
use crate::door::Fail;
use crate::who::UnderWay;

/// The most contents of one call.
pub(super) const CONTENTS_MAX: usize = 10_000;
/// What the body must be.
const JSON: &str = "application/json";
/// The longest body, in bytes: room for every digest of 10,000 contents, and for their names.
const BODY_BYTES_MAX: usize = 8 << 20;

/// A batch as it is asked about.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it says what the body looks like; it is read without being built")]
pub(super) struct DigestsAsked {
    /// The contents, at most 10,000.
    #[schemars(length(max = 10_000))]
    contents: Vec<ContentAsked>,
}

/// A content of which only the digests are known.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it says what the body looks like; it is read without being built")]
pub(super) struct ContentAsked {
    /// What names the content and no other; without it, it gets a name of its own.
    id: Option<String>,
    /// The object's name or URL.
    subject: Option<String>,
    /// Its digests in hexadecimal digits, by algorithm: `md5`, `sha1`, `sha256`, `sha512`, `blake3` or `xxh3`.
    digests: std::collections::BTreeMap<String, String>,
}

pub(super) async fn answer(
    state: &State,
    turn: &UnderWay,
    of_call: Identity,
    body: &mut Paced,
) -> Result<Response, Problem> {
    let content_type = of_call.content_type.as_deref().unwrap_or(JSON);
    if content_type.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case(JSON)) {
        return Err(Problem::new(Reason::WrongType, format_args!("expected {JSON}")));
    }
    let (body, _held) = whole(state, body).await?;
    let body = Arc::new(body);
    let asked = Instant::now();
    let batch = Arc::clone(&body);
    let answered = state.desk.batch(move |desk, reply| {
        let Asked { digests, named } = parse(&batch)?;
        let name = |place: usize| {
            let (id, subject) = &named[place];
            Identity {
                id: id.as_deref().map_or_else(identity::of_its_own, str::to_owned),
                subject: subject.as_deref().map(str::to_owned),
                content_type: None,
                ..of_call.clone()
            }
        };
        desk.digests(digests, name, reply);
        Ok::<(), Problem>(())
    });
    let answered = answered.await;
    let fail = state.door.fail();
    match answered {
        Ok(answer) => {
            state.door.answered_batch(&answer, asked.elapsed());
            turn.matched(answer.notable.iter().map(|(_, answer)| answer.verdict.matches.len()).sum());
            Ok(Json(DigestsAnswer::new(answer, fail)).into_response())
        }
        Err(problem) if fail == Fail::Open && problem.reason != Reason::BadRequest => {
            state.door.refused(problem.reason.word());
            unjudged(&body, &problem).map(|answer| Json(answer).into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// What a door that fails open says of a batch without verdicts.
fn unjudged(body: &[u8], problem: &Problem) -> Result<DigestsAnswer, Problem> {
    let Asked { digests, named } = parse(body)?;
    let answers = named.into_iter().enumerate().map(|(place, (id, _))| {
        let id = id.map_or_else(identity::of_its_own, Cow::into_owned);
        PlacedAnswer { place, answer: ContentAnswer::unjudged(id, problem) }
    });
    Ok(DigestsAnswer { generation: 0, contents: digests.len(), answers: answers.collect() })
}

/// The whole body, and the room that it takes.
async fn whole(state: &State, body: &mut Paced) -> Result<(Vec<u8>, Vec<OwnedSemaphorePermit>), Problem> {
    let too_large =
        || Problem::new(Reason::TooLarge, format_args!("the body: at most {BODY_BYTES_MAX} bytes"));
    let expected = usize::try_from(hyper::body::Body::size_hint(body).lower()).unwrap_or(usize::MAX);
    if expected > BODY_BYTES_MAX {
        return Err(too_large());
    }
    let (mut bytes, mut held) = (Vec::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(more) = frame.map_err(broken)?.into_data() else { continue };
        if bytes.len() + more.len() > BODY_BYTES_MAX {
            return Err(too_large());
        }
        let permits = u32::try_from(more.len()).expect("a body is not that long");
        let room = Arc::clone(&state.bodies).try_acquire_many_owned(permits);
        held.push(room.map_err(|_| Problem::new(Reason::Full, "too many bodies are held at a time"))?);
        bytes.extend_from_slice(&more);
    }
    Ok((bytes, held))
}

/// A batch that was read.
struct Asked<'a> {
    digests: Vec<Digests>,
    named: Vec<Named<'a>>,
}

/// Id and subject.
type Named<'a> = (Option<Cow<'a, str>>, Option<Cow<'a, str>>);

fn parse(body: &[u8]) -> Result<Asked<'_>, Problem> {
    let Body(asked) =
        serde_json::from_slice(body).map_err(|error| Problem::new(Reason::BadRequest, error))?;
    Ok(asked)
}

/// Reads a batch straight into digests: nothing is allocated for any one of them.
struct Body<'a>(Asked<'a>);

impl<'de> Deserialize<'de> for Body<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"an object such as {"contents": [{"id": "a", "digests": {"sha256": "…"}}]}"#)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body<'de>, A::Error> {
        let mut contents = None;
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "contents" if contents.is_none() => contents = Some(map.next_value::<Contents<'de>>()?.0),
                "contents" => return Err(A::Error::duplicate_field("contents")),
                other => return Err(A::Error::unknown_field(other, &["contents"])),
            }
        }
        contents.map(Body).ok_or_else(|| A::Error::missing_field("contents"))
    }
}

struct Contents<'a>(Asked<'a>);

impl<'de> Deserialize<'de> for Contents<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(ContentsVisitor)
    }
}

struct ContentsVisitor;

impl<'de> Visitor<'de> for ContentsVisitor {
    type Value = Contents<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {CONTENTS_MAX} contents")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Contents<'de>, A::Error> {
        let mut asked = Asked { digests: Vec::new(), named: Vec::new() };
        while let Some(Content { digests, named }) = list.next_element()? {
            if asked.digests.len() == CONTENTS_MAX {
                return Err(A::Error::invalid_length(CONTENTS_MAX + 1, &self));
            }
            asked.digests.push(digests);
            asked.named.push(named);
        }
        Ok(Contents(asked))
    }
}

struct Content<'a> {
    digests: Digests,
    named: Named<'a>,
}

impl<'de> Deserialize<'de> for Content<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the digests of a content")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content<'de>, A::Error> {
        let (mut digests, mut id, mut subject) = (None, None, None);
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "digests" => digests = Some(map.next_value::<Stated>()?.0),
                "id" => id = map.next_value::<Option<Text<'de>>>()?.map(|Text(text)| text),
                "subject" => subject = map.next_value::<Option<Text<'de>>>()?.map(|Text(text)| text),
                other => return Err(A::Error::unknown_field(other, &["id", "subject", "digests"])),
            }
        }
        let digests = digests.ok_or_else(|| A::Error::missing_field("digests"))?;
        Ok(Content { digests, named: (id.filter(|id| !id.is_empty()), subject) })
    }
}

/// The digests of one content.
struct Stated(Digests);

impl<'de> Deserialize<'de> for Stated {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(StatedVisitor)
    }
}

struct StatedVisitor;

impl<'de> Visitor<'de> for StatedVisitor {
    type Value = Stated;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("digests by algorithm")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Stated, A::Error> {
        let mut digests = Digests::default();
        while let Some(Text(word)) = map.next_key()? {
            let Ok(algorithm) = word.parse::<Algorithm>() else {
                // A digest that no list can hold: others may.
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let Text(hex) = map.next_value()?;
            digests.insert(&Digest::from_hex(algorithm, &hex).map_err(A::Error::custom)?);
        }
        Ok(Stated(digests))
    }
}

/// Text, where it stands if it stands there as it is.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

/// Reads any bytes as a batch, for tests and fuzzing: how many contents, or why it is none.
pub fn parse_digests(body: &[u8]) -> Result<usize, String> {
    let counted = parse(body).map(|asked| asked.digests.len());
    counted.map_err(|problem| problem.detail)
}
