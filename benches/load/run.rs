//! One run: scenario by scenario, all contenders up at once, their cells interleaved. Never keeps a cell that had an
//! error.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;

use gatewright_benches::content::Question;

use crate::contender::{Ground, Running, Start, on_path, start_upstream};
use crate::figures::{Figure, Figures, Place};
use crate::generator::{Cell, Sample, measure};
use crate::issuer::Issuer;
use crate::judge::Expected;
use crate::options::{Contender, Options, Plan, Scenario};
use crate::process::{Cores, Process};
use crate::{machine, report};

/// What a run leaves.
pub(crate) struct Findings {
    /// For the terminal.
    pub(crate) tables: String,
    /// For RESULTS.md.
    pub(crate) page: String,
    /// How many places had an error.
    pub(crate) voids: usize,
}

pub(crate) fn run(options: &Options) -> Result<Findings, Box<dyn Error>> {
    let plan = options.plan();
    let cores = Cores::choose()?;
    cores.take_load_side()?;
    let programs = std::env::current_exe()?
        .parent()
        .map(PathBuf::from)
        .unwrap_or_default();
    let gatewright = options
        .gatewright
        .clone()
        .unwrap_or_else(|| programs.join("gatewright"));
    // Contenders run in another folder.
    let gatewright = std::path::absolute(gatewright)?;
    let before = options.before.as_ref().map(std::path::absolute);
    let before = before.transpose()?;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut figures = Figures::default();
    let mut start = None;
    for scenario in plan.scenarios.iter().copied() {
        let folder = tempfile::tempdir()?;
        let ground = Ground {
            folder: folder.path().to_path_buf(),
            programs: programs.clone(),
            gatewright: gatewright.clone(),
            before: before.clone(),
            cores: cores.clone(),
            path: scenario.path(),
        };
        let field = Field::prepare(scenario, &plan, &ground)?;
        start = start.or(field.gateway_start());
        runtime.block_on(field.measure_all(&plan, &mut figures))?;
    }

    let tables = report::tables(&figures, start);
    let has = |contender| plan.contenders.contains(&contender);
    let nginx = on_path("nginx").filter(|_| has(Contender::Nginx));
    let gatewright = Some(gatewright).filter(|_| has(Contender::Gatewright));
    let machine = machine::describe(gatewright.as_deref(), nginx.as_deref());
    let page = report::page(&plan, &machine, &pinning(&cores), &tables);
    Ok(Findings {
        tables,
        page,
        voids: figures.voids().len(),
    })
}

fn pinning(cores: &Cores) -> String {
    let Cores { proxy, load } = cores;
    if cores.are_apart() {
        format!(
            "The contenders are pinned to core {proxy}, the generator and the upstream to core {load}."
        )
    } else {
        format!(
            "There is one core, {proxy}: contenders, generator and upstream share it. Only CPU figures mean something."
        )
    }
}

/// Everything that is up during one scenario.
struct Field {
    scenario: Scenario,
    question: Question,
    entrants: Vec<Entrant>,
    _upstream: Process,
}

struct Entrant {
    running: Running,
    tokens: Vec<String>,
}

impl Field {
    fn prepare(scenario: Scenario, plan: &Plan, ground: &Ground) -> Result<Self, Box<dyn Error>> {
        let issuer = Issuer::new()?;
        fs::write(ground.folder.join("jwks.json"), issuer.key_set()?)?;
        let (upstream, address) = start_upstream(ground)?;
        let entrants = plan.contenders.iter().map(|contender| {
            let running = Running::start(*contender, address, ground)?;
            let tokens = tokens(&issuer, running.address, ground.path)?;
            Ok(Entrant { running, tokens })
        });
        let entrants = entrants.collect::<Result<_, Box<dyn Error>>>()?;
        Ok(Self {
            scenario,
            question: Question::new(scenario.ask()),
            entrants,
            _upstream: upstream,
        })
    }

    fn gateway_start(&self) -> Option<Start> {
        let gateway = self
            .entrants
            .iter()
            .find(|entrant| entrant.running.contender == Contender::Gatewright)?;
        Some(gateway.running.start)
    }

    async fn measure_all(&self, plan: &Plan, figures: &mut Figures) -> Result<(), Box<dyn Error>> {
        for round in 0..plan.rounds {
            for connections in plan.connections.iter().copied() {
                // Whoever comes first meets a cooler machine: let it be another one each time.
                let first = usize::from(round) % self.entrants.len().max(1);
                for entrant in self
                    .entrants
                    .iter()
                    .cycle()
                    .skip(first)
                    .take(self.entrants.len())
                {
                    let contender = entrant.running.contender;
                    let place = Place {
                        scenario: self.scenario,
                        connections,
                        contender,
                    };
                    self.measure_one(entrant, place, plan, figures).await?;
                }
            }
        }
        Ok(())
    }

    /// Only Gatewright knows which tools a role may see.
    fn expected(&self, contender: Contender) -> Expected {
        match (self.scenario, contender) {
            (Scenario::Call | Scenario::Large, _) => Expected::call(self.question.body_length()),
            (Scenario::List | Scenario::ListSse, Contender::Gatewright | Contender::Before) => {
                Expected::permitted_tools()
            }
            (Scenario::List | Scenario::ListSse, _) => Expected::all_tools(),
        }
    }

    async fn measure_one(
        &self,
        entrant: &Entrant,
        place: Place,
        plan: &Plan,
        figures: &mut Figures,
    ) -> io::Result<()> {
        if figures.voids().contains_key(&place) {
            return Ok(());
        }
        let cell = Cell {
            address: entrant.running.address,
            process: entrant.running.process.as_ref(),
            question: &self.question,
            path: self.scenario.path(),
            tokens: &entrant.tokens,
            expected: &self.expected(place.contender),
            connections: place.connections,
            measured: plan.measured,
        };
        let measured = measure(cell).await;
        say(place, measured.as_ref().ok())?;
        match measured {
            Ok(sample) => figures.add(place, sample),
            Err(failure) => {
                writeln!(
                    io::stderr(),
                    "  {failure}\n  {}",
                    entrant.running.last_words()
                )?;
                figures.void(place, failure.to_string());
            }
        }
        Ok(())
    }
}

fn tokens(issuer: &Issuer, address: SocketAddr, path: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let resource = format!("http://{address}{path}");
    (0..TOKENS)
        .map(|number| issuer.token(&resource, number))
        .collect()
}

fn say(place: Place, sample: Option<&Sample>) -> io::Result<()> {
    let Place {
        scenario,
        connections,
        contender,
    } = place;
    let (scenario, contender) = (scenario.name(), contender.name());
    let rate = sample.and_then(|sample| Figure::Rate.of(sample));
    let cpu = sample.and_then(|sample| Figure::Cpu.of(sample));
    let rate = rate.map_or_else(|| "void".to_owned(), |rate| format!("{rate:.0}/s"));
    let cpu = cpu.map(|cpu| format!("{cpu:.1} µs")).unwrap_or_default();
    writeln!(
        io::stderr(),
        "{scenario:8} {connections:3} {contender:12} {rate:>10} {cpu:>10}"
    )
}

const TOKENS: usize = 64;
