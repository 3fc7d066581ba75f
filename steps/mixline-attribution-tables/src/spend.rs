//! Spend by day and channel, for the method that needs no touches.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mixline_attribution::shares;
use mixline_schema::catalog::MediaDaily;

/// Spend by day and channel. A channel that reported no cost is there with 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpendByDay(BTreeMap<NaiveDate, BTreeMap<String, f64>>);

/// A currency code that means "the source names none".
const NO_CURRENCY: &str = "XXX";

/// Spend of one day in two currencies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "spend in `media_daily` on {date} is in {one} and in {other}; shares of a sum of two currencies \
     mean nothing"
)]
pub struct MixedCurrencies {
    /// The day.
    pub date: NaiveDate,
    /// One currency.
    pub one: String,
    /// Another.
    pub other: String,
}

impl SpendByDay {
    /// Adds up rows of media.
    ///
    /// # Errors
    /// [`MixedCurrencies`].
    pub fn new(media: impl IntoIterator<Item = MediaDaily>) -> Result<Self, MixedCurrencies> {
        let mut spend = Self::default();
        let mut currencies: BTreeMap<NaiveDate, String> = BTreeMap::new();
        for row in media {
            if row.spend.is_some() && row.currency != NO_CURRENCY {
                let seen = currencies
                    .entry(row.date)
                    .or_insert_with(|| row.currency.clone());
                if *seen != row.currency {
                    return Err(MixedCurrencies {
                        date: row.date,
                        one: seen.clone(),
                        other: row.currency,
                    });
                }
            }
            let day = spend.0.entry(row.date).or_default();
            *day.entry(row.channel).or_insert(0.0) += row.spend.unwrap_or(0.0);
        }
        Ok(spend)
    }

    /// Shares of a day's spend by channel, which sum to exactly 1; none when nobody spent.
    #[must_use]
    pub fn shares(&self, date: NaiveDate) -> Vec<(&str, f64)> {
        let Some(day) = self.0.get(&date) else {
            return Vec::new();
        };
        let spend: Vec<f64> = day.values().copied().collect();
        let channels = day.keys().map(String::as_str);
        let shares = shares(&spend).unwrap_or_default();
        channels
            .zip(shares)
            .filter(|(_, share)| *share > 0.0)
            .collect()
    }
}
