//! Every artifact Mixline writes, one module per layer.
//!
//! *Staging* tables keep the shape of their source; *canonical* tables are what steps read;
//! *marts* are what people read.

mod attribution;
mod canonical;
mod decision;
mod marts;
mod model;
mod quality;
mod staging;

pub use attribution::{
    AttributionChannels, AttributionLags, AttributionMethods, AttributionPaths,
    AttributionPositions, AttributionReconciliation, ConversionModels, Identities,
    JourneyQuarantine, Journeys, MarkovTransitions,
};
pub use canonical::{Controls, MediaDaily, Orders, Outcome, Touchpoints};
pub use decision::{
    Briefing, BudgetFrontier, BudgetPlan, Comparison, DecisionStore, Deliveries, PlanOutcomes,
    PlanSchedule, Scenarios,
};
pub use marts::{AttributionEvents, UnifiedDailyMetrics};
pub use model::{
    AdstockCurves, ContributionTotals, Contributions, Design, DesignColumns, ExploreStatistics,
    MmmResults, ModelChecks, ModelRegistry, PosteriorDraws, PosteriorSummary, Predictions,
    ResponseCurves, SamplerStats,
};
pub use quality::{DataFindings, File, MappingReport, TruthDaily};
pub use staging::{RawGoogleAds, RawMetaAds, RawShopifyOrders, RawTiktokAds};

use crate::artifact::{Artifact, ArtifactSpec};

/// The declarations of every artifact, by name.
#[must_use]
pub fn all() -> Vec<&'static ArtifactSpec> {
    let mut specs = vec![
        RawMetaAds::spec(),
        RawGoogleAds::spec(),
        RawTiktokAds::spec(),
        RawShopifyOrders::spec(),
        MediaDaily::spec(),
        Orders::spec(),
        Touchpoints::spec(),
        Outcome::spec(),
        Controls::spec(),
        AttributionEvents::spec(),
        AttributionChannels::spec(),
        AttributionLags::spec(),
        AttributionMethods::spec(),
        AttributionPaths::spec(),
        AttributionPositions::spec(),
        AttributionReconciliation::spec(),
        ConversionModels::spec(),
        Identities::spec(),
        JourneyQuarantine::spec(),
        Journeys::spec(),
        MarkovTransitions::spec(),
        UnifiedDailyMetrics::spec(),
        AdstockCurves::spec(),
        ContributionTotals::spec(),
        Contributions::spec(),
        Design::spec(),
        DesignColumns::spec(),
        ExploreStatistics::spec(),
        MmmResults::spec(),
        ModelChecks::spec(),
        ModelRegistry::spec(),
        PosteriorDraws::spec(),
        PosteriorSummary::spec(),
        Predictions::spec(),
        ResponseCurves::spec(),
        SamplerStats::spec(),
        Briefing::spec(),
        BudgetFrontier::spec(),
        BudgetPlan::spec(),
        Comparison::spec(),
        DecisionStore::spec(),
        Deliveries::spec(),
        PlanOutcomes::spec(),
        PlanSchedule::spec(),
        Scenarios::spec(),
        MappingReport::spec(),
        DataFindings::spec(),
        TruthDaily::spec(),
        File::spec(),
    ];
    specs.sort_by_key(|spec| spec.name);
    specs
}

/// Tables that Mixline's steps keep under a name of their own: the name in the store, and the
/// declaration the rows keep to. A port says so with `as`.
pub const RENAMED: &[(&str, &str)] = &[
    ("champion_draws", PosteriorDraws::NAME),
    ("champion_model", File::NAME),
    ("explore_findings", DataFindings::NAME),
    ("model", File::NAME),
    ("noop", File::NAME),
    ("noop_in", File::NAME),
    ("posterior_netcdf", File::NAME),
    ("report", File::NAME),
];

/// The declaration of the artifact that the store calls `name`. `None` for one that no step of
/// Mixline writes, and for one that a DAG has given a name of its own.
#[must_use]
pub fn find(name: &str) -> Option<&'static ArtifactSpec> {
    let renamed = RENAMED.iter().find(|(known, _)| *known == name);
    let declared = renamed.map_or(name, |(_, declared)| declared);
    all().into_iter().find(|spec| spec.name == declared)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_renamed_table_is_declared_and_hides_no_other() {
        for (name, declared) in RENAMED {
            assert_eq!(find(name).map(|spec| spec.name), Some(*declared), "{name}");
            assert!(all().iter().all(|spec| spec.name != *name), "{name}");
        }
        assert_eq!(find("orders").map(|spec| spec.name), Some("orders"));
        assert_eq!(find("nobody_knows"), None);
    }

    /// Whatever the steps of this repository read and write, and nothing else, has a declaration.
    #[test]
    fn every_table_of_every_step_is_found() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dags/airflow/steps.json");
        let text = std::fs::read_to_string(file).unwrap();
        let steps: serde_json::Value = serde_json::from_str(&text).unwrap();
        let steps = steps["steps"].as_object().unwrap().values();
        let ports = steps.flat_map(|step| [&step["inputs"], &step["outputs"]]);
        let tables: BTreeSet<&str> = ports
            .flat_map(|ports| ports.as_object().unwrap().values())
            .map(|table| table.as_str().unwrap())
            .collect();
        let lost: Vec<&str> = tables
            .iter()
            .copied()
            .filter(|t| find(t).is_none())
            .collect();
        assert_eq!(lost, Vec::<&str>::new());
        let unused = RENAMED.iter().find(|(name, _)| !tables.contains(name));
        assert_eq!(unused, None);
    }
}
