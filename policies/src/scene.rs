//! One question as Cedar sees it: entities, context and request, made from proven facts. Adds no fact of its own.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use std::time::Duration;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};
use serde_json::Value;

use crate::attribute::{ACTIONS, Attribute, Owner, USE};
use crate::facts::{Arguments, Facts};
use crate::question::Access;
use crate::slot::{self, Root, Slot, Slots};
use crate::value::{self, Lack};
use crate::wants::Wants;

/// A question and its facts.
pub(crate) struct Scene<'f> {
    facts: Facts<'f>,
    entities: Entities,
    uids: [EntityUid; 3],
    /// What is the same for every rule.
    pairs: Vec<(String, RestrictedExpression)>,
    /// With no detail in it.
    plain: Option<Request>,
    lacks: HashMap<usize, Lack>,
}

/// What is asked for, by whom: borrowed from the question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) server: &'a str,
    pub(crate) access: Access,
    pub(crate) name: &'a str,
    pub(crate) roles: &'a [&'a str],
    pub(crate) scopes: &'a [&'a str],
}

/// What must be there to look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) slots: &'a [usize],
    pub(crate) wants: Wants,
}

impl<'f> Scene<'f> {
    /// The scene in which what is `wanted` can be looked at. `None` when Cedar takes it for none: then nothing holds.
    pub(crate) fn new(
        facts: Facts<'f>,
        asked: &Asked<'_>,
        slots: &Slots,
        wanted: Wanted<'_>,
    ) -> Option<Self> {
        let types = TYPES.as_ref()?;
        let action = types.action(facts.method, asked.access);
        let principal_id = format!("{}#{}", facts.party.issuer, facts.party.subject);
        let principal = uid(&types.principal, &principal_id);
        let resource_id = format!("{}/{}", asked.server, asked.name);
        let resource = uid(types.resource(asked.access), &resource_id);
        let uids = [principal, action, resource];
        let stage = Stage {
            facts: &facts,
            asked,
            wants: wanted.wants,
        };
        let entities = stage.entities(types, &uids)?;
        let pairs = stage.pairs(&[Owner::Context]).collect();
        let mut scene = Self {
            pairs,
            facts,
            entities,
            uids,
            plain: None,
            lacks: HashMap::new(),
        };
        scene.read(slots, wanted.slots);
        scene.plain = scene.request(Vec::new());
        Some(scene)
    }

    /// Whether the arguments are not known yet.
    pub(crate) fn is_open(&self) -> bool {
        self.facts.arguments == Arguments::Open
    }

    pub(crate) const fn entities(&self) -> &Entities {
        &self.entities
    }

    /// The request without details.
    pub(crate) const fn plain(&self) -> Option<&Request> {
        self.plain.as_ref()
    }

    /// One request for each detail of this type; in each the slots `wanted` of details can be looked at.
    pub(crate) fn with_details(
        &self,
        kind: &str,
        slots: &Slots,
        wanted: &[usize],
    ) -> impl Iterator<Item = Request> {
        self.entries(kind).filter_map(move |entry| {
            let text = entry.to_string();
            let more = numbered(slots, wanted)
                .filter(|(_, slot)| slot.root == Root::Details)
                .filter_map(|(number, slot)| {
                    let json = value::at(&text, &slot.path);
                    let found = value::express(slot.reading?, json).ok()?;
                    Some((slot::attribute(number), found))
                });
            self.request(more.collect())
        })
    }

    /// Why a slot has no value in the first detail of this type.
    pub(crate) fn detail_lack(&self, kind: &str, slot: &Slot) -> Option<Lack> {
        let entry = self.entries(kind).next()?.to_string();
        value::express(slot.reading?, value::at(&entry, &slot.path)).err()
    }

    fn entries(&self, kind: &str) -> impl Iterator<Item = &'f Value> {
        let entries = self.facts.party.details.iter();
        entries.filter(move |entry| entry.get("type").and_then(Value::as_str) == Some(kind))
    }

    /// Why a slot has no value.
    pub(crate) fn lack(&self, number: usize) -> Option<Lack> {
        self.lacks.get(&number).copied()
    }

    /// The whole number at this path of the arguments.
    pub(crate) fn amount(&self, path: &[String]) -> Option<u64> {
        value::at(self.arguments()?, path)?.trim().parse().ok()
    }

    fn arguments(&self) -> Option<&'f str> {
        match self.facts.arguments {
            Arguments::Given(Some(bytes)) => std::str::from_utf8(bytes).ok(),
            Arguments::Given(None) | Arguments::Open => None,
        }
    }

    fn read(&mut self, slots: &Slots, wanted: &[usize]) {
        let arguments = self.arguments();
        for (number, slot) in numbered(slots, wanted) {
            let Some(reading) = slot.reading else {
                continue;
            };
            let found = match slot.root {
                Root::Arguments if self.is_open() => continue,
                Root::Details => continue,
                Root::Arguments => {
                    let json = arguments.and_then(|json| value::at(json, &slot.path));
                    value::express(reading, json)
                }
                Root::Claims => {
                    let json = claim(&self.facts, &slot.path);
                    value::express(reading, json.as_deref())
                }
            };
            match found {
                Ok(found) => self.pairs.push((slot::attribute(number), found)),
                Err(lack) => {
                    self.lacks.insert(number, lack);
                }
            }
        }
    }

    fn request(&self, more: Vec<(String, RestrictedExpression)>) -> Option<Request> {
        let context = Context::from_pairs(self.pairs.iter().cloned().chain(more)).ok()?;
        let [principal, action, resource] = self.uids.clone();
        Request::new(principal, action, resource, context, None).ok()
    }
}

fn numbered<'s>(slots: &'s Slots, wanted: &'s [usize]) -> impl Iterator<Item = (usize, &'s Slot)> {
    wanted
        .iter()
        .filter_map(|number| Some((*number, slots.get(*number)?)))
}

fn claim(facts: &Facts<'_>, path: &[String]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    let mut now = facts.party.claims.get(first)?;
    for key in rest {
        now = now.as_object()?.get(key)?;
    }
    Some(now.to_string())
}

/// What entities and contexts are made from.
struct Stage<'a, 'f> {
    facts: &'a Facts<'f>,
    asked: &'a Asked<'a>,
    wants: Wants,
}

impl Stage<'_, '_> {
    fn entities(
        &self,
        types: &Types,
        [principal, action, resource]: &[EntityUid; 3],
    ) -> Option<Entities> {
        let mut all = Vec::new();
        if self.wants.principal {
            let roles = self.asked.roles.iter().map(|role| uid(&types.role, role));
            let attributes = self.pairs(&[Owner::Principal]).collect();
            all.push(Entity::new(principal.clone(), attributes, roles.collect()).ok()?);
        }
        if self.wants.resource {
            let owners: &[Owner] = match self.asked.access {
                Access::Tool => &[Owner::Resource, Owner::Tool],
                Access::Prompt | Access::Resource => &[Owner::Resource],
            };
            let server = HashSet::from([uid(&types.server, self.asked.server)]);
            let attributes = self.pairs(owners).collect();
            all.push(Entity::new(resource.clone(), attributes, server).ok()?);
        }
        if self.wants.action {
            let group = HashSet::from([uid(&types.action, USE)]);
            all.push(Entity::new_no_attrs(action.clone(), group));
        }
        Entities::from_entities(all, None).ok()
    }

    fn pairs(&self, owners: &[Owner]) -> impl Iterator<Item = (String, RestrictedExpression)> {
        let attributes = self.wants.of_owners(owners);
        attributes.filter_map(|attribute| Some((attribute.name.to_owned(), self.value(attribute)?)))
    }

    /// `None` when there is none in this request.
    fn value(&self, attribute: &Attribute) -> Option<RestrictedExpression> {
        match attribute.owner {
            Owner::Principal => self.of_principal(attribute.name),
            Owner::Resource | Owner::Tool => self.of_resource(attribute.name),
            Owner::Context => self.of_context(attribute.name),
        }
    }

    fn of_principal(&self, name: &str) -> Option<RestrictedExpression> {
        let party = &self.facts.party;
        match name {
            "issuer" => Some(string(party.issuer)),
            "subject" => Some(string(party.subject)),
            "kind" => Some(string(party.kind)),
            "client" => party.client.map(string),
            "actor" => party.actors.first().copied().map(string),
            "actors" => Some(strings(&party.actors)),
            "roles" => Some(strings(self.asked.roles)),
            "model" => party.model.map(|(model, _)| string(model)),
            "model_source" => party.model.map(|(_, source)| string(source)),
            _ => None,
        }
    }

    fn of_resource(&self, name: &str) -> Option<RestrictedExpression> {
        let hints = &self.facts.annotations;
        let is_so = match name {
            "name" => return Some(string(self.asked.name)),
            "server" => return Some(string(self.asked.server)),
            "read_only" => hints.read_only,
            "destructive" => hints.destructive,
            "idempotent" => hints.idempotent,
            "open_world" => hints.open_world,
            _ => return None,
        };
        Some(RestrictedExpression::new_bool(is_so))
    }

    fn of_context(&self, name: &str) -> Option<RestrictedExpression> {
        let facts = self.facts;
        let long = |number: i64| Some(RestrictedExpression::new_long(number));
        let seconds =
            |age: Option<Duration>| long(i64::try_from(age?.as_secs()).unwrap_or(i64::MAX));
        match name {
            "now" => Some(datetime(facts.moment.unix_millis)),
            "weekday" => long(facts.moment.weekday.into()),
            "minute" => long(facts.moment.minute.into()),
            "source" => facts
                .source
                .map(|source| RestrictedExpression::new_ip(source.to_string())),
            "auth_age" => seconds(facts.party.auth_age),
            "token_age" => seconds(facts.party.token_age),
            "acr" => facts.party.acr.map(string),
            "scopes" => Some(strings(self.asked.scopes)),
            "argument_bytes" => long(match facts.arguments {
                Arguments::Given(Some(bytes)) => i64::try_from(bytes.len()).unwrap_or(i64::MAX),
                Arguments::Given(None) | Arguments::Open => 0,
            }),
            "approved" => Some(RestrictedExpression::new_bool(false)),
            _ => None,
        }
    }
}

fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn strings(texts: &[&str]) -> RestrictedExpression {
    RestrictedExpression::new_set(texts.iter().copied().map(string))
}

/// Cedar offers no way to make one of a number, but by text.
fn datetime(unix_millis: i64) -> RestrictedExpression {
    RestrictedExpression::new_datetime(crate::moment::rfc3339(unix_millis))
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

/// The names of entity types, read once.
struct Types {
    principal: EntityTypeName,
    role: EntityTypeName,
    server: EntityTypeName,
    action: EntityTypeName,
    tool: EntityTypeName,
    prompt: EntityTypeName,
    resource: EntityTypeName,
}

impl Types {
    fn new() -> Option<Self> {
        let name = |name: &str| name.parse().ok();
        Some(Self {
            principal: name("Principal")?,
            role: name("Role")?,
            server: name("Server")?,
            action: name("Action")?,
            tool: name("Tool")?,
            prompt: name("Prompt")?,
            resource: name("Resource")?,
        })
    }

    const fn resource(&self, access: Access) -> &EntityTypeName {
        match access {
            Access::Tool => &self.tool,
            Access::Prompt => &self.prompt,
            Access::Resource => &self.resource,
        }
    }

    /// A method that the table does not have for this kind of thing is judged as its plain use: a list, or what asks
    /// on behalf of an earlier call.
    fn action(&self, method: &str, access: Access) -> EntityUid {
        let kind = access.entity();
        let known = ACTIONS
            .iter()
            .find(|action| action.name == method && action.resources.contains(&kind));
        uid(
            &self.action,
            known.map_or(access.action(), |action| action.name),
        )
    }
}

static TYPES: LazyLock<Option<Types>> = LazyLock::new(Types::new);
