//! How many nodes and levels a tree over the words of a bitmap has.

/// Children of a node.
pub(super) const FANOUT: usize = 4;

/// The form of a tree.
#[derive(Clone, Copy)]
pub struct TreeShape {
    nodes: usize,
    pub(super) levels: usize,
    /// The place of the first value on the lowest level.
    pub(super) bottom: usize,
}

impl TreeShape {
    /// Returns the shape of a tree over `words` words. `words` is not zero.
    pub fn new(words: usize) -> Self {
        // Each node except the root takes the place of one word and holds four.
        let nodes = ((words + 1) / (FANOUT - 1)).max(1);
        let (mut bottom, mut levels) = (0, 1);
        while bottom + 1 < nodes {
            bottom = (bottom + 1) * FANOUT;
            levels += 1;
        }
        TreeShape { nodes, levels, bottom }
    }

    /// Returns the number of nodes on all levels together.
    pub fn nodes(self) -> usize {
        self.nodes
    }
}
