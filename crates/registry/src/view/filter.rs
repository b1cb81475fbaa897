//! A filter in front of a map: says at the price of one read that an id is certainly not in it.
//!
//! Each id sets five bits of one 64-bit word, both taken from the id itself, which is random (and ours: the token
//! that named it was verified). It is rebuilt in place when it fills up; meanwhile it answers "perhaps", and the
//! map decides. So no reader ever misses an id, and none waits.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, OnceLock};

use super::table::Key;

/// A filter of at most 2^25 words (256 MB), with 13 to 26 bits an id where it is rebuilt in time;
/// with fewer it says "perhaps" more often.
#[derive(Debug)]
pub(super) struct Filter {
    /// The words, in chunks that double in size and are kept once made.
    chunks: [OnceLock<Box<[AtomicU64]>>; CHUNKS],
    /// The layout: [`BUSY`], a count of rebuilds, and the number of words as a power of two.
    layout: AtomicU64,
    /// How many ids were set since the last rebuild.
    marked: AtomicUsize,
    rebuilding: Mutex<()>,
}

/// The filter has taken so many ids that it hardly tells them apart, and is to be rebuilt at once.
#[derive(Debug)]
pub(super) struct Crowded;

const CHUNKS: usize = (MAX_LOG - MIN_LOG + 1) as usize;
const MIN_LOG: u32 = 10;
const MAX_LOG: u32 = 25;
const BITS_AN_ID: usize = 13;

const BUSY: u64 = 1 << 63;
const LOG: u64 = 0x3f;
const NEXT: u64 = LOG + 1;

impl Filter {
    pub(super) fn new() -> Self {
        let filter = Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
            layout: AtomicU64::new(u64::from(MIN_LOG)),
            marked: AtomicUsize::new(0),
            rebuilding: Mutex::new(()),
        };
        filter.allocate(MIN_LOG);
        filter
    }

    /// Whether the id may have been inserted. `false` is certain.
    #[inline]
    pub(super) fn may_hold(&self, id: Key) -> bool {
        let layout = self.layout.load(Ordering::Acquire);
        if layout & BUSY != 0 {
            return true;
        }
        let (place, bits) = split(id);
        let Some(word) = self.word(place, layout) else { return true };
        let word = word.load(Ordering::Relaxed);
        // A word that a rebuild has cleared was read after the layout changed, and the fence makes us see that.
        fence(Ordering::Acquire);
        word & bits == bits || self.layout.load(Ordering::Relaxed) != layout
    }

    /// Inserts an id, which must be in the map already.
    pub(super) fn insert(&self, id: Key) -> Result<(), Crowded> {
        let layout = self.layout.load(Ordering::SeqCst);
        self.set(id, layout);
        let marked = self.marked.fetch_add(1, Ordering::Relaxed) + 1;
        if marked / 4 > capacity(layout) && layout & BUSY == 0 { Err(Crowded) } else { Ok(()) }
    }

    /// Whether it has taken as many ids as it tells apart well, and is to be rebuilt at leisure.
    pub(super) fn crowded(&self) -> bool {
        self.marked.load(Ordering::Relaxed) > capacity(self.layout.load(Ordering::SeqCst))
    }

    /// Inserts an id that someone else has inserted or is about to.
    pub(super) fn repeat(&self, id: Key) {
        self.set(id, self.layout.load(Ordering::SeqCst));
    }

    /// Starts again with the ids that `each` names, in a size that suits `len` of them. An id that is inserted
    /// while this runs is either named by `each` or set after its word was cleared, since the map comes first.
    pub(super) fn rebuild(&self, len: usize, each: impl FnOnce(&mut dyn FnMut(Key))) {
        let Ok(_alone) = self.rebuilding.try_lock() else { return };
        let before = self.layout.load(Ordering::SeqCst);
        let log = log_for(len);
        let layout = (((before & !LOG) + NEXT) & !BUSY) | u64::from(log);
        self.layout.store(layout | BUSY, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.allocate(log);
        self.clear(log);
        let mut marked = 0;
        self.marked.store(0, Ordering::Relaxed);
        each(&mut |id| {
            self.set(id, layout);
            marked += 1;
        });
        self.marked.fetch_add(marked, Ordering::Relaxed);
        self.layout.store(layout, Ordering::SeqCst);
    }

    fn set(&self, id: Key, layout: u64) {
        let (place, bits) = split(id);
        if let Some(word) = self.word(place, layout) {
            word.fetch_or(bits, Ordering::SeqCst);
        }
    }

    /// The word of a place: chunk 0 holds the first 2^10, each further one as many as all before it.
    #[inline]
    fn word(&self, place: u64, layout: u64) -> Option<&AtomicU64> {
        let index = place & ((1 << (layout & LOG)) - 1);
        let log = (index | ((1 << MIN_LOG) - 1)).ilog2() + 1;
        let chunk = log.saturating_sub(MIN_LOG);
        let offset = if chunk == 0 { index } else { index - (1 << (log - 1)) };
        self.chunks.get(chunk as usize)?.get()?.get(offset as usize)
    }

    fn allocate(&self, log: u32) {
        for (chunk, log) in self.chunks.iter().zip(MIN_LOG..=log) {
            let words = 1_usize << if log == MIN_LOG { MIN_LOG } else { log - 1 };
            chunk.get_or_init(|| (0..words).map(|_| AtomicU64::new(0)).collect());
        }
    }

    fn clear(&self, log: u32) {
        for chunk in self.chunks.iter().take((log - MIN_LOG + 1) as usize).filter_map(OnceLock::get) {
            for word in chunk {
                word.store(0, Ordering::Relaxed);
            }
        }
    }
}

/// How many ids a layout tells apart well.
fn capacity(layout: u64) -> usize {
    if layout & LOG >= u64::from(MAX_LOG) { usize::MAX } else { (64 << (layout & LOG)) / BITS_AN_ID }
}

/// The size that leaves room for as many ids again.
fn log_for(len: usize) -> u32 {
    (MIN_LOG..MAX_LOG).find(|log| capacity(u64::from(*log)) / 2 > len).unwrap_or(MAX_LOG)
}

/// Where an id's word is, and which bits of it are the id's.
#[inline]
fn split([low, high, random]: Key) -> (u64, u64) {
    let place = u64::from(low) | (u64::from(high) << 32);
    let bits = (0..5).fold(0, |bits, nth| bits | (1 << ((random >> (6 * nth)) & 63)));
    (place, bits)
}
