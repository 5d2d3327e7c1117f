//! All that the authors of a policy write: the policy, the candidate beside it, who has which role, and the tests. Never
//! decides anything.

use crate::decision::Mode;
use crate::identity::settings::Grant;
use crate::model::Digest;

use super::checked::Candidate;
use super::grants::grants;
use super::issuers::Issuers;
use super::policy::{self, Policy};
use super::review::Review;
use super::section::Section;
use super::servers::Servers;
use super::suite::{Suite, Surroundings, suite};

/// What the section `policy` says.
#[derive(Debug)]
pub(crate) struct Authored {
    pub(crate) mode: Option<Mode>,
    pub(crate) policy: Policy,
    pub(crate) shadow: Option<Candidate>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) suite: Suite,
}

impl Authored {
    /// Reads all of it.
    pub(crate) fn read(
        root: &Section<'_>,
        servers: &Servers,
        issuers: &Issuers,
        review: &mut Review<'_>,
    ) -> Self {
        let section = root.section("policy");
        let names = servers.names.as_deref();
        let mode = policy::mode(&section, review);
        let policy = policy::policy(&section, names, review);
        let shadow = policy::shadow(&section, names, review);
        let grants = grants(root, issuers, review);
        let surroundings = Surroundings {
            issuers: &issuers.settings,
            servers: names,
            grants: &grants,
            zone: policy.zone.as_ref(),
        };
        let suite = suite(&section, &surroundings, review);
        Self {
            mode,
            policy,
            shadow,
            grants,
            suite,
        }
    }

    /// The digests of what is in other files too.
    pub(crate) fn digests(&self) -> Vec<Digest> {
        let shadow = self.shadow.as_ref().map(|shadow| shadow.digest);
        [Some(self.policy.digest), shadow]
            .into_iter()
            .flatten()
            .collect()
    }
}
