//! A short text without an allocation, and texts that many sessions share.

use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::HashMap;

use super::slab::{NONE, Slab};

const INLINE: usize = 22;

/// A text in 24 bytes; one of up to 22 bytes needs no more.
#[derive(Debug)]
pub(crate) enum Text {
    Inline(u8, [u8; INLINE]),
    Heap(Box<str>),
}

impl Default for Text {
    fn default() -> Self {
        Self::Inline(0, [0; INLINE])
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        match bytes.get_mut(..text.len()) {
            Some(start) => {
                start.copy_from_slice(text.as_bytes());
                Self::Inline(text.len() as u8, bytes)
            }
            None => Self::Heap(text.into()),
        }
    }
}

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            // The bytes came from a text of that length, so they are one.
            Self::Inline(len, bytes) => std::str::from_utf8(&bytes[..usize::from(*len)]).unwrap_or_default(),
            Self::Heap(text) => text,
        }
    }
}

/// How a session presents itself: the methods of its login and its device.
pub(crate) type Face = (Arc<str>, Option<Arc<str>>);

/// Faces, each kept once while a session shows it, so at most as many as there are sessions.
#[derive(Debug, Default)]
pub(crate) struct Faces {
    faces: Slab<Option<(Face, u32)>>,
    places: HashMap<Face, u32, RandomState>,
}

impl Faces {
    pub(crate) fn share(&mut self, face: Face) -> u32 {
        if let Some(&place) = self.places.get(&face) {
            if let Some((_, uses)) = &mut self.faces[place] {
                *uses += 1;
            }
            return place;
        }
        let place = self.faces.insert(Some((face.clone(), 1)));
        self.places.insert(face, place);
        place
    }

    pub(crate) fn drop(&mut self, place: u32) {
        let Some((face, uses)) = &mut self.faces[place] else { return };
        *uses -= 1;
        if *uses == 0 {
            self.places.remove(face);
            self.faces.remove(place);
        }
    }

    pub(crate) fn get(&self, place: u32) -> Face {
        match place {
            NONE => Face::default(),
            place => self.faces[place].as_ref().map(|(face, _)| face.clone()).unwrap_or_default(),
        }
    }
}
