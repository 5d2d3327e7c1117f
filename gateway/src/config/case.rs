//! One case of a policy's tests, as its file says it. Never runs it.

use std::net::IpAddr;
use std::time::Duration;

use gatewright_policies::cases::{Asker, Case, Expected, Refusal};
use gatewright_policies::{Access, Annotations, Moment};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Map, Number, Value as Json};

use crate::identity::PrincipalKind;

use super::behaviour::choose;
use super::policy_keys::ANNOTATIONS;
use super::review::Review;
use super::roles::{check_server, entries};
use super::row::target;
use super::scopes::scopes;
use super::section::Section;
use super::suggest;
use super::suite::Surroundings;
use super::tree::{Node, Text, Value};

/// The case in this section, and its name.
pub(crate) fn case(
    section: &Section<'_>,
    surroundings: &Surroundings<'_>,
    review: &mut Review<'_>,
) -> Option<(String, Case)> {
    let target = target(section, review);
    let server = server(section, surroundings, review);
    let asker = asker(section, surroundings, review);
    let arguments = arguments(section, review);
    let moment = moment(section, surroundings.zone, review);
    let access = target.as_ref().map_or(Access::Tool, |(access, _)| *access);
    let expected = expected(section, access, review);
    let missing = section.texts("scopes_missing");
    let (access, target) = target?;
    let case = Case {
        asker: asker?,
        server: server?,
        access,
        target: target.value,
        arguments,
        annotations: annotations(section),
        moment: moment?,
        expected: expected?,
        missing: missing.map(|texts| texts.into_iter().map(|text| text.value).collect()),
        rule: section.text("rule").map(|text| text.value),
    };
    let name = section
        .text("name")
        .map_or_else(|| describe(&case), |text| text.value);
    Some((name, case))
}

/// `support refund amount=150`, for a case without a name.
fn describe(case: &Case) -> String {
    let mut words = vec![case.asker.roles.join("+"), case.target.clone()];
    let arguments = case.arguments.as_deref();
    if let Some(Ok(Json::Object(members))) = arguments.map(serde_json::from_slice) {
        words.extend(
            members
                .iter()
                .map(|(name, value)| format!("{name}={value}")),
        );
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// The server; the only one when none is named.
fn server(
    section: &Section<'_>,
    surroundings: &Surroundings<'_>,
    review: &mut Review<'_>,
) -> Option<String> {
    if let Some(written) = section.text("server") {
        check_server(&written, surroundings.servers, review);
        return Some(written.value);
    }
    if let Some([only]) = surroundings.servers {
        return Some(only.clone());
    }
    if section.node("server").is_none() {
        missing(section, "server", "name the server that is asked", review);
    }
    None
}

fn asker(
    section: &Section<'_>,
    surroundings: &Surroundings<'_>,
    review: &mut Review<'_>,
) -> Option<Asker> {
    let party = section.section("as");
    let kinds = [
        PrincipalKind::Agent,
        PrincipalKind::User,
        PrincipalKind::Service,
    ];
    let kinds = kinds.map(|kind| (kind.name(), kind.name()));
    let kind = choose(&party, "kind", &kinds, &[], review);
    let sources = ["claim", "meta", "header"].map(|source| (source, source));
    let model_source = choose(&party, "model_source", &sources, &[], review);
    let ages = [
        age(&party, "auth_age", review),
        age(&party, "token_age", review),
    ];
    let [auth_age, token_age] = ages;
    let text = |key: &str| party.text(key).map(|text| text.value);
    let texts = |key: &str| -> Option<Vec<String>> {
        let texts = party.texts(key)?;
        Some(texts.into_iter().map(|text| text.value).collect())
    };
    let scopes = scopes(&party, review);
    let issuer = issuer(&party, surroundings, review);
    let source = source(&party, review);
    let mut asker = Asker {
        roles: texts("roles")?,
        scopes: scopes?,
        issuer: issuer?,
        subject: text("sub")?,
        kind: kind?,
        client: text("client"),
        actors: texts("actors")?,
        model: text("model").zip(model_source),
        claims: object(party.node("claims")),
        details: list(section.node("details")),
        acr: text("acr"),
        auth_age,
        token_age,
        source,
    };
    grant(&mut asker, surroundings);
    Some(asker)
}

/// Roles that the configuration gives besides those that the token names.
fn grant(asker: &mut Asker, surroundings: &Surroundings<'_>) {
    for grant in surroundings.grants {
        let party = (asker.subject.as_str(), asker.client.as_deref());
        let role = grant.role.as_str();
        if grant.issuer.as_str() == asker.issuer
            && grant.applies(party, &asker.scopes)
            && asker.roles.iter().all(|held| held != role)
        {
            asker.roles.push(role.to_owned());
        }
    }
}

/// The URL of the issuer that is named; of the first one when none is.
fn issuer(
    party: &Section<'_>,
    surroundings: &Surroundings<'_>,
    review: &mut Review<'_>,
) -> Option<String> {
    let issuers = surroundings.issuers;
    let Some(written) = party.text("issuer") else {
        let first = issuers.first();
        return Some(first.map_or_else(String::new, |issuer| issuer.url.as_str().to_owned()));
    };
    if let Some(issuer) = issuers.iter().find(|issuer| issuer.name == written.value) {
        return Some(issuer.url.as_str().to_owned());
    }
    let names: Vec<_> = issuers.iter().map(|issuer| issuer.name.as_str()).collect();
    review.report(
        written.at,
        "unknown-issuer",
        format!("no issuer is named `{}`", written.value),
        suggest::help(&written.value, &names, "known here"),
    );
    None
}

/// How long ago something was; nothing when it is not said, or wrong, which is reported.
fn age(party: &Section<'_>, key: &str, review: &mut Review<'_>) -> Option<Duration> {
    party.duration(key, (Duration::ZERO, OLDEST), review)
}

fn source(party: &Section<'_>, review: &mut Review<'_>) -> Option<IpAddr> {
    let written = party.text("source")?;
    let address = written.value.parse().ok();
    if address.is_none() {
        review.report(
            written.at,
            "bad-address",
            format!("`{}` is not an IP address", written.value),
            "write an address without a port, like `10.0.0.7`",
        );
    }
    address
}

/// The bytes of the arguments: a map, or the JSON text of one.
fn arguments(section: &Section<'_>, review: &mut Review<'_>) -> Option<Vec<u8>> {
    let node = section.node("args")?;
    match &node.value {
        Value::Map(_) => return Some(json(node).to_string().into_bytes()),
        Value::Text(text) if serde_json::from_str::<Map<String, Json>>(text).is_ok() => {
            return Some(text.clone().into_bytes());
        }
        Value::Faulty => return None,
        Value::Null
        | Value::Flag(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::List(_) => {}
    }
    review.report(
        node.at,
        "wrong-type",
        format!("expected a map, found {}", node.value.kind()),
        "write `{ name: value }`, or a JSON object as a string",
    );
    None
}

fn annotations(section: &Section<'_>) -> Annotations {
    let Some(node) = section.node("annotations") else {
        return Annotations::default();
    };
    let written = Section::new(ANNOTATIONS, node);
    let worst = Annotations::default();
    let flag = |key: &str, otherwise: bool| match written.node(key).map(|node| &node.value) {
        Some(Value::Flag(flag)) => *flag,
        _ => otherwise,
    };
    Annotations {
        read_only: flag("read_only", worst.read_only),
        destructive: flag("destructive", worst.destructive),
        idempotent: flag("idempotent", worst.idempotent),
        open_world: flag("open_world", worst.open_world),
    }
}

/// `at`: a moment with its offset, or a time on the clocks of the policy's zone.
fn moment(
    section: &Section<'_>,
    zone: Option<&TimeZone>,
    review: &mut Review<'_>,
) -> Option<Moment> {
    let zone = zone?.clone();
    let written = section.text("at");
    let text = written.as_ref().map_or(MONDAY_NOON, |text| &text.value);
    let zoned = match text.parse::<Timestamp>() {
        Ok(moment) => Some(moment.to_zoned(zone)),
        Err(_) => text
            .parse::<DateTime>()
            .ok()
            .and_then(|local| local.to_zoned(zone).ok()),
    };
    if let (None, Some(written)) = (&zoned, &written) {
        review.report(
            written.at,
            "bad-time",
            format!("`{}` is not a time", written.value),
            "write it like `2027-01-04T09:30`, or with an offset like `2027-01-04T09:30:00+01:00`",
        );
    }
    zoned.as_ref().map(moment_of)
}

/// The moment as conditions see it.
pub(crate) fn moment_of(zoned: &Zoned) -> Moment {
    let minute = i16::from(zoned.hour()) * 60 + i16::from(zoned.minute());
    Moment {
        unix_millis: zoned.timestamp().as_millisecond(),
        weekday: u8::try_from(zoned.weekday().to_monday_one_offset()).unwrap_or_default(),
        minute: u16::try_from(minute).unwrap_or_default(),
    }
}

fn expected(section: &Section<'_>, access: Access, review: &mut Review<'_>) -> Option<Expected> {
    if section.node("expect").is_none() {
        missing(
            section,
            "expect",
            "add `expect: allow` or `expect: deny`",
            review,
        );
        return None;
    }
    let mut choices = vec![("allow", Expected::Allow), ("deny", Expected::Deny)];
    let refusals = Refusal::ALL.into_iter();
    choices.extend(refusals.map(|refusal| (refusal.name(access), Expected::Refusal(refusal))));
    choose(section, "expect", &choices, &[], review)
}

fn missing(section: &Section<'_>, key: &str, help: &str, review: &mut Review<'_>) {
    let message = format!("missing key `{key}`");
    review.report(section.at(), "missing-key", message, help);
}

fn object(node: Option<&Node>) -> Map<String, Json> {
    let entries = node.map_or(&[][..], entries).iter();
    let member = |(key, value): &(Text, Node)| (key.value.clone(), json(value));
    entries.map(member).collect()
}

fn list(node: Option<&Node>) -> Vec<Json> {
    match node.map(|node| &node.value) {
        Some(Value::List(items)) => items.iter().map(json).collect(),
        _ => Vec::new(),
    }
}

/// The value as JSON. A number with a point stays one.
fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null | Value::Faulty => Json::Null,
        Value::Flag(flag) => Json::Bool(*flag),
        Value::Integer(number) => Number::from_i128(*number).map_or(Json::Null, Json::Number),
        Value::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::Text(text) => Json::String(text.clone()),
        Value::List(items) => Json::Array(items.iter().map(json).collect()),
        Value::Map(_) => Json::Object(object(Some(node))),
    }
}

/// When a case is asked that does not say it: a Monday, at noon.
const MONDAY_NOON: &str = "2027-01-04T12:00";
const OLDEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
