//! Lives as rows of `journeys`.

use mixline_artifact::{StoreError, Table};
use mixline_attribution::sessionize::{End, Kind, Step, Trip};
use mixline_schema::catalog::Journeys;
use polars::prelude::*;

use crate::orders::{OrderBook, OrderRow};
use crate::sessions::{Life, TouchRow};
use crate::sources::Sources;

/// Rows of `journeys` on their way into a table.
#[derive(Debug, Default)]
pub struct JourneyRows {
    customers: Texts,
    journeys: Vec<i64>,
    positions: Vec<i64>,
    statuses: Texts,
    touches: Vec<i64>,
    at: Vec<Option<i64>>,
    channels: Texts,
    campaigns: Texts,
    kinds: Texts,
    sessions: Vec<Option<i64>>,
    ages: Vec<Option<f64>>,
    weights: Vec<Option<f64>>,
    ended_at: Vec<i64>,
    orders: Texts,
    dates: Vec<Option<i32>>,
    currencies: Texts,
    revenue: Vec<Option<f64>>,
    new_customers: Vec<Option<bool>>,
}

/// Texts end to end: one allocation for many rows.
#[derive(Debug, Default)]
struct Texts {
    text: String,
    ends: Vec<Option<usize>>,
}

impl Texts {
    fn push(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.text.push_str(text);
        }
        self.ends.push(text.map(|_| self.text.len()));
    }

    fn column(&self, name: &str) -> Column {
        let mut start = 0;
        let cells = self.ends.iter().map(|end| {
            end.map(|end| {
                let cell = &self.text[start..end];
                start = end;
                cell
            })
        });
        let mut column: StringChunked = cells.collect();
        column.rename(name.into());
        column.into_column()
    }
}

/// The word for how a journey ended.
#[must_use]
pub fn status(end: End) -> &'static str {
    match end {
        End::Converted(_) => "converted",
        End::Ended => "ended",
        End::Open => "open",
    }
}

impl JourneyRows {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.journeys.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.journeys.is_empty()
    }

    /// Adds the journeys of a customer.
    pub fn add(&mut self, life: &Life<'_>, orders: &OrderBook, sources: &Sources) {
        for (number, trip) in (1..).zip(&life.found.trips) {
            let order = match trip.end {
                End::Converted(place) => Some(orders.row(place)),
                End::Ended | End::Open => None,
            };
            let steps = &life.found.steps[trip.steps.clone()];
            if steps.is_empty() {
                self.row(life.customer, number, 0, trip, order.as_ref());
                self.no_touch();
            }
            for (position, step) in (1..).zip(steps) {
                self.row(life.customer, number, position, trip, order.as_ref());
                self.touch(step, &life.touches[step.row], sources);
            }
        }
    }

    /// What all touches of a journey have in common.
    fn row(
        &mut self,
        customer: &str,
        journey: i64,
        position: i64,
        trip: &Trip,
        order: Option<&OrderRow<'_>>,
    ) {
        self.customers.push(Some(customer));
        self.journeys.push(journey);
        self.positions.push(position);
        self.statuses.push(Some(status(trip.end)));
        self.touches.push(trip.steps.len() as i64);
        self.ended_at.push(trip.ended_at);
        self.orders.push(order.map(|order| order.id));
        self.dates.push(order.map(|order| order.date));
        self.currencies.push(order.map(|order| order.currency));
        self.revenue.push(order.map(|order| order.revenue));
        self.new_customers
            .push(order.and_then(|order| order.new_customer));
    }

    fn touch(&mut self, step: &Step, touch: &TouchRow, sources: &Sources) {
        let (channel, campaign) = sources.name(touch.source);
        self.at.push(Some(touch.at));
        self.channels.push(Some(channel));
        self.campaigns.push(Some(campaign));
        self.kinds.push(Some(match touch.kind {
            Kind::Click => "click",
            Kind::View => "view",
        }));
        self.sessions.push(Some(i64::from(step.session)));
        self.ages.push(Some(step.age_days));
        self.weights.push(Some(step.weight));
    }

    fn no_touch(&mut self) {
        self.at.push(None);
        self.channels.push(None);
        self.campaigns.push(None);
        self.kinds.push(None);
        self.sessions.push(None);
        self.ages.push(None);
        self.weights.push(None);
    }

    /// The rows as a table.
    ///
    /// # Errors
    /// [`StoreError::Contract`] when they break the declaration of `journeys`.
    ///
    /// # Panics
    /// Never: every row pushes to every column.
    pub fn into_table(self) -> Result<Table<Journeys>, StoreError> {
        let frame = self.frame().expect("every row pushes to every column");
        Ok(Table::parse(frame)?)
    }

    fn frame(self) -> PolarsResult<DataFrame> {
        let instants = |name: &str, column: Column| -> PolarsResult<Column> {
            let instants = column.i64()?.clone();
            let instants = instants.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
            Ok(instants.into_column().with_name(name.into()))
        };
        let days = Column::new("date".into(), &self.dates).cast(&DataType::Date)?;
        let columns = vec![
            self.customers.column("customer_key"),
            Column::new("journey".into(), &self.journeys),
            Column::new("position".into(), &self.positions),
            self.statuses.column("status"),
            Column::new("touches".into(), &self.touches),
            instants("occurred_at", Column::new("at".into(), &self.at))?,
            self.channels.column("channel"),
            self.campaigns.column("campaign"),
            self.kinds.column("kind"),
            Column::new("session".into(), &self.sessions),
            Column::new("age_days".into(), &self.ages),
            Column::new("weight".into(), &self.weights),
            instants("ended_at", Column::new("at".into(), &self.ended_at))?,
            self.orders.column("order_id"),
            days,
            self.currencies.column("currency"),
            Column::new("revenue".into(), &self.revenue),
            Column::new("new_customer".into(), &self.new_customers),
        ];
        DataFrame::new_infer_height(columns)
    }
}
