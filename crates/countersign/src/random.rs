//! The edge at which randomness comes in.

use ring::rand::{SecureRandom, SystemRandom};

/// The operating system's cryptographic generator.
#[derive(Debug)]
pub(crate) struct Random(SystemRandom);

impl Default for Random {
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

impl Random {
    /// Fresh random bytes.
    ///
    /// # Panics
    ///
    /// If the operating system has none: nothing secure can go on then.
    #[expect(clippy::expect_used, reason = "no session may be made without randomness")]
    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes).expect("the operating system has random bytes");
        bytes
    }

    /// A number below `bound`, evenly enough for jitter.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { u64::from_le_bytes(self.bytes()) % bound }
    }
}
