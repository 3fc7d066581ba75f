//! From a state and a channel to the next state, as quickly as one look into memory.

use rustc_hash::FxHashMap;

/// A step: its number, and the state it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Successor {
    pub(super) edge: u32,
    pub(super) state: u32,
}

/// Nothing there yet.
const NONE: Successor = Successor {
    edge: u32::MAX,
    state: 0,
};

/// Channels of lower numbers have a place of their own in every state's row; those beyond, which
/// few worlds have, are looked up by hash.
const WIDEST: usize = 64;

/// The steps from every state.
#[derive(Debug, Clone)]
pub(super) struct Successors {
    /// Places of a row: a power of two.
    width: usize,
    rows: Vec<Successor>,
    beyond: FxHashMap<(u32, u32), Successor>,
}

impl Successors {
    /// No steps yet.
    pub(super) fn new() -> Self {
        Self {
            width: 1,
            rows: Vec::new(),
            beyond: FxHashMap::default(),
        }
    }

    /// The step from a state onto a channel.
    pub(super) fn get(&self, state: u32, channel: u32) -> Option<Successor> {
        if (channel as usize) >= self.width {
            return self.beyond.get(&(state, channel)).copied();
        }
        let found = self
            .rows
            .get(state as usize * self.width + channel as usize);
        found.copied().filter(|found| *found != NONE)
    }

    /// Adds a step.
    pub(super) fn insert(&mut self, state: u32, channel: u32, successor: Successor) {
        let (at, channel_at) = (state as usize, channel as usize);
        if channel_at >= WIDEST {
            self.beyond.insert((state, channel), successor);
            return;
        }
        if channel_at >= self.width {
            self.widen((channel_at + 1).next_power_of_two());
        }
        let needed = (at + 1) * self.width;
        if self.rows.len() < needed {
            self.rows.resize(needed, NONE);
        }
        self.rows[at * self.width + channel_at] = successor;
    }

    fn widen(&mut self, width: usize) {
        let mut rows = Vec::with_capacity(self.rows.len() / self.width * width);
        for row in self.rows.chunks(self.width) {
            rows.extend_from_slice(row);
            rows.resize(rows.len() + width - row.len(), NONE);
        }
        self.rows = rows;
        self.width = width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_found_again_as_rows_widen_and_beyond_them() {
        let mut successors = Successors::new();
        let all: Vec<(u32, u32)> = (0..40)
            .flat_map(|state| [0, 1, 5, 63, 64, 900].map(|channel| (state, channel)))
            .collect();
        for (number, &(state, channel)) in (0..).zip(&all) {
            assert_eq!(successors.get(state, channel), None);
            let successor = Successor {
                edge: number,
                state: number + 1,
            };
            successors.insert(state, channel, successor);
        }
        for (number, &(state, channel)) in (0..).zip(&all) {
            assert_eq!(
                successors.get(state, channel).map(|found| found.edge),
                Some(number)
            );
        }
        assert_eq!(successors.get(3, 7), None);
        assert_eq!(successors.get(9_999, 0), None);
    }
}
