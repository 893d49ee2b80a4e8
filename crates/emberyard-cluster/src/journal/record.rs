//! One change of one object.

use bytes::Bytes;
use emberyard_model::Timestamp;
use std::fmt;
use std::sync::Arc;

/// The store's counter: each change has the next one. What clients see as `resourceVersion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it is stored as: `resource` or `resource.group`, without version (all versions are one object).
    pub resource: Arc<str>,
    /// Empty for objects of the cluster.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl Key {
    /// A key of owned texts.
    pub fn new(resource: &str, namespace: &str, name: &str) -> Self {
        Self { resource: resource.into(), namespace: namespace.into(), name: name.into() }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The object is new or replaced; the record holds its new state.
    Put,
    /// The object is gone; the record holds its last state with this record's revision.
    Delete,
}

/// One change, as the journal holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Revision of this change; records follow each other without gap.
    pub revision: Revision,
    /// When it happened.
    pub time: Timestamp,
    /// What happened.
    pub change: Change,
    /// To which object.
    pub key: Key,
    /// The object as JSON, `metadata.resourceVersion` included.
    pub json: Bytes,
}

impl Record {
    /// Appends the record: revision, time, change, three short texts, the object.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.revision.0.to_le_bytes());
        out.extend_from_slice(&self.time.0.to_le_bytes());
        out.push(match self.change {
            Change::Put => 1,
            Change::Delete => 2,
        });
        for text in [self.key.resource.as_bytes(), self.key.namespace.as_bytes(), self.key.name.as_bytes(), &self.json]
        {
            out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(text);
        }
    }

    /// Reads one record off the front of `input`; `None` if it is not one.
    pub(super) fn read(input: &mut &[u8]) -> Option<Self> {
        let revision = Revision(u64::from_le_bytes(take(input)?));
        let time = Timestamp(i64::from_le_bytes(take(input)?));
        let [change] = take::<1>(input)?;
        let change = match change {
            1 => Change::Put,
            2 => Change::Delete,
            _ => return None,
        };
        let resource = text(input)?;
        let namespace = text(input)?;
        let name = text(input)?;
        let json = Bytes::copy_from_slice(chunk(input)?);
        Some(Self { revision, time, change, key: Key { resource, namespace, name }, json })
    }
}

pub(super) fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = input.split_first_chunk::<N>()?;
    *input = rest;
    Some(*head)
}

fn chunk<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u32::from_le_bytes(take(input)?)).ok()?;
    let (head, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(head)
}

fn text(input: &mut &[u8]) -> Option<Arc<str>> {
    std::str::from_utf8(chunk(input)?).ok().map(Arc::from)
}
