//! Families of metrics, registered from the table. The only place that registers one.

use std::collections::HashMap;

use prometheus::core::{Collector, MetricVec, MetricVecBuilder};
use prometheus::proto::MetricFamily;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry,
};

use super::MetricError;
use super::labels::Unwelcome;
use super::table::{self, METRICS, MetricKind, MetricRow};
use crate::model::Reason;

/// Every family of the table, by name.
#[derive(Debug)]
pub(super) struct Families {
    registry: Registry,
    counters: HashMap<&'static str, IntCounterVec>,
    gauges: HashMap<&'static str, IntGaugeVec>,
    histograms: HashMap<&'static str, HistogramVec>,
}

impl Families {
    /// Registers every row of the table.
    pub(super) fn new() -> Result<Self, MetricError> {
        let mut families = Self {
            registry: Registry::new(),
            counters: HashMap::new(),
            gauges: HashMap::new(),
            histograms: HashMap::new(),
        };
        for row in METRICS {
            families.register(row).map_err(|source| MetricError {
                name: row.name,
                source,
            })?;
        }
        Ok(families)
    }

    fn register(&mut self, row: &MetricRow) -> prometheus::Result<()> {
        match row.kind {
            MetricKind::Counter => {
                let family = IntCounterVec::new(Opts::new(row.name, row.help), row.labels)?;
                self.registry.register(Box::new(family.clone()))?;
                self.counters.insert(row.name, family);
            }
            MetricKind::Gauge => {
                let family = IntGaugeVec::new(Opts::new(row.name, row.help), row.labels)?;
                self.registry.register(Box::new(family.clone()))?;
                self.gauges.insert(row.name, family);
            }
            MetricKind::Histogram(buckets) => {
                let options = HistogramOpts::new(row.name, row.help).buckets(buckets.to_vec());
                let family = HistogramVec::new(options, row.labels)?;
                self.registry.register(Box::new(family.clone()))?;
                self.histograms.insert(row.name, family);
            }
        }
        Ok(())
    }

    /// The counters of `row`.
    pub(super) fn counter(&self, row: &MetricRow) -> Result<IntCounterVec, MetricError> {
        found(row, &self.counters)
    }

    /// The gauges of `row`.
    pub(super) fn gauge(&self, row: &MetricRow) -> Result<IntGaugeVec, MetricError> {
        found(row, &self.gauges)
    }

    /// The histograms of `row`.
    pub(super) fn histogram(&self, row: &MetricRow) -> Result<HistogramVec, MetricError> {
        found(row, &self.histograms)
    }

    pub(super) fn decision_duration(&self) -> Result<Histogram, MetricError> {
        resolve(
            &table::DECISION_DURATION,
            &self.histogram(&table::DECISION_DURATION)?,
            &[],
        )
    }

    pub(super) fn refused(&self) -> Result<Vec<(Reason, IntCounter)>, MetricError> {
        let family = self.counter(&table::REFUSED)?;
        let counter =
            |reason: Reason| Ok((reason, resolve(&table::REFUSED, &family, &[reason.name()])?));
        Reason::ALL.into_iter().map(counter).collect()
    }

    pub(super) fn turned_away(&self) -> Result<Vec<(Unwelcome, IntCounter)>, MetricError> {
        let row = &table::TURNED_AWAY;
        let family = self.counter(row)?;
        let counter = |why: Unwelcome| Ok((why, resolve(row, &family, &[why.name()])?));
        Unwelcome::ALL.into_iter().map(counter).collect()
    }

    /// Every sample.
    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }
}

/// The one metric of `family` with these labels; it starts at 0.
pub(super) fn resolve<B: MetricVecBuilder>(
    row: &MetricRow,
    family: &MetricVec<B>,
    labels: &[&str],
) -> Result<B::M, MetricError> {
    family
        .get_metric_with_label_values(labels)
        .map_err(|source| MetricError {
            name: row.name,
            source,
        })
}

fn found<F: Collector + Clone>(
    row: &MetricRow,
    families: &HashMap<&'static str, F>,
) -> Result<F, MetricError> {
    let missing = || prometheus::Error::Msg("not in the table, or of another kind".to_owned());
    families.get(row.name).cloned().ok_or_else(|| MetricError {
        name: row.name,
        source: missing(),
    })
}
