//! The network: it delays, drops, repeats and reorders, and parts of it are cut off from others.

use crate::random::Random;

/// How long a message may be under way, in milliseconds. Every exchange of a refresh token fits into a third of the race
/// window with it: beyond, the design promises nothing.
const LONGEST: u64 = 700;

/// What lies between clients, nodes and servers.
#[derive(Debug)]
pub(crate) struct Network {
    /// How many messages of a hundred are lost.
    pub(crate) loss: u64,
    /// Which node cannot reach which server.
    cut: Vec<Vec<u32>>,
    /// Nodes that cannot reach those who say which server is the primary.
    astray: Vec<u32>,
}

impl Network {
    pub(crate) fn new(nodes: usize, servers: usize) -> Self {
        Self { loss: 1, cut: vec![vec![0; servers]; nodes], astray: vec![0; nodes] }
    }

    /// When the copies of a message arrive: usually one, sometimes none or two.
    pub(crate) fn delays(&self, random: &mut Random) -> Vec<u64> {
        if random.chance(self.loss) {
            return Vec::new();
        }
        let copies = if random.chance(2) { 2 } else { 1 };
        (0..copies).map(|_| delay(random)).collect()
    }

    /// Cuts a node off from a server, once more. Cuts overlap, so each is mended by itself.
    pub(crate) fn cut(&mut self, node: usize, server: usize) {
        self.cut[node][server] += 1;
    }

    pub(crate) fn mend(&mut self, node: usize, server: usize) {
        self.cut[node][server] -= 1;
    }

    pub(crate) fn reaches(&self, node: usize, server: usize) -> bool {
        self.cut[node][server] == 0
    }

    /// Whether a node can ask which server is the primary.
    pub(crate) fn is_guided(&self, node: usize) -> bool {
        self.astray[node] == 0
    }

    pub(crate) fn lead_astray(&mut self, node: usize) {
        self.astray[node] += 1;
    }

    pub(crate) fn guide(&mut self, node: usize) {
        self.astray[node] -= 1;
    }
}

fn delay(random: &mut Random) -> u64 {
    match random.below(20) {
        0 => random.below(LONGEST),
        1 | 2 => random.below(200),
        _ => 1 + random.below(15),
    }
}
