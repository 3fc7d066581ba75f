//! What a plan proposes for a channel over all regions.

use mixline_schema::catalog::BudgetPlan;

/// A channel's proposal; regions are added up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Proposal {
    pub(crate) channel: String,
    /// Spend that would go on as it is.
    pub(crate) current: f64,
    pub(crate) proposed: f64,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
    /// Outcome that current spend brings.
    pub(crate) current_response: f64,
    /// Outcome that proposed spend brings.
    pub(crate) response: f64,
    /// Outcome of the next unit of spend, in the region where it brings most.
    pub(crate) marginal_roas: f64,
    /// Whether every region stays within what was seen there.
    pub(crate) inside_observed: bool,
}

impl Proposal {
    fn of_row(row: &BudgetPlan) -> Self {
        Self {
            channel: row.channel.clone(),
            current: row.current,
            proposed: row.proposed,
            lower: row.lower,
            upper: row.upper,
            current_response: row.current_response,
            response: row.response,
            marginal_roas: row.marginal_roas,
            inside_observed: row.inside_observed,
        }
    }

    fn add(&mut self, row: &BudgetPlan) {
        self.current += row.current;
        self.proposed += row.proposed;
        self.lower += row.lower;
        self.upper += row.upper;
        self.current_response += row.current_response;
        self.response += row.response;
        self.marginal_roas = self.marginal_roas.max(row.marginal_roas);
        self.inside_observed &= row.inside_observed;
    }

    /// The same proposal with all amounts times `factor`.
    pub(crate) fn scaled(mut self, factor: f64) -> Self {
        for amount in [
            &mut self.current,
            &mut self.proposed,
            &mut self.lower,
            &mut self.upper,
            &mut self.current_response,
            &mut self.response,
        ] {
            *amount *= factor;
        }
        self
    }

    /// Outcome per unit of proposed spend; `None` without spend.
    pub(crate) fn roas(&self) -> Option<f64> {
        (self.proposed > 0.0).then(|| self.response / self.proposed)
    }
}

/// One proposal per channel, in the order in which channels come first.
pub(crate) fn by_channel<'r>(rows: impl Iterator<Item = &'r BudgetPlan>) -> Vec<Proposal> {
    let mut all: Vec<Proposal> = Vec::new();
    for row in rows {
        match all.iter_mut().find(|own| own.channel == row.channel) {
            Some(own) => own.add(row),
            None => all.push(Proposal::of_row(row)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(channel: &str, geo: &str, proposed: f64, response: f64) -> BudgetPlan {
        BudgetPlan {
            plan: "best".into(),
            channel: channel.into(),
            geo: geo.into(),
            unit: "EUR".into(),
            current: 10.0,
            proposed,
            lower: 5.0,
            upper: 500.0,
            bound: String::new(),
            observed_most: 200.0,
            inside_observed: proposed <= 200.0,
            current_response: 20.0,
            response,
            response_q05: response,
            response_q25: response,
            response_q50: response,
            response_q75: response,
            response_q95: response,
            roas: (proposed > 0.0).then(|| response / proposed),
            current_marginal_roas: 1.0,
            marginal_roas: response / 100.0,
            marginal_roas_q05: 0.0,
            marginal_roas_q95: 2.0,
        }
    }

    #[test]
    fn regions_add_up_to_a_channel_with_a_return_of_its_own() {
        let plan = [
            row("search", "north", 0.0, 0.0),
            row("search", "south", 0.0, 0.0),
            row("tv", "north", 100.0, 400.0),
            row("tv", "south", 300.0, 400.0),
        ];
        let merged = by_channel(plan.iter());
        let [search, tv] = &merged[..] else {
            panic!("{merged:?}")
        };
        assert_eq!((tv.proposed, tv.response, tv.current), (400.0, 800.0, 20.0));
        // Neither the 4 of the north nor the mean of 4 and 1.33.
        assert_eq!(tv.roas(), Some(2.0));
        assert_eq!((tv.marginal_roas, tv.inside_observed), (4.0, false));
        assert_eq!(search.roas(), None);
        let each = tv.clone().scaled(0.25);
        assert_eq!(
            (each.proposed, each.response, each.lower),
            (100.0, 200.0, 2.5)
        );
        assert_eq!((each.roas(), each.marginal_roas), (tv.roas(), 4.0));
    }
}
