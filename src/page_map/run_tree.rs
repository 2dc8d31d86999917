//! For each word of a bitmap, the length of the longest free run that begins in it; and over these, the maximum of
//! each four, of each sixteen, and so on up to one.
//!
//! A run counts for the word where it *begins*, however far it reaches. So "the lowest run of `n`" is found by going
//! down from the top, always into the first of four that is large enough, and "there is none" shows at the top. Go's
//! page allocator keeps three figures for each node instead (free at the start, at the end, longest); with one, a
//! change costs one comparison a level, and most changes stop at the first.

/// Children of a node.
const FANOUT: usize = 1 << STEP;
/// Base-two logarithm of [`FANOUT`]: from one level to the next.
const STEP: u32 = 2;
/// The bottom level, as a shift: its nodes stand for four words.
const BOTTOM: u32 = STEP;

/// One node: the maxima of its children, or at the bottom the runs of four words.
pub type Node = [u32; FANOUT];

/// The nodes of the level whose nodes stand for `1 << shift` words each, up to word `last`.
#[inline(always)]
fn nodes_on(last: usize, shift: u32) -> usize {
    (last >> shift) + 1
}

/// The levels of a tree.
#[derive(Clone, Copy)]
pub struct Shape {
    /// The last word.
    last: usize,
    /// The top level, as a shift.
    top: u32,
    /// Nodes before the bottom level's.
    bottom: usize,
}

impl Shape {
    /// That of a tree over `words` words, not zero.
    #[inline(always)]
    pub fn new(words: usize) -> Self {
        let last = words - 1;
        let (mut top, mut bottom) = (BOTTOM, 0);
        while last >> top != 0 {
            top += STEP;
            bottom += nodes_on(last, top);
        }
        Shape { last, top, bottom }
    }

    /// Nodes, all levels together.
    #[inline(always)]
    pub fn nodes(self) -> usize {
        self.bottom + nodes_on(self.last, BOTTOM)
    }
}

/// The longest run of each word, and their maxima.
pub struct RunTree {
    /// Level by level, the top one first.
    nodes: &'static mut [Node],
    /// The last word.
    last: usize,
    /// The top level: its node stands for `1 << top` words.
    top: u32,
    /// Where the bottom level begins.
    bottom: usize,
    /// The longest run of all.
    longest: u32,
}

impl RunTree {
    /// A tree over words that hold no run; its nodes are zero, and as many as the shape says.
    #[inline(always)]
    pub fn new(shape: Shape, nodes: &'static mut [Node]) -> Self {
        let Shape { last, top, bottom } = shape;
        RunTree { nodes, last, top, bottom, longest: 0 }
    }

    /// The longest run that begins in `word`.
    #[cfg(test)]
    pub fn longest_in(&self, word: usize) -> u32 {
        self.nodes
            .get(self.bottom + word / FANOUT)
            .and_then(|node| node.get(word % FANOUT))
            .map_or(0, |longest| *longest)
    }

    /// The longest run of all.
    pub fn longest(&self) -> usize {
        self.longest as usize
    }

    /// The first word in which a run of at least `length` begins; `None` if there is no such run. `length` is not zero.
    #[inline(always)]
    pub fn first(&self, length: usize) -> Option<usize> {
        if self.longest() < length {
            return None;
        }
        let length = length as u32;
        let (mut level, mut index, mut shift) = (0, 0, self.top);
        while let Some([a, b, c, _]) = self.nodes.get(level + index) {
            // One of the four is long enough, as the level above says: the first that is.
            let third = if *c < length { 3 } else { 2 };
            let second = if *b < length { third } else { 1 };
            let first = if *a < length { second } else { 0 };
            index = index * FANOUT + first;
            if shift == BOTTOM {
                return Some(index);
            }
            level += nodes_on(self.last, shift);
            shift -= STEP;
        }
        None
    }

    /// The first word from `from` on in which a run of at least `length` begins; `None` if there is none. `length` is not
    /// zero.
    pub fn first_from(&self, length: u32, from: usize) -> Option<usize> {
        let is_long = |longest: &u32| *longest >= length;
        let (mut level, mut index, mut shift) = (self.bottom, from, BOTTOM);
        // Up, to the first node that has such a run at or to the right of the way here; then down, always to the first.
        loop {
            let node = self.nodes.get(level + index / FANOUT)?;
            if index / FANOUT >= nodes_on(self.last, shift) {
                return None;
            }
            if let Some(more) = node.iter().skip(index % FANOUT).position(is_long) {
                index += more;
                while shift != BOTTOM {
                    level += nodes_on(self.last, shift);
                    shift -= STEP;
                    index = index * FANOUT + self.nodes.get(level + index)?.iter().position(is_long)?;
                }
                return Some(index);
            }
            shift += STEP;
            level = level.checked_sub(nodes_on(self.last, shift))?;
            index = index / FANOUT + 1;
        }
    }

    /// The longest run that begins in `word` is now `length`; zero if none does.
    #[inline(always)]
    pub fn set(&mut self, word: usize, length: u32) {
        let (mut level, mut index, mut value, mut above) = (self.bottom, word, length, self.last >> BOTTOM);
        while let Some(node) = self.nodes.get_mut(level + index / FANOUT)
            && let Some(longest) = node.get_mut(index % FANOUT)
            && *longest != value
        {
            *longest = value;
            value = maximum(node);
            if level == 0 {
                self.longest = value;
                return;
            }
            index /= FANOUT;
            above >>= STEP;
            level -= above + 1;
        }
    }
}

#[inline(always)]
fn maximum(node: &Node) -> u32 {
    let [a, b, c, d] = *node;
    a.max(b).max(c.max(d))
}
