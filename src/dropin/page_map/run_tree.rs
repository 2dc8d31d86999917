//! For each word of a bitmap, the length of the longest free run that begins in it; and over these, the maximum of
//! each four, of each sixteen, and so on up to one.
//!
//! A run counts for the word where it *begins*, however far it reaches. So "the lowest run of `n`" is found by going
//! down from the top, always into the first of four that is large enough, and "there is none" shows at the top. Go's
//! page allocator keeps three figures for each node instead (free at the start, at the end, longest); with one, a
//! change costs one comparison a level, and most changes stop at the first.
//!
//! The nodes lie as in a heap: below value `n` of them all is node `n + 1`, if there is one. The values without a node
//! below are those of the words. They lie on one level, or on two: then the first words are on the lower one.
//!
//! The value of a word where no run begins is zero; or, if it is the last that a run fills, `!start` of this one, a
//! negative number (Knuth's boundary tag). Nobody looks at one whose run is gone. To a search it is as zero.

/// Children of a node.
const FANOUT: usize = 4;

/// One node: the maxima of its children, or the runs of four words.
pub type Node = [i32; FANOUT];

/// The form of a tree.
#[derive(Clone, Copy)]
pub struct Shape {
    nodes: usize,
    /// The first value of the lowest level.
    lowest: usize,
}

impl Shape {
    /// That of a tree over `words` words, not zero.
    #[inline(always)]
    pub fn new(words: usize) -> Self {
        // Each node but the first takes the place of a word, and gives four.
        let nodes = (words + 1) / (FANOUT - 1);
        let nodes = if nodes == 0 { 1 } else { nodes };
        let mut lowest = 0;
        while lowest + 1 < nodes {
            lowest = (lowest + 1) * FANOUT;
        }
        Shape { nodes, lowest }
    }

    /// Nodes, all levels together.
    #[inline(always)]
    pub fn nodes(self) -> usize {
        self.nodes
    }
}

/// The longest run of each word, and their maxima.
pub struct RunTree {
    nodes: &'static mut [Node],
    /// The first value of the lowest level.
    lowest: usize,
    /// The longest run of all.
    longest: i32,
}

impl RunTree {
    /// A tree over words that hold no run; its nodes are zero, and as many as the shape says.
    #[inline(always)]
    pub fn new(shape: Shape, nodes: &'static mut [Node]) -> Self {
        RunTree { nodes, lowest: shape.lowest, longest: 0 }
    }

    /// Words that the tree has values for: as many as the bitmap has, or few more.
    #[inline(always)]
    fn words(&self) -> usize {
        self.nodes.len() * (FANOUT - 1) + 1
    }

    /// Which value is that of `word`.
    #[inline(always)]
    fn place(&self, word: usize) -> usize {
        let at = self.lowest + word;
        if at < self.nodes.len() * FANOUT { at } else { at.wrapping_sub(self.words()) }
    }

    /// The word of which `at` is the value.
    #[inline(always)]
    fn word_at(&self, at: usize) -> usize {
        let word = at.wrapping_sub(self.lowest);
        if at < self.lowest { word.wrapping_add(self.words()) } else { word }
    }

    /// The value of `word`. Only for one where no run begins, or has begun, it may be written here, and not more than zero;
    /// else by [`set`](Self::set).
    ///
    /// It may be asked for the word behind the last one: that of the page behind a run that ends with a pool of whole words.
    /// The answer is a value that no word has, or word 0's, and does not matter: [`PageMap::run_end`](super::PageMap) finds
    /// that nothing is free there before it looks at it. It is not written: only words in which a run begins are, or that
    /// one fills.
    #[inline(never)]
    pub fn value(&mut self, word: usize) -> &mut i32 {
        let at = self.place(word);
        if let Some(node) = self.nodes.get_mut(at / FANOUT)
            && let Some(value) = node.get_mut(at % FANOUT)
        {
            return value;
        }
        // No word leads here.
        &mut self.longest
    }

    /// The longest run of all.
    pub fn longest(&self) -> usize {
        self.longest as usize
    }

    /// The first word in which a run of at least `length` begins, and the longest that begins there; `None` if there is no
    /// such run. `length` is not zero.
    #[inline(always)]
    pub fn first(&self, length: usize) -> Option<(usize, i32)> {
        if self.longest() < length {
            return None;
        }
        let (nodes, length) = (&*self.nodes, length as i32);
        let (mut node, mut below) = (nodes.first()?, 0);
        loop {
            // One of the four is long enough, as the level above says: the first that is.
            let [a, b, c, _] = node;
            let third = if *c < length { 3 } else { 2 };
            let second = if *b < length { third } else { 1 };
            let first = if *a < length { second } else { 0 };
            let at = below * FANOUT + first;
            below = at + 1;
            match nodes.get(below) {
                Some(next) => node = next,
                None => return Some((self.word_at(at), *node.get(first)?)),
            }
        }
    }

    /// A word behind `word`, before which, and behind `word`, no run of at least `length` begins; `None` if none begins
    /// behind `word` at all. `length` is not zero.
    ///
    /// Not always the very word in which one begins: to look for that on the way down would take as long again as the way
    /// up. It is the first word below a value that is long enough; whoever finds nothing there and asks again gets to one
    /// that lies lower, and is at the very word after as many steps as the tree has levels.
    #[inline(always)]
    pub fn first_behind(&self, word: usize, length: i32) -> Option<usize> {
        let (nodes, mut at) = (&*self.nodes, self.place(word));
        // Up, to the first node that has such a run to the right of the way here.
        loop {
            let ([_, b, c, d], way) = (nodes.get(at / FANOUT)?, at % FANOUT);
            let right = if way < 1 && *b >= length {
                1
            } else if way < 2 && *c >= length {
                2
            } else if way < 3 && *d >= length {
                3
            } else {
                at = (at / FANOUT).checked_sub(1)?;
                continue;
            };
            at = at - way + right;
            break;
        }
        // Down, to the leftmost word.
        while at + 1 < nodes.len() {
            at = (at + 1) * FANOUT;
        }
        Some(self.word_at(at))
    }

    /// The last word before `word` in which a run begins; `None` if none does.
    #[inline(always)]
    pub fn last_before(&self, word: usize) -> Option<usize> {
        let (nodes, mut at) = (&*self.nodes, self.place(word));
        let last_of = |node: &Node, places: usize| node.iter().take(places).rposition(|longest| *longest > 0);
        // Up, to the first node that has a run to the left of the way here.
        loop {
            if let Some(left) = last_of(nodes.get(at / FANOUT)?, at % FANOUT) {
                at = at - at % FANOUT + left;
                break;
            }
            at = (at / FANOUT).checked_sub(1)?;
        }
        // Down, always into the last that has one.
        while let Some(node) = nodes.get(at + 1) {
            at = (at + 1) * FANOUT + last_of(node, FANOUT)?;
        }
        Some(self.word_at(at))
    }

    /// The longest run that begins in `word` is now `length`; zero if none does.
    #[inline(always)]
    pub fn set(&mut self, word: usize, length: i32) {
        let (mut at, mut value) = (self.place(word), length);
        let nodes = &mut *self.nodes;
        while let Some(node) = nodes.get_mut(at / FANOUT)
            && let Some(longest) = node.get_mut(at % FANOUT)
            && *longest != value
        {
            *longest = value;
            value = maximum(node);
            at /= FANOUT;
            if at == 0 {
                self.longest = value;
                return;
            }
            at -= 1;
        }
    }
}

/// The longest of four. It is negative where all are, but not at the top: the first word is not the last of a run that
/// begins before.
#[inline(always)]
fn maximum(node: &Node) -> i32 {
    let [a, b, c, d] = *node;
    a.max(b).max(c.max(d))
}
