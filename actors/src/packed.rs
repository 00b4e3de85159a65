//! Changes that lie in a run's content store, taken out again by whoever looks at a run from outside.

use crate::lane::packing::{self, Unpacked};
use baton_record::Oid;
use baton_record::event::Update;
use baton_world::content::{ContentError, ContentStore};
use baton_world::git::Edit;

/// A change as a packet explains it.
#[derive(Clone, Debug, PartialEq)]
pub struct PackedChange {
    /// The commit that it is made on.
    pub base: Oid,
    /// Its files.
    pub edits: Vec<Edit>,
    /// What it does, path by path.
    pub updates: Vec<Update>,
}

/// The change of the packet with this digest; `None`: it explains none, or something of it is gone.
///
/// # Errors
/// The store cannot be read.
pub fn change_of_packet(store: &ContentStore, digest: &str) -> Result<Option<PackedChange>, ContentError> {
    let Some(bytes) = store.get(digest)? else { return Ok(None) };
    let Ok(packet) = baton_packets::read(&bytes) else { return Ok(None) };
    Ok(match packing::unpack(store, &packet)? {
        Unpacked::Change(base, planned) => Some(PackedChange { base, edits: planned.edits, updates: planned.updates }),
        Unpacked::Nothing(_) => None,
    })
}
