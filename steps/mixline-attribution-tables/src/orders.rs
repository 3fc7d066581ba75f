//! Orders by customer, as columns.

use mixline_artifact::Table;
use mixline_schema::catalog::Orders;
use polars::prelude::{
    BooleanChunked, DataFrame, DataType, Float64Chunked, Int32Chunked, Int64Chunked, PolarsResult,
    StringChunked,
};

/// All orders, in the order of their customers.
///
/// An order of an unknown customer stands under `~` and its own id: a customer of one order, after
/// all others.
#[derive(Debug)]
pub struct OrderBook {
    ids: StringChunked,
    customers: StringChunked,
    at: Int64Chunked,
    dates: Int32Chunked,
    currencies: StringChunked,
    revenue: Float64Chunked,
    new_customers: BooleanChunked,
    /// Rows in the order of customer and time.
    sorted: Vec<u32>,
}

/// One order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderRow<'a> {
    /// Its id.
    pub id: &'a str,
    /// When, in microseconds.
    pub at: i64,
    /// Business day, in days since 1970.
    pub date: i32,
    /// ISO 4217 code.
    pub currency: &'a str,
    /// Revenue after refunds.
    pub revenue: f64,
    /// Whether it was the customer's first.
    pub new_customer: Option<bool>,
}

impl OrderBook {
    /// The orders of a table.
    ///
    /// # Panics
    /// Never: a table's columns were checked when it was made.
    #[must_use]
    pub fn new(orders: &Table<Orders>) -> Self {
        Self::of(orders.df()).expect("a table's columns were checked when it was made")
    }

    fn of(orders: &DataFrame) -> PolarsResult<Self> {
        let text =
            |name: &str| PolarsResult::Ok(orders.column(name)?.str()?.rechunk().into_owned());
        let number = |name: &str, ty| orders.column(name)?.cast(&ty);
        let (ids, known) = (text("order_id")?, text("customer_key")?);
        let customer = |(known, id): (Option<&str>, Option<&str>)| match known {
            Some(known) => known.to_owned(),
            None => format!("~{}", id.unwrap_or_default()),
        };
        let customers: StringChunked = known.iter().zip(ids.iter()).map(customer).collect();
        let at = number("ordered_at", DataType::Int64)?
            .i64()?
            .rechunk()
            .into_owned();
        let mut sorted: Vec<u32> = (0..ids.len() as u32).collect();
        let place = |&row: &u32| (customers.get(row as usize), at.get(row as usize), row);
        sorted.sort_unstable_by(|a, b| place(a).cmp(&place(b)));
        Ok(Self {
            dates: number("date", DataType::Int32)?
                .i32()?
                .rechunk()
                .into_owned(),
            currencies: text("currency")?,
            revenue: orders.column("revenue")?.f64()?.rechunk().into_owned(),
            new_customers: orders
                .column("new_customer")?
                .bool()?
                .rechunk()
                .into_owned(),
            ids,
            customers,
            at,
            sorted,
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// When the newest was placed, in microseconds.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        self.at.iter().flatten().max()
    }

    /// The customer at a place of the order by customer; `None` past the end.
    pub(crate) fn customer(&self, place: usize) -> Option<&str> {
        let row = *self.sorted.get(place)?;
        self.customers.get(row as usize)
    }

    /// The order at a place of the order by customer; empty past the end.
    #[must_use]
    pub fn row(&self, place: usize) -> OrderRow<'_> {
        let row = self.sorted.get(place).map(|&row| row as usize);
        let get = |column| row.and_then(|row| StringChunked::get(column, row));
        OrderRow {
            id: get(&self.ids).unwrap_or_default(),
            at: row.and_then(|row| self.at.get(row)).unwrap_or_default(),
            date: row.and_then(|row| self.dates.get(row)).unwrap_or_default(),
            currency: get(&self.currencies).unwrap_or_default(),
            revenue: row
                .and_then(|row| self.revenue.get(row))
                .unwrap_or(f64::NAN),
            new_customer: row.and_then(|row| self.new_customers.get(row)),
        }
    }
}
