//! Rows of `journeys` as journeys.

use std::ops::Range;

use mixline_artifact::Table;
use mixline_attribution::{Channels, Outcome, Touch};
use mixline_schema::catalog::Journeys;
use polars::prelude::{
    BooleanChunked, DataFrame, DataType, Float64Chunked, Int32Chunked, Int64Chunked, PolarsResult,
    StringChunked,
};

use crate::sessions::number_of;

/// The columns of a piece of `journeys`.
#[derive(Debug)]
pub struct Decoded {
    customers: StringChunked,
    journeys: Int64Chunked,
    positions: Int64Chunked,
    statuses: StringChunked,
    channels: StringChunked,
    campaigns: StringChunked,
    ages: Float64Chunked,
    weights: Float64Chunked,
    orders: StringChunked,
    dates: Int32Chunked,
    currencies: StringChunked,
    revenue: Float64Chunked,
    new_customers: BooleanChunked,
}

/// One journey of a piece.
#[derive(Debug, Clone, PartialEq)]
pub struct JourneyRow<'a> {
    /// The customer's key.
    pub customer: &'a str,
    /// `converted`, `ended` or `open`.
    pub status: &'a str,
    /// Rows of its touches; empty for an order that no touch led to.
    pub touches: Range<usize>,
    /// The order that ended it.
    pub order: Option<crate::OrderRow<'a>>,
}

/// The number that stands for a customer: the same in every run.
#[must_use]
pub fn customer_number(key: &str) -> u64 {
    number_of(key)
}

impl Decoded {
    /// The columns of a table.
    ///
    /// # Panics
    /// Never: a table's columns were checked when it was made.
    #[must_use]
    pub fn new(table: &Table<Journeys>) -> Self {
        Self::of(table.df()).expect("a table's columns were checked when it was made")
    }

    fn of(frame: &DataFrame) -> PolarsResult<Self> {
        let text = |name: &str| PolarsResult::Ok(frame.column(name)?.str()?.rechunk().into_owned());
        let integer =
            |name: &str| PolarsResult::Ok(frame.column(name)?.i64()?.rechunk().into_owned());
        let float =
            |name: &str| PolarsResult::Ok(frame.column(name)?.f64()?.rechunk().into_owned());
        let days = frame.column("date")?.cast(&DataType::Int32)?;
        Ok(Self {
            customers: text("customer_key")?,
            journeys: integer("journey")?,
            positions: integer("position")?,
            statuses: text("status")?,
            channels: text("channel")?,
            campaigns: text("campaign")?,
            ages: float("age_days")?,
            weights: float("weight")?,
            orders: text("order_id")?,
            dates: days.i32()?.rechunk().into_owned(),
            currencies: text("currency")?,
            revenue: float("revenue")?,
            new_customers: frame.column("new_customer")?.bool()?.rechunk().into_owned(),
        })
    }

    /// The journeys, in the order of the rows.
    pub fn journeys(&self) -> impl Iterator<Item = JourneyRow<'_>> {
        let mut row = 0;
        std::iter::from_fn(move || {
            let start = row;
            if start >= self.customers.len() {
                return None;
            }
            let of = |row: usize| (self.journeys.get(row), self.customers.get(row));
            let this = of(start);
            row += 1;
            while row < self.customers.len() && of(row) == this {
                row += 1;
            }
            Some(self.journey(start..row))
        })
    }

    fn journey(&self, rows: Range<usize>) -> JourneyRow<'_> {
        let at = rows.start;
        let untouched = self.positions.get(at) == Some(0);
        let order = self.orders.get(at).map(|id| crate::OrderRow {
            id,
            at: 0,
            date: self.dates.get(at).unwrap_or_default(),
            currency: self.currencies.get(at).unwrap_or_default(),
            revenue: self.revenue.get(at).unwrap_or_default(),
            new_customer: self.new_customers.get(at),
        });
        JourneyRow {
            customer: self.customers.get(at).unwrap_or_default(),
            status: self.statuses.get(at).unwrap_or_default(),
            touches: if untouched { at..at } else { rows },
            order,
        }
    }

    /// The touches of a journey.
    pub fn touches<'a>(
        &'a self,
        rows: Range<usize>,
        channels: &'a mut Channels,
    ) -> impl Iterator<Item = Touch> + 'a {
        rows.map(|row| Touch {
            channel: channels.intern(self.channels.get(row).unwrap_or_default()),
            age_days: self.ages.get(row).unwrap_or_default(),
            weight: self.weights.get(row).unwrap_or_default(),
        })
    }

    /// Channel and campaign of a touch.
    #[must_use]
    pub fn source(&self, row: usize) -> (&str, &str) {
        let (channel, campaign) = (self.channels.get(row), self.campaigns.get(row));
        (channel.unwrap_or_default(), campaign.unwrap_or_default())
    }
}

impl JourneyRow<'_> {
    /// What came of it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let customer = customer_number(self.customer);
        match &self.order {
            Some(order) => Outcome::conversion(order.revenue, customer),
            None => Outcome::null(customer),
        }
    }
}
