//! One question as Cedar sees it: entities, context and request, made from proven facts. Adds no fact of its own.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};
use serde_json::Value;

use crate::attribute::{ACTIONS, USE};
use crate::facts::{Arguments, Facts};
use crate::question::Access;
use crate::slot::{self, Root, Slot, Slots};
use crate::value::{self, Lack};

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

impl<'f> Scene<'f> {
    /// The scene in which the slots `wanted` can be looked at. `None` when Cedar takes it for none: then nothing holds.
    pub(crate) fn new(
        facts: Facts<'f>,
        asked: &Asked<'_>,
        slots: &Slots,
        wanted: &[usize],
    ) -> Option<Self> {
        let types = TYPES.as_ref()?;
        let action = types.action(facts.method, asked.access);
        let principal_id = format!("{}#{}", facts.party.issuer, facts.party.subject);
        let principal = uid(&types.principal, &principal_id);
        let resource_id = format!("{}/{}", asked.server, asked.name);
        let resource = uid(types.resource(asked.access), &resource_id);
        let entities = Entities::from_entities(
            [
                principal_entity(types, principal.clone(), &facts, asked)?,
                resource_entity(types, resource.clone(), &facts, asked)?,
                Entity::new_no_attrs(action.clone(), HashSet::from([uid(&types.action, USE)])),
            ],
            None,
        )
        .ok()?;
        let mut scene = Self {
            pairs: context(&facts, asked),
            facts,
            entities,
            uids: [principal, action, resource],
            plain: None,
            lacks: HashMap::new(),
        };
        scene.read(slots, wanted);
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
                    let found = value::express(slot.reading, json).ok()?;
                    Some((slot::attribute(number), found))
                });
            self.request(more.collect())
        })
    }

    /// Why a slot has no value in the first detail of this type.
    pub(crate) fn detail_lack(&self, kind: &str, slot: &Slot) -> Option<Lack> {
        let entry = self.entries(kind).next()?.to_string();
        value::express(slot.reading, value::at(&entry, &slot.path)).err()
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
            let found = match slot.root {
                Root::Arguments if self.is_open() => continue,
                Root::Details => continue,
                Root::Arguments => {
                    let json = arguments.and_then(|json| value::at(json, &slot.path));
                    value::express(slot.reading, json)
                }
                Root::Claims => {
                    let json = claim(&self.facts, &slot.path);
                    value::express(slot.reading, json.as_deref())
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

fn context(facts: &Facts<'_>, asked: &Asked<'_>) -> Vec<(String, RestrictedExpression)> {
    let bytes = match facts.arguments {
        Arguments::Given(Some(bytes)) => i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        Arguments::Given(None) | Arguments::Open => 0,
    };
    let moment = &facts.moment;
    let seconds = |age: std::time::Duration| {
        RestrictedExpression::new_long(i64::try_from(age.as_secs()).unwrap_or(i64::MAX))
    };
    let mut pairs = vec![
        ("now".to_owned(), datetime(moment.unix_millis)),
        (
            "weekday".to_owned(),
            RestrictedExpression::new_long(moment.weekday.into()),
        ),
        (
            "minute".to_owned(),
            RestrictedExpression::new_long(moment.minute.into()),
        ),
        ("scopes".to_owned(), strings(asked.scopes)),
        (
            "argument_bytes".to_owned(),
            RestrictedExpression::new_long(bytes),
        ),
        ("approved".to_owned(), RestrictedExpression::new_bool(false)),
    ];
    let maybe = [
        (
            "source",
            facts
                .source
                .map(|source| RestrictedExpression::new_ip(source.to_string())),
        ),
        ("auth_age", facts.party.auth_age.map(seconds)),
        ("token_age", facts.party.token_age.map(seconds)),
        ("acr", facts.party.acr.map(string)),
    ];
    pairs.extend(present(maybe));
    pairs
}

fn principal_entity(
    types: &Types,
    uid_of_principal: EntityUid,
    facts: &Facts<'_>,
    asked: &Asked<'_>,
) -> Option<Entity> {
    let party = &facts.party;
    let (model, source) = party.model.unzip();
    let mut attributes = HashMap::from([
        ("issuer".to_owned(), string(party.issuer)),
        ("subject".to_owned(), string(party.subject)),
        ("kind".to_owned(), string(party.kind)),
        ("actors".to_owned(), strings(&party.actors)),
        ("roles".to_owned(), strings(asked.roles)),
    ]);
    attributes.extend(present([
        ("client", party.client.map(string)),
        ("actor", party.actors.first().copied().map(string)),
        ("model", model.map(string)),
        ("model_source", source.map(string)),
    ]));
    let roles = asked.roles.iter().map(|role| uid(&types.role, role));
    Entity::new(uid_of_principal, attributes, roles.collect()).ok()
}

fn resource_entity(
    types: &Types,
    uid_of_resource: EntityUid,
    facts: &Facts<'_>,
    asked: &Asked<'_>,
) -> Option<Entity> {
    let mut attributes = HashMap::from([
        ("name".to_owned(), string(asked.name)),
        ("server".to_owned(), string(asked.server)),
    ]);
    if asked.access == Access::Tool {
        let hints = [
            ("read_only", facts.annotations.read_only),
            ("destructive", facts.annotations.destructive),
            ("idempotent", facts.annotations.idempotent),
            ("open_world", facts.annotations.open_world),
        ];
        attributes.extend(
            hints.map(|(name, is_so)| (name.to_owned(), RestrictedExpression::new_bool(is_so))),
        );
    }
    let server = HashSet::from([uid(&types.server, asked.server)]);
    Entity::new(uid_of_resource, attributes, server).ok()
}

fn present<const N: usize>(
    pairs: [(&str, Option<RestrictedExpression>); N],
) -> impl Iterator<Item = (String, RestrictedExpression)> {
    pairs
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
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
