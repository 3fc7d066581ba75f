//! Work on several things side by side.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The results of `work` on each item, in the order of the items, on as many threads as there are
/// cores. One item needs no thread.
pub(crate) fn map<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if cores == 1 || items.len() < 2 {
        return items.into_iter().map(work).collect();
    }
    let items: Vec<Mutex<Option<T>>> = items
        .into_iter()
        .map(|item| Mutex::new(Some(item)))
        .collect();
    let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(place) else { break };
                    let item = item.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let result = item.map(&work);
                    *results[place]
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner) = result;
                }
            });
        }
    });
    let taken = results
        .into_iter()
        .map(|r| r.into_inner().unwrap_or_else(PoisonError::into_inner));
    taken
        .map(|result| result.expect("every item was worked on"))
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_keep_the_order_of_the_items() {
        let doubled = super::map((0..1000).collect(), |item: i32| 2 * item);
        assert_eq!(doubled, (0..1000).map(|item| 2 * item).collect::<Vec<_>>());
    }
}
