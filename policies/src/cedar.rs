//! Reads files of Cedar policies: names, terms and what each policy is about. Checks no types and decides nothing.

use cedar_policy::{ActionConstraint, EntityUid, Policy, PrincipalConstraint, ResourceConstraint};

use crate::answer::{Approval, RuleId};
use crate::attribute::ACTIONS;
use crate::compile::Blame;
use crate::compile::statement::Annotation;
use crate::limit::{self, Limit};
use crate::question::Access;
use crate::rule::{Effect, Subject, Terms};
use crate::tier::Tier;

/// What the annotations of a policy say.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    pub(crate) id: Option<RuleId>,
    pub(crate) terms: Terms,
}

/// Reads the annotations above a policy. What has no meaning is a mistake: somebody thinks that it has one.
pub(crate) fn labels(effect: Effect, annotations: &[Annotation]) -> Result<Labels, Vec<Blame>> {
    let mut labels = Labels::default();
    let mut approval = Option::<Approval>::None;
    let mut blames = Vec::new();
    for annotation in annotations {
        let told = match read(annotation, effect, &mut labels, &mut approval) {
            Ok(()) => continue,
            Err(told) => told,
        };
        blames.push(Blame::new(
            annotation.bytes.clone(),
            format!("`@{}` {}", annotation.name, told.0),
            told.1,
        ));
    }
    let asks = annotations
        .iter()
        .any(|annotation| annotation.name == "advice");
    let lone = annotations
        .iter()
        .find(|annotation| ["by", "ttl"].contains(&annotation.name.as_str()));
    if let Some(lone) = lone.filter(|_| !asks) {
        blames.push(Blame::new(
            lone.bytes.clone(),
            format!(
                "`@{}` means nothing without `@advice(\"approval\")`",
                lone.name
            ),
            "add `@advice(\"approval\")`",
        ));
    }
    labels.terms.approval = approval.filter(|_| asks);
    if blames.is_empty() {
        Ok(labels)
    } else {
        Err(blames)
    }
}

type Told = (&'static str, &'static str);

fn read(
    annotation: &Annotation,
    effect: Effect,
    labels: &mut Labels,
    approval: &mut Option<Approval>,
) -> Result<(), Told> {
    let value = annotation.value.as_str();
    let terms = &mut labels.terms;
    if value.is_empty() {
        return Err(("says nothing", "write @name(\"value\")"));
    }
    let of_permits = ["scopes", "advice", "by", "ttl", "tier", "limit"];
    if effect == Effect::Forbid && of_permits.contains(&annotation.name.as_str()) {
        return Err((
            "means nothing on a `forbid`",
            "put it on the `permit` that allows, or state the condition in `when`",
        ));
    }
    match annotation.name.as_str() {
        "id" => labels.id = Some(RuleId::new(value)),
        "scopes" => {
            let words = value.split(' ').filter(|word| !word.is_empty());
            terms.scopes = words.map(str::to_owned).collect();
        }
        "details" => terms.details = Some(value.to_owned()),
        "message" => terms.message = Some(value.to_owned()),
        "advice" if value == "approval" => {
            approval.get_or_insert_default();
        }
        "advice" => return Err(("is no advice that is known", "write @advice(\"approval\")")),
        "by" => value.clone_into(&mut approval.get_or_insert_default().by),
        "ttl" => {
            let ttl = limit::duration(value).ok_or(("is no duration", "write 10m"))?;
            approval.get_or_insert_default().ttl = Some(ttl);
        }
        "tier" => terms.tier = tier(value)?,
        "limit" => terms.limits = limits(value)?,
        _ => {
            return Err((
                "is unknown",
                "known are @id, @scopes, @details, @advice, @by, @ttl, @tier, @limit and @message",
            ));
        }
    }
    Ok(())
}

fn tier(value: &str) -> Result<Tier, Told> {
    let found = Tier::ALL.into_iter().find(|tier| tier.name() == value);
    found.ok_or(("is no tier", "write low, medium or high"))
}

fn limits(value: &str) -> Result<Vec<Limit>, Told> {
    let read = value.split(',').map(Limit::parse);
    read.collect::<Result<_, _>>().map_err(|_| {
        (
            "is no limit",
            "write 10/hour, 10/15m per role, or sum(args.amount) <= 500/day; several with commas",
        )
    })
}

/// What a policy is about, by its scope alone.
pub(crate) fn subject(policy: &Policy) -> Subject {
    let (kinds, server, pattern) = resource(policy);
    let actions = actions(policy);
    Subject {
        role: role(policy),
        server,
        accesses: kinds
            .into_iter()
            .filter(|access| actions.iter().any(|kind| *kind == access.entity()))
            .collect(),
        pattern,
    }
}

fn role(policy: &Policy) -> Option<String> {
    let of_role = |uid: EntityUid| {
        (uid.type_name().basename() == "Role").then(|| uid.id().unescaped().to_owned())
    };
    match policy.principal_constraint() {
        PrincipalConstraint::In(uid) | PrincipalConstraint::IsIn(_, uid) => of_role(uid),
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) | PrincipalConstraint::Eq(_) => None,
    }
}

/// The entity types that its actions are done to.
fn actions(policy: &Policy) -> Vec<&'static str> {
    let named = |uid: &EntityUid, name: &str| uid.id().unescaped() == name;
    let all = ACTIONS.iter();
    let chosen: Vec<_> = match policy.action_constraint() {
        ActionConstraint::Any => all.collect(),
        ActionConstraint::Eq(uid) => all.filter(|action| named(&uid, action.name)).collect(),
        ActionConstraint::In(uids) => all
            .filter(|action| {
                uids.iter()
                    .any(|uid| named(uid, action.name) || named(uid, crate::attribute::USE))
            })
            .collect(),
    };
    chosen
        .into_iter()
        .flat_map(|action| action.resources.iter().copied())
        .collect()
}

fn resource(policy: &Policy) -> (Vec<Access>, Option<String>, Option<String>) {
    let all = || Access::ALL.to_vec();
    let of_type = |name: &str| {
        let kinds = Access::ALL.into_iter();
        kinds
            .filter(|access| access.entity() == name)
            .collect::<Vec<_>>()
    };
    let server = |uid: &EntityUid| {
        (uid.type_name().basename() == "Server").then(|| uid.id().unescaped().to_owned())
    };
    match policy.resource_constraint() {
        ResourceConstraint::Any => (all(), None, None),
        ResourceConstraint::Is(kind) => (of_type(kind.basename()), None, None),
        ResourceConstraint::In(uid) => match server(&uid) {
            Some(server) => (all(), Some(server), None),
            None => thing(&uid),
        },
        ResourceConstraint::IsIn(kind, uid) => (of_type(kind.basename()), server(&uid), None),
        ResourceConstraint::Eq(uid) => thing(&uid),
    }
}

/// `Tool::"crm/refund"`: one thing of one server.
fn thing(uid: &EntityUid) -> (Vec<Access>, Option<String>, Option<String>) {
    let kinds = Access::ALL.into_iter();
    let kinds = kinds.filter(|access| access.entity() == uid.type_name().basename());
    let (server, name) = match uid.id().unescaped().split_once('/') {
        Some((server, name)) => (Some(server.to_owned()), Some(name.to_owned())),
        None => (None, None),
    };
    (kinds.collect(), server, name)
}
