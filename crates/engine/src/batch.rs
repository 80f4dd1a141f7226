//! What a source hands to the line: records with a position, a payload, and what the provider said about them.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use hashward_core::{Digests, Identity, Unreadable};
use hashward_digest::Path;

/// One run of records that a source reads in order, such as one assignment of one Kafka partition. A source never
/// uses an id twice, so that what belongs to a lost assignment can be told from what belongs to the next one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StreamId(pub u64);

/// Where a record stands: its stream, and its offset in it. Offsets of one stream grow; they may have gaps.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The stream.
    pub stream: StreamId,
    /// The offset in the stream.
    pub offset: i64,
}

/// A header as it came: kept so that a quarantined record keeps its headers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// The header's name.
    pub name: String,
    /// The header's value, if it has one.
    pub value: Option<Vec<u8>>,
}

/// Content that is opened only when its turn comes: a file, or what a reference names.
pub trait Open: Send + Sync {
    /// Opens the content from its first byte.
    fn open(&self) -> Result<Box<dyn Read + Send>, Unreadable>;
}

/// The content of a record.
pub enum Payload {
    /// The bytes, in the batch's arena.
    Bytes(Range<usize>),
    /// The bytes, where the source received them; see [`Batch::lend`].
    Lent(Box<dyn AsRef<[u8]> + Send + Sync>),
    /// Bytes that are read as a stream, of any length.
    Deferred(Box<dyn Open>),
    /// No content: digests that the provider computed.
    Digests(Box<Digests>),
    /// Nothing that can be judged.
    Unreadable(Box<Unreadable>),
}

/// One content with its identity.
pub struct Record {
    /// Where it stands.
    pub position: Position,
    /// Where it came from, as text: `topic/partition`, or the inbox folder.
    pub origin: Arc<str>,
    /// The record's key, in the batch's arena.
    pub key: Option<Range<usize>>,
    /// The value as it came, in the batch's arena, when that is not the content itself.
    pub value: Option<Range<usize>>,
    /// The headers as they came.
    pub headers: Vec<Header>,
    /// Who the provider says this content is; `None` where the record said nothing.
    pub identity: Option<Box<Identity>>,
    /// The content.
    pub payload: Payload,
}

/// Some records, in the order in which each stream has them, and one buffer with their bytes.
#[derive(Default)]
pub struct Batch {
    /// The bytes of keys and inline payloads, one after the other.
    pub arena: Vec<u8>,
    /// The records.
    pub records: Vec<Record>,
    /// How many bytes the batch holds outside its arena.
    outside_bytes: usize,
}

impl Batch {
    /// Empties the batch and keeps its buffers for the next one.
    pub fn clear(&mut self) {
        self.arena.clear();
        self.records.clear();
        self.outside_bytes = 0;
    }

    /// How many bytes the batch holds: its arena, what is lent to it, and what was counted.
    pub fn bytes(&self) -> usize {
        self.arena.len() + self.outside_bytes
    }

    /// Whether the batch is to be closed: it holds `records_max` records or `bytes_max` bytes, or it fills the lanes that
    /// digest contents side by side and would grow too large by filling them once more. A few contents beyond would cost
    /// a whole pass through the lanes.
    pub fn is_full(&self, records_max: usize, bytes_max: usize) -> bool {
        let (records, lanes) = (self.records.len(), Path::chosen().lanes());
        let once_more = || self.bytes().div_ceil(records.max(1)) * lanes;
        records >= records_max
            || self.bytes() >= bytes_max
            || (records.is_multiple_of(lanes) && self.bytes() + once_more() > bytes_max)
    }

    /// Counts bytes that records hold by themselves, such as their headers.
    pub fn count(&mut self, bytes: usize) {
        self.outside_bytes += bytes;
    }

    /// Copies bytes into the arena and says where they are.
    pub fn store(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        start..self.arena.len()
    }

    /// Takes bytes that stay where they are: for content so long that a copy costs more than holding its buffer until
    /// the batch is delivered.
    pub fn lend(&mut self, bytes: Box<dyn AsRef<[u8]> + Send + Sync>) -> Payload {
        self.count((*bytes).as_ref().len());
        Payload::Lent(bytes)
    }

    /// The content of a record of this batch, if it is in memory.
    pub fn content<'a>(&'a self, payload: &'a Payload) -> Option<&'a [u8]> {
        match payload {
            Payload::Bytes(range) => Some(&self.arena[range.clone()]),
            Payload::Lent(bytes) => Some((**bytes).as_ref()),
            Payload::Deferred(_) | Payload::Digests(_) | Payload::Unreadable(_) => None,
        }
    }

    /// The content's identity: what the provider said, completed by where the record stands.
    pub fn identity(&self, record: &Record) -> Identity {
        let mut identity = record.identity.as_deref().cloned().unwrap_or_default();
        if identity.id.is_empty() {
            identity.id = format!("{}/{}", record.origin, record.position.offset);
        }
        if identity.subject.is_none() {
            let key = record.key.clone().map(|key| String::from_utf8_lossy(&self.arena[key]).into_owned());
            identity.subject = key;
        }
        bound_all(&mut identity);
        identity
    }
}

/// The longest attribute of an identity that alerts carry, in bytes.
const ATTRIBUTE_BYTES_MAX: usize = 8 * 1024;

/// Cuts every attribute that is too long for an alert.
pub(crate) fn bound_all(identity: &mut Identity) {
    bound(&mut identity.id);
    let optional = [
        &mut identity.source,
        &mut identity.kind,
        &mut identity.subject,
        &mut identity.content_type,
        &mut identity.traceparent,
        &mut identity.tracestate,
    ];
    optional.into_iter().flatten().for_each(bound);
}

/// Cuts an attribute that is too long for an alert, and puts the hash of the whole behind what is left, so that two that
/// begin alike stay two.
fn bound(attribute: &mut String) {
    if attribute.len() > ATTRIBUTE_BYTES_MAX {
        let hash = blake3::hash(attribute.as_bytes()).to_hex();
        attribute.truncate(attribute.floor_char_boundary(ATTRIBUTE_BYTES_MAX - 80));
        attribute.push_str("…blake3:");
        attribute.push_str(&hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_large_contents_end_where_lanes_are_full() {
        const RECORDS_MAX: usize = 100;
        let lanes = Path::chosen().lanes();
        for content_bytes in [10, 1000, 100_000, 1_000_000] {
            let bytes_max = lanes * 350_000;
            let mut batch = Batch::default();
            while !batch.is_full(RECORDS_MAX, bytes_max) {
                let payload = batch.lend(Box::new(vec![0; content_bytes]));
                let position = Position { stream: StreamId(1), offset: 0 };
                let (origin, headers) = (Arc::from("origin"), Vec::new());
                batch.records.push(Record {
                    position,
                    origin,
                    key: None,
                    value: None,
                    headers,
                    identity: None,
                    payload,
                });
            }
            let expected = match content_bytes {
                100_000 => 3 * lanes,
                // Too large for the lanes to be filled.
                1_000_000 => bytes_max.div_ceil(content_bytes),
                _ => RECORDS_MAX,
            };
            assert_eq!(batch.records.len(), expected, "{content_bytes}");
        }
    }

    #[test]
    fn long_attributes_are_cut_and_stay_apart() {
        let bounded = |text: &str| {
            let mut text = text.to_owned();
            bound(&mut text);
            text
        };
        let fits = "é".repeat(ATTRIBUTE_BYTES_MAX / 2);
        assert_eq!(bounded(&fits), fits);
        let (one, other) = (bounded(&format!("{fits}1")), bounded(&format!("{fits}2")));
        assert!(one != other && one.len() <= ATTRIBUTE_BYTES_MAX, "{}", one.len());
    }
}
