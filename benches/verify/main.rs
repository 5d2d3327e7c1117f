//! What it costs to know who is calling: a token seen for the first time and a remembered one, with and without a
//! DPoP proof, beside the bare signature check. Prints one table; never opens a socket.

mod key;
mod measure;
mod scene;

use std::io::{self, Write as _};
use std::process::ExitCode;

use key::{Algorithm, Key};
use measure::{Cost, cost};
use scene::{Presented, Scene, presented};

/// A remembered bearer token may cost this much (PERFORMANCE: known callers are nearly free).
const REMEMBERED_MICROS: f64 = 2.0;
/// A proof may cost this many checks of one signature.
const PROOF_RATIO: f64 = 1.3;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "verify: {error}");
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error>;

fn run() -> Result<(), Failure> {
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    let rounds = if has("--quick") { 3 } else { 15 };
    if has("--write") && cfg!(debug_assertions) {
        return Err("figures of a debug build are not written down".into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut page = format!("{HEAD}\n");
    for algorithm in Algorithm::ALL {
        let figures = runtime.block_on(figures(algorithm, rounds))?;
        page.push_str(&figures.row(algorithm));
        page.push('\n');
    }
    io::stdout().write_all(page.as_bytes())?;
    if has("--write") {
        std::fs::write(PAGE, page)?;
    }
    Ok(())
}

struct Figures {
    signature: Cost,
    first: Cost,
    remembered: Cost,
    first_with_proof: Cost,
    remembered_with_proof: Cost,
}

impl Figures {
    fn row(&self, algorithm: Algorithm) -> String {
        let proof = self.remembered_with_proof.micros() - self.remembered.micros();
        let ratio = proof / self.signature.micros();
        let met = |holds: bool| match (cfg!(debug_assertions), holds) {
            (true, _) => "debug build",
            (false, true) => "met",
            (false, false) => "missed",
        };
        format!(
            "| {} | {:.1} | {:.1} | {:.2} ({}) | {:.1} | {:.1} | {ratio:.2} ({}) |",
            algorithm.name(),
            self.signature.micros(),
            self.first.micros(),
            self.remembered.micros(),
            met(self.remembered.micros() < REMEMBERED_MICROS),
            self.first_with_proof.micros(),
            self.remembered_with_proof.micros(),
            met(ratio < PROOF_RATIO),
        )
    }
}

async fn figures(algorithm: Algorithm, rounds: usize) -> Result<Figures, Failure> {
    let key = Key::new(algorithm)?;
    let scene = Scene::new(&key).await?;
    let (plain, bound) = (scene.token(None, 0)?, scene.token(Some(&key), 0)?);
    let batch = 200;
    let plains = presented(&plain, None, 1)?;
    let proofs = presented(&bound, Some(&key), batch * (rounds + 2))?;
    let new_plain = scene.new_tokens(None, batch * (rounds + 2))?;
    let new_bound = scene.new_tokens(Some(&key), batch * (rounds + 2))?;
    let (message, signature) = key.sample()?;
    Ok(Figures {
        signature: cost(rounds, batch, |_| {
            std::future::ready(key.is_signed(&message, &signature))
        })
        .await?,
        first: of(&scene, &new_plain, (rounds, batch)).await?,
        remembered: of(&scene, &plains, (rounds, batch * 50)).await?,
        first_with_proof: of(&scene, &new_bound, (rounds, batch)).await?,
        remembered_with_proof: of(&scene, &proofs, (rounds, batch)).await?,
    })
}

/// The cost of knowing the callers of these requests, one after the other.
async fn of(
    scene: &Scene<'_>,
    requests: &[Presented],
    (rounds, batch): (usize, usize),
) -> Result<Cost, Failure> {
    cost(rounds, batch, |number| async move {
        match requests.get(number % requests.len()) {
            Some(request) => scene.admits(request).await,
            None => false,
        }
    })
    .await
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/VERIFY.md");
const HEAD: &str = "\
# What it costs to know a caller

Written by `target/release/verify --write`; do not edit. Microseconds of one core, the median of the rounds. `remembered` is a bearer token that was proven before; a proof is \
checked each time.

| algorithm | signature alone | first sight | remembered | first sight with proof | remembered with proof | proof ÷ signature |
|---|---|---|---|---|---|---|";
