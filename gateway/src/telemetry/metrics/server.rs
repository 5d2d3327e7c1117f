//! The metrics of one fronted server, resolved once: counting a request looks up no labels.

use std::time::Duration;

use prometheus::{Histogram, HistogramVec, IntCounter, IntGauge};

use super::MetricError;
use super::labels::{self, Anomaly, Challenge, Ending, Scheme, authn_results, methods};
use super::registry::{Families, resolve};
use super::table;
use super::tools::{CALL, OTHER_TOOL, ToolLabels};
use crate::decision::Mode;
use crate::mcp::Kind;
use crate::model::{Reason, ServerName};

/// The metrics of one fronted server.
#[derive(Debug)]
pub struct ServerMetrics {
    server: ServerName,
    enforced: Decisions,
    shadowed: Decisions,
    notices: IntCounter,
    disagreements: Vec<(&'static str, IntCounter)>,
    authn: Vec<(Scheme, Vec<(&'static str, IntCounter)>)>,
    challenges: Vec<(Challenge, IntCounter)>,
    anomalies: Vec<(Anomaly, IntCounter)>,
    operations: HistogramVec,
    succeeded: Vec<(&'static str, Histogram)>,
    tools: ToolLabels,
    streams: IntGauge,
    upstream_up: IntGauge,
    dropped: Vec<(Kind, IntCounter)>,
}

/// What was decided while the policy had one effect.
#[derive(Debug)]
struct Decisions {
    allowed: IntCounter,
    denied: Vec<(Reason, IntCounter)>,
}

impl Decisions {
    fn new(families: &Families, server: &str, mode: Mode) -> Result<Self, MetricError> {
        let family = families.counter(&table::DECISIONS)?;
        let decision = |decision: &str, reason: &str| {
            let labels = [server, decision, reason, mode.name()];
            resolve(&table::DECISIONS, &family, &labels)
        };
        let denied = |reason: Reason| Ok((reason, decision("deny", reason.name())?));
        Ok(Self {
            allowed: decision("allow", "")?,
            denied: Reason::ALL
                .into_iter()
                .map(denied)
                .collect::<Result<_, _>>()?,
        })
    }
}

fn disagreements(
    families: &Families,
    server: &str,
) -> Result<Vec<(&'static str, IntCounter)>, MetricError> {
    let family = families.counter(&table::SHADOW_DISAGREEMENTS)?;
    let counter = |(from, to): (&'static str, &str)| {
        let labels = [server, from, to];
        Ok((
            from,
            resolve(&table::SHADOW_DISAGREEMENTS, &family, &labels)?,
        ))
    };
    [("allow", "deny"), ("deny", "allow")]
        .into_iter()
        .map(counter)
        .collect()
}

impl ServerMetrics {
    pub(super) fn new(families: &Families, server: &ServerName) -> Result<Self, MetricError> {
        let name = server.as_str();
        let operations = families.histogram(&table::OPERATIONS)?;
        let succeeded = |method: &'static str| {
            Ok((
                method,
                resolve(&table::OPERATIONS, &operations, &[name, method, "", ""])?,
            ))
        };
        let other = resolve(
            &table::OPERATIONS,
            &operations,
            &[name, CALL, OTHER_TOOL, ""],
        )?;
        Ok(Self {
            server: server.clone(),
            enforced: Decisions::new(families, name, Mode::Enforce)?,
            shadowed: Decisions::new(families, name, Mode::Shadow)?,
            notices: resolve(
                &table::NOTICES,
                &families.counter(&table::NOTICES)?,
                &[name],
            )?,
            disagreements: disagreements(families, name)?,
            authn: authn(families, name)?,
            challenges: challenges(families, name)?,
            anomalies: anomalies(families, name)?,
            succeeded: methods().map(succeeded).collect::<Result<_, _>>()?,
            operations,
            tools: ToolLabels::new(other),
            streams: resolve(&table::STREAMS, &families.gauge(&table::STREAMS)?, &[name])?,
            upstream_up: resolve(
                &table::UPSTREAM_UP,
                &families.gauge(&table::UPSTREAM_UP)?,
                &[name],
            )?,
            dropped: dropped(families, name)?,
        })
    }

    /// A request was decided about: refused for a reason, or not at all.
    pub fn decided(&self, mode: Mode, refusal: Option<Reason>) {
        let decisions = match mode {
            Mode::Enforce => &self.enforced,
            Mode::Shadow => &self.shadowed,
        };
        match refusal {
            None => decisions.allowed.inc(),
            Some(reason) => labels::count(&decisions.denied, reason),
        }
    }

    /// A call was allowed that can do harm.
    pub fn noticed(&self) {
        self.notices.inc();
    }

    /// A policy without effect would have decided otherwise than `from`.
    pub fn disagreed(&self, from: &str) {
        let mut counters = self.disagreements.iter();
        if let Some((_, counter)) = counters.find(|(known, _)| *known == from) {
            counter.inc();
        }
    }

    /// A credential of `scheme` led to `result`, one of identity's closed list.
    pub fn authenticated(&self, scheme: Scheme, result: &'static str) {
        let counter =
            labels::pick(&self.authn, scheme).and_then(|results| labels::pick(results, result));
        if let Some(counter) = counter {
            counter.inc();
        }
    }

    /// A challenge was sent.
    pub fn challenged(&self, challenge: Challenge) {
        if let Some((_, counter)) = self
            .challenges
            .iter()
            .find(|(known, _)| *known == challenge)
        {
            counter.inc();
        }
    }

    /// The server did what it should not do.
    pub fn anomaly(&self, anomaly: Anomaly) {
        let mut counters = self.anomalies.iter();
        if let Some((_, counter)) = counters.find(|(known, _)| *known == anomaly) {
            counter.inc();
        }
    }

    /// `tool` stands in the policy or in the upstream's list: its calls may be counted under its name.
    pub fn learn_tool(&self, tool: &str) {
        self.tools
            .learn(tool, &self.operations, self.server.as_str());
    }

    /// An operation ended after `time`. `tool` is the tool that was called, if one was.
    pub fn ended(&self, method: &str, tool: Option<&str>, ending: Ending, time: Duration) {
        let seconds = time.as_secs_f64();
        match (tool, ending) {
            (Some(tool), Ending::Success) => self.tools.observe(tool, seconds),
            (None, Ending::Success) => {
                if let Some(histogram) = labels::pick(&self.succeeded, method) {
                    histogram.observe(seconds);
                }
            }
            _ => self.failed(method, tool, ending, seconds),
        }
    }

    /// An event stream was opened.
    pub fn stream_opened(&self) {
        self.streams.inc();
    }

    /// An event stream was closed.
    pub fn stream_closed(&self) {
        self.streams.dec();
    }

    /// The upstream answered.
    pub fn upstream_answered(&self) {
        self.upstream_up.set(1);
    }

    /// The upstream did not answer.
    pub fn upstream_failed(&self) {
        self.upstream_up.set(0);
    }

    /// A message of the upstream was dropped.
    pub fn message_dropped(&self, kind: Kind) {
        if let Some(counter) = labels::pick(&self.dropped, kind) {
            counter.inc();
        }
    }

    fn failed(&self, method: &str, tool: Option<&str>, ending: Ending, seconds: f64) {
        let known = methods().find(|known| *known == method);
        let method = known.unwrap_or(labels::OTHER);
        let tool = tool.map_or("", |tool| self.tools.label(tool));
        let labels = [self.server.as_str(), method, tool, ending.error_type()];
        // The number of labels is that of the table, so there is a histogram.
        if let Ok(histogram) = self.operations.get_metric_with_label_values(&labels) {
            histogram.observe(seconds);
        }
    }
}

type ByResult = Vec<(&'static str, IntCounter)>;

fn authn(families: &Families, server: &str) -> Result<Vec<(Scheme, ByResult)>, MetricError> {
    let family = families.counter(&table::AUTHN_ATTEMPTS)?;
    let counter = |scheme: Scheme, result: &'static str| {
        Ok((
            result,
            resolve(
                &table::AUTHN_ATTEMPTS,
                &family,
                &[server, scheme.name(), result],
            )?,
        ))
    };
    let results = |scheme: Scheme| {
        let counters = authn_results().map(|result| counter(scheme, result));
        Ok((scheme, counters.collect::<Result<_, _>>()?))
    };
    Scheme::ALL.into_iter().map(results).collect()
}

fn dropped(families: &Families, server: &str) -> Result<Vec<(Kind, IntCounter)>, MetricError> {
    let family = families.counter(&table::UPSTREAM_DROPPED)?;
    let kinds = [Kind::Request, Kind::Notification, Kind::Response];
    let counter = |kind: Kind| {
        let labels = [server, kind.name()];
        Ok((kind, resolve(&table::UPSTREAM_DROPPED, &family, &labels)?))
    };
    kinds.into_iter().map(counter).collect()
}

fn challenges(
    families: &Families,
    server: &str,
) -> Result<Vec<(Challenge, IntCounter)>, MetricError> {
    let family = families.counter(&table::CHALLENGES)?;
    let counter = |challenge: Challenge| {
        let [status, error] = challenge.labels();
        Ok((
            challenge,
            resolve(&table::CHALLENGES, &family, &[server, status, error])?,
        ))
    };
    Challenge::ALL.into_iter().map(counter).collect()
}

fn anomalies(families: &Families, server: &str) -> Result<Vec<(Anomaly, IntCounter)>, MetricError> {
    let family = families.counter(&table::ANOMALIES)?;
    let counter = |anomaly: Anomaly| {
        let labels = [server, anomaly.name()];
        Ok((anomaly, resolve(&table::ANOMALIES, &family, &labels)?))
    };
    Anomaly::ALL.into_iter().map(counter).collect()
}
