//! The task graph: who writes what, who waits for whom, in which order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use petgraph::graphmap::DiGraphMap;

/// Task indexes with an edge from each task to those that wait for it.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    edges: DiGraphMap<usize, ()>,
}

impl Graph {
    /// A graph of `tasks` tasks without edges.
    pub(crate) fn new(tasks: usize) -> Self {
        let mut edges = DiGraphMap::with_capacity(tasks, tasks * 2);
        for task in 0..tasks {
            edges.add_node(task);
        }
        Self { edges }
    }

    /// `later` waits for `earlier`.
    pub(crate) fn add(&mut self, earlier: usize, later: usize) {
        self.edges.add_edge(earlier, later, ());
    }

    /// What a task waits for, in order.
    pub(crate) fn before(&self, task: usize) -> BTreeSet<usize> {
        self.edges
            .neighbors_directed(task, petgraph::Incoming)
            .collect()
    }

    /// An order in which every task comes after those it waits for; ties by index. When there is
    /// none, the tasks of one cycle, the first repeated at the end.
    pub(crate) fn order(&self) -> Result<Vec<usize>, Vec<usize>> {
        let mut waiting: BTreeMap<usize, usize> = self
            .edges
            .nodes()
            .map(|t| (t, self.before(t).len()))
            .collect();
        let mut ready: BinaryHeap<Reverse<usize>> = waiting
            .iter()
            .filter(|(_, n)| **n == 0)
            .map(|(t, _)| Reverse(*t))
            .collect();
        let mut order = Vec::with_capacity(waiting.len());
        while let Some(Reverse(task)) = ready.pop() {
            order.push(task);
            waiting.remove(&task);
            for next in self.edges.neighbors(task) {
                if let Some(count) = waiting.get_mut(&next) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(Reverse(next));
                    }
                }
            }
        }
        if waiting.is_empty() {
            Ok(order)
        } else {
            Err(self.cycle())
        }
    }

    /// One cycle, found among the strongly connected components.
    fn cycle(&self) -> Vec<usize> {
        let components = petgraph::algo::tarjan_scc(&self.edges);
        let looped = |c: &&Vec<usize>| c.len() > 1 || self.edges.contains_edge(c[0], c[0]);
        let Some(members) = components
            .iter()
            .filter(looped)
            .min_by_key(|c| c.iter().min().copied())
        else {
            return Vec::new();
        };
        let members: BTreeSet<usize> = members.iter().copied().collect();
        let mut path = Vec::new();
        let mut at = members.first().copied();
        while let Some(task) = at {
            if let Some(start) = path.iter().position(|t| *t == task) {
                path.drain(..start);
                path.push(task);
                return path;
            }
            path.push(task);
            at = self
                .edges
                .neighbors(task)
                .filter(|t| members.contains(t))
                .min();
        }
        path
    }
}
