//! Who buys: a pool of customers that grows with the shop.

use crate::draw::Draw;

const FIRST: [&str; 16] = [
    "anna", "ben", "clara", "david", "emma", "finn", "greta", "hanna", "ida", "jonas", "karla",
    "leon", "mia", "noah", "paula", "theo",
];
const LAST: [&str; 16] = [
    "schmidt", "weber", "wagner", "becker", "koch", "bauer", "wolf", "klein", "neumann", "braun",
    "krause", "vogt", "keller", "frank", "berger", "winkler",
];
/// Customers who buy without leaving an e-mail address.
const GUESTS: f64 = 0.02;

/// Customers so far, numbered from 0 in the order of their first purchase.
#[derive(Debug, Default)]
pub(crate) struct Customers {
    count: u32,
}

impl Customers {
    /// Who places the next order, and whether it is the first; `None` is a guest.
    pub(crate) fn next(&mut self, repeat_rate: f64, draw: &mut Draw) -> Option<(u32, bool)> {
        if draw.chance(GUESTS) {
            return None;
        }
        if self.count > 0 && draw.chance(repeat_rate) {
            // The product of two uniforms favors recent customers.
            let back = draw.uniform() * draw.uniform();
            let newest = self.count - 1;
            return Some((newest - (back * f64::from(self.count)) as u32, false));
        }
        self.count += 1;
        Some((self.count - 1, true))
    }
}

/// The e-mail address of customer `number`.
#[must_use]
pub fn email(number: u32) -> String {
    let (first, last) = (
        number as usize % FIRST.len(),
        number as usize / FIRST.len() % LAST.len(),
    );
    format!("{}.{}{number}@example.com", FIRST[first], LAST[last])
}
