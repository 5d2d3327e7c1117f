//! The arithmetic: medians, extremes and ratios over the rounds. Never compares cells of different rounds.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::generator::Sample;
use crate::options::{Contender, Scenario};

/// The middle and the ends of some figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let upper = *figures.get(figures.len() / 2)?;
        let lower = *figures.get(figures.len().saturating_sub(1) / 2)?;
        let (least, most) = (*figures.first()?, *figures.last()?);
        Some(Self {
            median: f64::midpoint(lower, upper),
            least,
            most,
        })
    }
}

/// One column of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Requests per second.
    Rate,
    /// Microseconds of processor time per request.
    Cpu,
    /// Median latency in microseconds.
    P50,
    /// The 99th percentile in microseconds.
    P99,
    /// Resident megabytes.
    Resident,
}

impl Figure {
    pub(crate) fn of(self, sample: &Sample) -> Option<f64> {
        let requests = f64::from(u32::try_from(sample.requests).ok()?);
        match self {
            Self::Rate => Some(requests / sample.elapsed.as_secs_f64()),
            Self::Cpu => sample.cost.map(|cost| microseconds(cost.cpu) / requests),
            Self::P50 => Some(microseconds(sample.p50)),
            Self::P99 => Some(microseconds(sample.p99)),
            Self::Resident => sample.cost.map(|cost| megabytes(cost.resident)),
        }
    }
}

pub(crate) fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX)) / 1000.0
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Where a series of cells belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) scenario: Scenario,
    pub(crate) connections: u16,
    pub(crate) contender: Contender,
}

impl Place {
    pub(crate) fn with(self, contender: Contender) -> Self {
        Self { contender, ..self }
    }
}

/// The samples of every place, one for each round, and what voided a place.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    samples: BTreeMap<Place, Vec<Sample>>,
    voids: BTreeMap<Place, String>,
}

impl Figures {
    pub(crate) fn add(&mut self, place: Place, sample: Sample) {
        self.samples.entry(place).or_default().push(sample);
    }

    /// One error is enough: the place's other samples no longer count.
    pub(crate) fn void(&mut self, place: Place, why: String) {
        self.voids.entry(place).or_insert(why);
    }

    pub(crate) fn voids(&self) -> &BTreeMap<Place, String> {
        &self.voids
    }

    /// The places in the order of the tables.
    pub(crate) fn places(&self) -> Vec<Place> {
        let mut places: Vec<Place> = self
            .samples
            .keys()
            .chain(self.voids.keys())
            .copied()
            .collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    pub(crate) fn spread(&self, place: Place, figure: Figure) -> Option<Spread> {
        self.all(place, figure).and_then(Spread::of)
    }

    /// `place` over `other`, round by round.
    pub(crate) fn ratio(&self, place: Place, other: Contender, figure: Figure) -> Option<Spread> {
        let figures = self.all(place, figure)?;
        let others = self.all(place.with(other), figure)?;
        Spread::of(
            figures
                .into_iter()
                .zip(others)
                .map(|(figure, other)| figure / other),
        )
    }

    /// What `place` adds to the median latency of asking directly, over what the pass-through adds, round by round.
    pub(crate) fn added_latency(&self, place: Place) -> Option<Spread> {
        let of = |contender| self.all(place.with(contender), Figure::P50);
        let (figures, passes, directs) = (
            of(place.contender)?,
            of(Contender::PassThrough)?,
            of(Contender::Direct)?,
        );
        let rounds = figures.into_iter().zip(passes).zip(directs);
        Spread::of(rounds.map(|((figure, pass), direct)| (figure - direct) / (pass - direct)))
    }

    fn all(&self, place: Place, figure: Figure) -> Option<Vec<f64>> {
        if self.voids.contains_key(&place) {
            return None;
        }
        self.samples
            .get(&place)?
            .iter()
            .map(|sample| figure.of(sample))
            .collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::{Figure, Figures, Place, Spread};
    use crate::generator::{Cost, Sample};
    use crate::options::{Contender, Scenario};

    pub(crate) fn sample(requests: u64, latency: u64, cpu: Option<u64>) -> Sample {
        Sample {
            requests,
            elapsed: Duration::from_secs(2),
            p50: Duration::from_micros(latency),
            p99: Duration::from_micros(latency * 2),
            cost: cpu.map(|cpu| Cost {
                cpu: Duration::from_micros(cpu * requests),
                resident: 12_000_000,
            }),
        }
    }

    pub(crate) fn figures() -> (Figures, Place) {
        let place = Place {
            scenario: Scenario::Call,
            connections: 64,
            contender: Contender::Gatewright,
        };
        let mut figures = Figures::default();
        for round in 1..=3 {
            figures.add(place.with(Contender::Direct), sample(400 * round, 10, None));
            figures.add(
                place.with(Contender::PassThrough),
                sample(200 * round, 50, Some(30)),
            );
            figures.add(
                place,
                sample(100 * round, 50 + 10 * round, Some(30 + 3 * round)),
            );
        }
        (figures, place)
    }

    fn is(spread: Option<Spread>, median: f64, least: f64, most: f64) {
        let spread = spread.unwrap();
        for (found, wanted) in [
            (spread.median, median),
            (spread.least, least),
            (spread.most, most),
        ] {
            assert!((found - wanted).abs() < 1e-9, "{spread:?}");
        }
    }

    #[test]
    fn a_spread_has_the_middle_and_both_ends() {
        is(Spread::of([3.0, 1.0, 2.0]), 2.0, 1.0, 3.0);
        is(Spread::of([4.0, 1.0]), 2.5, 1.0, 4.0);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn figures_are_per_second_and_per_request() {
        let (figures, place) = figures();
        is(figures.spread(place, Figure::Rate), 100.0, 50.0, 150.0);
        is(figures.spread(place, Figure::Cpu), 36.0, 33.0, 39.0);
        is(figures.spread(place, Figure::Resident), 12.0, 12.0, 12.0);
        assert_eq!(
            figures.spread(place.with(Contender::Direct), Figure::Cpu),
            None
        );
    }

    #[test]
    fn ratios_compare_within_a_round() {
        let (figures, place) = figures();
        is(
            figures.ratio(place, Contender::PassThrough, Figure::Cpu),
            1.2,
            1.1,
            1.3,
        );
        is(
            figures.ratio(place, Contender::Direct, Figure::Rate),
            0.25,
            0.25,
            0.25,
        );
        is(figures.added_latency(place), 1.5, 1.25, 1.75);
    }

    #[test]
    fn one_error_voids_the_place() {
        let (mut figures, place) = figures();
        figures.void(place, "wrong answer".into());
        assert_eq!(figures.spread(place, Figure::Rate), None);
        assert_eq!(
            figures.ratio(place, Contender::PassThrough, Figure::Cpu),
            None
        );
        assert!(
            figures
                .spread(place.with(Contender::PassThrough), Figure::Rate)
                .is_some()
        );
    }
}
