//! A policy that an operator lets the gateway ask for a time, beside the one in force and without effect. Never outlives the process: what is
//! meant to last stands in the configuration.

use std::path::Path;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::Shared;
use crate::config::{Candidate, Settings, load, search};
use crate::control::shadow::Ask;
use crate::decision::Mode;
use crate::model::UnixTime;

/// A policy that is tried.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    candidate: Candidate,
    until: UnixTime,
}

impl Shared {
    /// Begins or ends a trial.
    pub(super) async fn answer_trial(&self, ask: Ask) -> Result<Value, String> {
        match ask {
            Ask::Start { file, time } => self.begin_trial(&file, time).await,
            Ask::Stop => self.end_trial().await,
        }
    }

    async fn begin_trial(&self, file: &str, time: Duration) -> Result<Value, String> {
        let settings = self.settings.load_full();
        if settings.shadow.is_some() && self.trial().is_none() {
            return Err(
                "the configuration names a policy in `policy.shadow`: that one is asked".to_owned(),
            );
        }
        if settings.mode == Mode::Shadow {
            return Err(
                "the policy in force has no effect itself: `policy.mode` is `shadow`".to_owned(),
            );
        }
        let servers = settings.servers.iter();
        let names: Vec<_> = servers
            .map(|server| server.audience.server.to_string())
            .collect();
        let candidate = load::candidate(Path::new(file), &names, &search::process_environment)
            .map_err(|mistakes| mistakes.to_string())?;
        let digest = candidate.digest;
        if digest == settings.policy_digest {
            return Err("this is the policy that is in force".to_owned());
        }
        let until = self.parts.clock.now().plus(time);
        let last = self.trial().replace(Trial { candidate, until });
        if let Err(why) = self.reload_now(None).await {
            *self.trial() = last;
            return Err(why);
        }
        tracing::info!(policy = %digest, %until, "a second policy is asked, without effect");
        let told = format!(
            "the policy sha256:{} is asked without effect until {until}",
            short(&digest.to_string())
        );
        Ok(json!({ "shadow": digest.to_string(), "until": until.to_string(), "told": told }))
    }

    async fn end_trial(&self) -> Result<Value, String> {
        let Some(last) = self.trial().take() else {
            return Err(
                "no policy is on trial: one in `policy.shadow` ends when that is removed"
                    .to_owned(),
            );
        };
        let counted = self.parts.disagreements.counted();
        if let Err(why) = self.reload_now(None).await {
            *self.trial() = Some(last);
            return Err(why);
        }
        let digest = last.candidate.digest.to_string();
        tracing::info!(policy = digest, "the second policy is asked no more");
        let told = format!(
            "the policy sha256:{} is asked no more: {} disagreements in {} decisions",
            short(&digest),
            counted.disagreements,
            counted.decisions
        );
        Ok(
            json!({ "shadow": Value::Null, "disagreements": counted.disagreements, "decisions": counted.decisions, "told": told }),
        )
    }

    /// Ends the trial when its time is over.
    pub(super) async fn end_old_trial(&self) {
        let now = self.parts.clock.now();
        let is_over = self
            .trial()
            .as_ref()
            .is_some_and(|trial| trial.until <= now);
        if is_over && let Err(why) = self.end_trial().await {
            tracing::warn!("a second policy is still asked although its time is over: {why}");
        }
    }

    /// The settings with the policy that is tried, unless it is in force by now or the file names another.
    pub(super) fn with_trial(&self, settings: Settings) -> Settings {
        let trial = self.trial();
        let candidate = trial.as_ref().map(|trial| &trial.candidate);
        let candidate = candidate.filter(|candidate| candidate.digest != settings.policy_digest);
        let shadow = settings.shadow.clone().or_else(|| candidate.cloned());
        Settings { shadow, ..settings }
    }

    /// Forgets the trial unless these settings, which are in force, ask its policy.
    pub(super) fn keep_trial_of(&self, settings: &Settings) {
        let asked = settings.shadow.as_ref().map(|candidate| candidate.digest);
        self.trial()
            .take_if(|trial| Some(trial.candidate.digest) != asked);
    }

    fn trial(&self) -> MutexGuard<'_, Option<Trial>> {
        self.trial.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends trials whose time is over, for as long as the gateway runs.
pub(super) async fn watch(shared: Arc<Shared>, period: Duration) {
    loop {
        tokio::time::sleep(period).await;
        shared.end_old_trial().await;
    }
}

fn short(digest: &str) -> &str {
    digest.get(..SHOWN).unwrap_or(digest)
}

/// Digits of a digest that are shown.
const SHOWN: usize = 12;
