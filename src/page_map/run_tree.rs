//! For each word of a bitmap, the length of the longest free run that begins in it; and over these, the maximum of
//! each four, of each sixteen, and so on up to one.
//!
//! A run counts for the word where it *begins*, however far it reaches. So "the lowest run of `n`" is found by going
//! down from the top, always into the first of four that is large enough, and "there is none" shows at the top. Go's
//! page allocator keeps three figures for each node instead (free at the start, at the end, longest); with one, a
//! change costs one comparison a level, and most changes stop at the first.

/// Children of a node.
const FANOUT: usize = 4;

/// One node: the maxima of its children, or at the bottom the runs of four words.
pub type Node = [u32; FANOUT];

/// More levels than any pool has: 4^14 words of 32 bits are more than a 32-bit page number can name.
const MAX_LEVELS: usize = 14;

/// Nodes that a tree over `words` words needs, all levels together.
pub fn nodes_for(words: usize) -> usize {
    let mut below = words;
    let mut total = 0;
    loop {
        below = below.div_ceil(FANOUT);
        total += below;
        if below <= 1 {
            return total.max(1);
        }
    }
}

/// The longest run of each word, and their maxima.
pub struct RunTree {
    /// Bottom level first.
    nodes: &'static mut [Node],
    /// Where each level begins.
    level: [u32; MAX_LEVELS],
    /// The level of the top node.
    top: usize,
    /// The longest run of all.
    longest: u32,
}

impl RunTree {
    /// A tree over `words` words that hold no run. `nodes` is zero and at least [`nodes_for`]`(words)` long.
    pub fn new(nodes: &'static mut [Node], words: usize) -> Self {
        let mut level = [0; MAX_LEVELS];
        let mut below = words;
        let mut top = 0;
        let mut next = 0u32;
        for (index, start) in level.iter_mut().enumerate() {
            *start = next;
            top = index;
            below = below.div_ceil(FANOUT);
            next += below as u32;
            if below <= 1 {
                break;
            }
        }
        RunTree { nodes, level, top, longest: 0 }
    }

    /// The longest run that begins in `word`.
    #[cfg(test)]
    pub fn longest_in(&self, word: usize) -> u32 {
        self.nodes.get(word / FANOUT).and_then(|node| node.get(word % FANOUT)).map_or(0, |longest| *longest)
    }

    /// The longest run of all.
    pub fn longest(&self) -> u32 {
        self.longest
    }

    /// The first word in which a run of at least `length` begins; `None` if there is no such run. `length` is not zero.
    #[inline(always)]
    pub fn first(&self, length: u32) -> Option<usize> {
        if self.longest < length {
            return None;
        }
        let mut index = 0;
        for start in self.level.get(..=self.top)?.iter().rev() {
            // One of the four is long enough, as the level above says.
            let [a, b, c, _] = *self.nodes.get(*start as usize + index)?;
            let child = match length {
                _ if a >= length => 0,
                _ if b >= length => 1,
                _ if c >= length => 2,
                _ => 3,
            };
            index = index * FANOUT + child;
        }
        Some(index)
    }

    /// The first word from `from` on in which a run of at least `length` begins; `None` if there is none. `length` is not
    /// zero.
    pub fn first_from(&self, length: u32, from: usize) -> Option<usize> {
        let mut index = from;
        // Up, to the first node that has such a run at or to the right of the way here; then down, always to the first.
        for (level, start) in self.level.get(..=self.top)?.iter().enumerate() {
            let node = self.nodes.get(*start as usize + index / FANOUT)?;
            let is_long = |longest: &u32| *longest >= length;
            if let Some(more) = node.iter().skip(index % FANOUT).position(is_long) {
                index += more;
                for start in self.level.get(..level)?.iter().rev() {
                    let node = self.nodes.get(*start as usize + index)?;
                    index = index * FANOUT + node.iter().position(is_long)?;
                }
                return Some(index);
            }
            index = index / FANOUT + 1;
        }
        None
    }

    /// The longest run that begins in `word` is now `length`; zero if none does.
    #[inline(never)]
    pub fn set(&mut self, word: usize, length: u32) {
        let mut index = word;
        let mut value = length;
        let Some(levels) = self.level.get(..=self.top) else {
            return;
        };
        for start in levels {
            let Some(node) = self.nodes.get_mut(*start as usize + index / FANOUT) else {
                return;
            };
            let Some(longest) = node.get_mut(index % FANOUT) else {
                return;
            };
            if *longest == value {
                return;
            }
            *longest = value;
            value = maximum(node);
            index /= FANOUT;
        }
        self.longest = value;
    }
}

#[inline(always)]
fn maximum(node: &Node) -> u32 {
    let [a, b, c, d] = *node;
    a.max(b).max(c.max(d))
}
