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

/// The declaration of the artifact called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static ArtifactSpec> {
    all().into_iter().find(|spec| spec.name == name)
}
