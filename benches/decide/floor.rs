//! Cedar by itself, with a request as small as it can be: what no engine on top of it can go below.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request,
    RestrictedExpression,
};

use crate::scene;

/// Policies, a request and its entities.
pub(crate) struct Floor {
    authorizer: Authorizer,
    policies: PolicySet,
    uids: [EntityUid; 5],
    request: Request,
    entities: Entities,
}

type Failure = Box<dyn std::error::Error>;

impl Floor {
    /// One policy that allows, and so many that look at the call and do not forbid it.
    pub(crate) fn new(forbids: usize) -> Result<Self, Failure> {
        let condition = scene::CONDITION.replace("context.args.amount", "context.amount");
        let permit = format!("permit (principal, action, resource) when {{ {condition} }};\n");
        let text = permit + &scene::forbidding(forbids, "context.amount");
        let uids = uids()?;
        Ok(Self {
            authorizer: Authorizer::new(),
            policies: PolicySet::from_str(&text)?,
            request: request(&uids)?,
            entities: entities(&uids)?,
            uids,
        })
    }

    /// With everything made before.
    pub(crate) fn is_allowed(&self) -> bool {
        self.decides(&self.request, &self.entities)
    }

    /// With the request and the entities made for this one decision.
    pub(crate) fn is_allowed_anew(&self) -> bool {
        match (request(&self.uids), entities(&self.uids)) {
            (Ok(request), Ok(entities)) => self.decides(&request, &entities),
            (Err(_), _) | (_, Err(_)) => false,
        }
    }

    fn decides(&self, request: &Request, entities: &Entities) -> bool {
        let response = self
            .authorizer
            .is_authorized(request, &self.policies, entities);
        response.decision() == Decision::Allow
    }
}

fn request(uids: &[EntityUid; 5]) -> Result<Request, Failure> {
    let context = Context::from_pairs([("amount".to_owned(), RestrictedExpression::new_long(70))])?;
    let [principal, action, resource, _, _] = uids.clone();
    Ok(Request::new(principal, action, resource, context, None)?)
}

fn entities(uids: &[EntityUid; 5]) -> Result<Entities, Failure> {
    let [principal, _, resource, role, server] = uids.clone();
    let kind = RestrictedExpression::new_string("agent".to_owned());
    let attributes = HashMap::from([("kind".to_owned(), kind)]);
    let all = [
        Entity::new(principal, attributes, HashSet::from([role]))?,
        Entity::new_no_attrs(resource, HashSet::from([server])),
    ];
    Ok(Entities::from_entities(all, None)?)
}

fn uids() -> Result<[EntityUid; 5], Failure> {
    Ok([
        EntityUid::from_str("Principal::\"agent-7\"")?,
        EntityUid::from_str("Action::\"tools/call\"")?,
        EntityUid::from_str("Tool::\"crm/refund\"")?,
        EntityUid::from_str("Role::\"support\"")?,
        EntityUid::from_str("Server::\"crm\"")?,
    ])
}
