//! One customer's life after the other: touches from a stream, orders from a book.
//!
//! Both are in the order of customers, so they are merged as they come. Touches of anonymous
//! visitors who turned out to be customers are known beforehand ([`Stitching`]), and are handed to
//! their customer when it comes by.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::vec::IntoIter;

use mixline_artifact::{StoreError, Table};
use mixline_attribution::sessionize::{Bought, Kind, Met, Sessionizer};
use mixline_schema::catalog::{Identities, Touchpoints};
use polars::prelude::{DataFrame, DataType, Int64Chunked, PolarsResult, StringChunked};
use rustc_hash::FxHashMap;

use crate::orders::OrderBook;
use crate::sources::Sources;

/// A touch of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TouchRow {
    /// When, in microseconds.
    pub at: i64,
    /// Channel and campaign.
    pub source: u32,
    /// How.
    pub kind: Kind,
}

/// One customer, sessionized. The sessionizer holds the journeys; its steps refer to `touches`,
/// its ends and left-out orders to places of the order book.
#[derive(Debug)]
pub struct Life<'a> {
    /// The customer's key.
    pub customer: &'a str,
    /// Journeys, steps and what was left out.
    pub found: &'a Sessionizer,
    /// The customer's touches.
    pub touches: &'a [TouchRow],
}

/// Touches of anonymous visitors who are known by now.
#[derive(Debug, Default)]
pub struct Stitching {
    customer_of: FxHashMap<String, String>,
    touches: BTreeMap<String, Vec<TouchRow>>,
}

impl Stitching {
    /// Nobody has been recognized.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Goes through all touches and sets those of recognized visitors apart.
    ///
    /// # Errors
    /// What reading the touches came to.
    pub fn new(
        identities: &Table<Identities>,
        touches: impl Iterator<Item = Result<Table<Touchpoints>, StoreError>>,
        sources: &mut Sources,
    ) -> Result<Self, StoreError> {
        let pairs = identities.rows().into_iter();
        let mut this = Self {
            customer_of: pairs
                .map(|row| (row.anonymous_key, row.customer_key))
                .collect(),
            touches: BTreeMap::new(),
        };
        if this.customer_of.is_empty() {
            return Ok(this);
        }
        for batch in touches {
            let batch = Batch::of(&batch?, sources);
            for row in 0..batch.len() {
                if let Some(customer) = this.customer_of.get(batch.customer(row)) {
                    let touches = this.touches.entry(customer.clone()).or_default();
                    touches.push(batch.touch(row));
                }
            }
        }
        Ok(this)
    }

    /// How many touches found their customer.
    #[must_use]
    pub fn touches(&self) -> usize {
        self.touches.values().map(Vec::len).sum()
    }
}

/// The columns of a piece of `touchpoints`.
struct Batch {
    customers: StringChunked,
    at: Int64Chunked,
    sources: Vec<u32>,
    kinds: Vec<Kind>,
}

impl Batch {
    fn of(table: &Table<Touchpoints>, sources: &mut Sources) -> Self {
        Self::columns(table.df(), sources).expect("a table's columns were checked when it was made")
    }

    fn columns(frame: &DataFrame, sources: &mut Sources) -> PolarsResult<Self> {
        let text = |name: &str| PolarsResult::Ok(frame.column(name)?.str()?.rechunk().into_owned());
        let (channels, campaigns) = (text("channel")?, text("campaign")?);
        let mut last = ("", "", 0);
        let mut source = |(channel, campaign): (Option<&'_ str>, Option<&'_ str>)| {
            sources.intern(channel.unwrap_or_default(), campaign.unwrap_or_default())
        };
        let mut ids = Vec::with_capacity(frame.height());
        for (channel, campaign) in channels.iter().zip(campaigns.iter()) {
            let pair = (channel.unwrap_or_default(), campaign.unwrap_or_default());
            if ids.is_empty() || (last.0, last.1) != pair {
                last = (pair.0, pair.1, source((channel, campaign)));
            }
            ids.push(last.2);
        }
        let kind = |kind: Option<&str>| match kind {
            Some("view") => Kind::View,
            _ => Kind::Click,
        };
        let at = frame.column("occurred_at")?.cast(&DataType::Int64)?;
        Ok(Self {
            customers: text("customer_key")?,
            at: at.i64()?.rechunk().into_owned(),
            sources: ids,
            kinds: text("kind")?.iter().map(kind).collect(),
        })
    }

    fn len(&self) -> usize {
        self.sources.len()
    }

    fn customer(&self, row: usize) -> &str {
        self.customers.get(row).unwrap_or_default()
    }

    fn touch(&self, row: usize) -> TouchRow {
        TouchRow {
            at: self.at.get(row).unwrap_or_default(),
            source: self.sources[row],
            kind: self.kinds[row],
        }
    }
}

/// Whether a customer's touch may count at all. What is refused must be remembered by whoever
/// refuses it.
pub type Screen<'a> = dyn FnMut(&str, &TouchRow, &Sources) -> bool + 'a;

/// What is done with each customer.
pub type Visit<'a> = dyn FnMut(&Life<'_>, &OrderBook, &Sources) + 'a;

/// Sessionizes all customers, in the order of their keys.
pub struct Sessions<I> {
    batches: I,
    orders: OrderBook,
    /// Next order, by place.
    next_order: usize,
    stray: Peekable<IntoIter<(String, Vec<TouchRow>)>>,
    customer_of: FxHashMap<String, String>,
    /// Channels and campaigns met so far.
    pub sources: Sources,
    sessionizer: Sessionizer,
    touches: Vec<TouchRow>,
    met: Vec<Met>,
    bought: Vec<Bought>,
}

impl<I> std::fmt::Debug for Sessions<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions")
            .field("orders", &self.orders.len())
            .finish_non_exhaustive()
    }
}

impl<I: Iterator<Item = Result<Table<Touchpoints>, StoreError>>> Sessions<I> {
    /// Over the pieces of `touchpoints`, in key order, and all orders.
    #[must_use]
    pub fn new(
        batches: I,
        orders: OrderBook,
        stitching: Stitching,
        sources: Sources,
        sessionizer: Sessionizer,
    ) -> Self {
        let stray: Vec<_> = stitching.touches.into_iter().collect();
        Self {
            batches,
            orders,
            next_order: 0,
            stray: stray.into_iter().peekable(),
            customer_of: stitching.customer_of,
            sources,
            sessionizer,
            touches: Vec::new(),
            met: Vec::new(),
            bought: Vec::new(),
        }
    }

    /// The orders.
    #[must_use]
    pub fn orders(&self) -> &OrderBook {
        &self.orders
    }

    /// Sessionizes the customers of the next piece and hands each to `visit`; `false` when there
    /// are no more.
    ///
    /// # Errors
    /// What reading the piece came to.
    pub fn advance(
        &mut self,
        screen: &mut Screen<'_>,
        visit: &mut Visit<'_>,
    ) -> Result<bool, StoreError> {
        let Some(batch) = self.batches.next() else {
            let last = self.next_order < self.orders.len() || self.stray.peek().is_some();
            self.others_before(None, screen, visit);
            return Ok(last);
        };
        let batch = Batch::of(&batch?, &mut self.sources);
        let mut row = 0;
        while row < batch.len() {
            let customer = batch.customer(row);
            let end = (row..batch.len())
                .find(|&at| batch.customer(at) != customer)
                .unwrap_or(batch.len());
            if !self.customer_of.contains_key(customer) {
                self.others_before(Some(customer), screen, visit);
                self.touches.clear();
                self.touches.extend((row..end).map(|at| batch.touch(at)));
                self.life(customer, screen, visit);
            }
            row = end;
        }
        Ok(true)
    }

    /// Customers without touches of their own, up to one who has some.
    fn others_before(
        &mut self,
        limit: Option<&str>,
        screen: &mut Screen<'_>,
        visit: &mut Visit<'_>,
    ) {
        loop {
            let ordered = self.orders.customer(self.next_order);
            let stray = self.stray.peek().map(|(customer, _)| customer.as_str());
            let next = match (ordered, stray) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            let Some(next) = next.filter(|next| limit.is_none_or(|limit| *next < limit)) else {
                return;
            };
            let customer = next.to_owned();
            self.touches.clear();
            self.life(&customer, screen, visit);
        }
    }

    /// Sessionizes the customer whose own touches are in `self.touches`.
    fn life(&mut self, customer: &str, screen: &mut Screen<'_>, visit: &mut Visit<'_>) {
        if self
            .stray
            .peek()
            .is_some_and(|(stray, _)| stray == customer)
            && let Some((_, touches)) = self.stray.next()
        {
            self.touches.extend(touches);
        }
        self.touches
            .retain(|touch| screen(customer, touch, &self.sources));
        self.met.clear();
        self.met
            .extend(self.touches.iter().enumerate().map(|(row, touch)| Met {
                at: touch.at,
                source: touch.source,
                kind: touch.kind,
                row,
            }));
        self.take_orders(customer);
        self.sessionizer.customer(&mut self.met, &mut self.bought);
        let life = Life {
            customer,
            found: &self.sessionizer,
            touches: &self.touches,
        };
        visit(&life, &self.orders, &self.sources);
    }

    fn take_orders(&mut self, customer: &str) {
        self.bought.clear();
        while let Some(owner) = self.orders.customer(self.next_order) {
            if owner.cmp(customer) != Ordering::Equal {
                return;
            }
            let order = self.orders.row(self.next_order);
            self.bought.push(Bought {
                at: order.at,
                value: order.revenue,
                id: number_of(normal_id(order.id)),
                row: self.next_order,
            });
            self.next_order += 1;
        }
    }
}

/// An order id without what exports put around it: `#1001` and ` 1001 ` are one order.
fn normal_id(id: &str) -> &str {
    id.trim().trim_start_matches('#')
}

/// A number for a text, the same in every run.
pub(crate) fn number_of(text: &str) -> u64 {
    use std::hash::{Hash as _, Hasher as _};
    let mut hasher = rustc_hash::FxHasher::default();
    text.hash(&mut hasher);
    hasher.finish()
}
