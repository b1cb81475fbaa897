//! Values in numbered places, in chunks: growing copies nothing, and wastes less than one chunk.

use std::ops::{Index, IndexMut};

const CHUNK: usize = 1 << 14;

/// No place.
pub(crate) const NONE: u32 = u32::MAX;

/// The places of a chain that is linked by `next`.
pub(crate) fn walk(first: u32, next: impl Fn(u32) -> u32) -> impl Iterator<Item = u32> {
    let some = |place: u32| Some(place).filter(|&place| place != NONE);
    std::iter::successors(some(first), move |&place| some(next(place)))
}

/// Holds as many values as its owner puts in, at most 2^31: more would take more memory than machines have.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Vec<T>>,
    free: Vec<u32>,
    places: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), places: 0 }
    }
}

impl<T: Default> Slab<T> {
    /// Puts a value in and names its place.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(place) = self.free.pop() {
            self[place] = value;
            return place;
        }
        let place = self.places;
        if (place as usize).is_multiple_of(CHUNK) {
            // A small site must not pay for a whole chunk; the later ones are allocated at once.
            let capacity = if place == 0 { 0 } else { CHUNK };
            self.chunks.push(Vec::with_capacity(capacity));
        }
        self.chunks[place as usize / CHUNK].push(value);
        self.places += 1;
        place
    }

    /// Takes the value out; its place is free for another.
    pub(crate) fn remove(&mut self, place: u32) -> T {
        self.free.push(place);
        std::mem::take(&mut self[place])
    }

    /// How many places there are, the free ones too.
    pub(crate) fn places(&self) -> usize {
        self.places as usize
    }

    /// All places, the free ones too, which hold default values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(self.chunks.iter().flatten())
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    fn index(&self, place: u32) -> &T {
        &self.chunks[place as usize / CHUNK][place as usize % CHUNK]
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, place: u32) -> &mut T {
        &mut self.chunks[place as usize / CHUNK][place as usize % CHUNK]
    }
}
