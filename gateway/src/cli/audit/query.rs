//! `gatewright audit query`: the records that somebody asks for, one line each. Never shows text of others as it came.

use super::super::lines::visible;
use super::filter::{Asked, Filter, Kinds};
use super::record::Newest;
use super::{Place, Record};
use crate::audit::read::{ReadError, Records};
use crate::cli::{FAILED, complain, complain_of};
use crate::config::Colour;
use crate::model::{Clock, SystemClock, UnixTime};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Query {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    asked: Asked,
    /// The newest so many of them.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// How they are written: a line for a reader, or the record itself.
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Form {
    Table,
    Json,
}

pub(super) fn run(query: Query, colour: Colour) -> u8 {
    let now = SystemClock.now();
    let filter = Filter::new(query.asked, now, Kinds::Decided);
    let directories = match query.place.directories(colour) {
        Ok(directories) => directories,
        Err(code) => return code,
    };
    let found = Newest::new(query.limit);
    let records = Records::open(&directories, filter.since);
    match records.and_then(|records| {
        look(
            records,
            &filter,
            |line, record| form(query.output, line, record, now),
            found,
        )
    }) {
        Ok(0) => 0,
        Ok(unreadable) => {
            complain(&format!(
                "lines that are no record: {unreadable}; see `gatewright audit verify`"
            ));
            FAILED
        }
        Err(error) => {
            complain_of(&error);
            FAILED
        }
    }
}

/// Adds what `shown` makes of each record that `filter` accepts; answers how many lines are no record.
pub(super) fn look(
    mut records: Records,
    filter: &Filter,
    shown: impl Fn(&[u8], &Record<'_>) -> Option<Vec<u8>>,
    mut found: Newest,
) -> Result<u64, ReadError> {
    let (mut line, mut unreadable) = (Vec::new(), 0_u64);
    while records.next(&mut line)? {
        if !filter.is_in_time(&line) {
            continue;
        }
        let Some(record) = Record::read(&line) else {
            unreadable = unreadable.saturating_add(1);
            continue;
        };
        let accepted = Some(&record).filter(|record| filter.accepts(record));
        let is_read = accepted
            .and_then(|record| shown(&line, record))
            .is_none_or(|shown| found.add(shown));
        if !is_read {
            break;
        }
    }
    found.finish();
    Ok(unreadable)
}

#[expect(clippy::unnecessary_wraps, reason = "other forms leave records out")]
pub(super) fn form(form: Form, line: &[u8], record: &Record<'_>, now: UnixTime) -> Option<Vec<u8>> {
    Some(match form {
        Form::Json => line.to_vec(),
        Form::Table => row(record, now).into_bytes(),
    })
}

/// `14:32:00 user_12345 via agent_67890 (planner-7) model claude-x[claim] tools/call:delete_customer deny tool_not_allowed`
fn row(record: &Record<'_>, now: UnixTime) -> String {
    let mut words = vec![moment(&record.timestamp, now)];
    if !matches!(&*record.kind, "decision" | "authn") {
        words.push(visible(&record.kind));
    }
    words.extend(record.sub.as_deref().map(visible));
    if let Some(agent) = record.act.as_deref().or_else(|| record.client()) {
        words.push(format!("via {}", visible(agent)));
    }
    let asserted = record
        .actor
        .as_ref()
        .and_then(|actor| actor.client_name.as_deref());
    words.extend(asserted.map(|name| format!("({})", visible(name))));
    if let Some(model) = &record.model {
        words.push(format!(
            "model {}[{}]",
            visible(&model.name),
            visible(&model.source)
        ));
    }
    words.extend(action(record));
    words.extend(record.decision.as_deref().map(visible));
    words.extend(record.reason.as_ref().map(|reason| visible(&reason.code)));
    words.join(" ")
}

fn action(record: &Record<'_>) -> Option<String> {
    let action = record.action.as_deref()?;
    let name = record.mcp.as_ref().and_then(|mcp| mcp.name.as_deref());
    Some(match name {
        Some(name) if !action.contains(':') => visible(&format!("{action}:{name}")),
        Some(_) | None => visible(action),
    })
}

/// The time of day, with the day when that is not today.
fn moment(time: &str, now: UnixTime) -> String {
    let now = now.to_string();
    match (time.get(..DAY), time.get(CLOCK)) {
        (Some(day), Some(clock)) if now.get(..DAY) == Some(day) => clock.to_owned(),
        (Some(day), Some(clock)) => visible(&format!("{day} {clock}")),
        _ => visible(time),
    }
}

/// Of a time as RFC 3339: its day, and the rest down to seconds.
const DAY: usize = 10;
const CLOCK: std::ops::Range<usize> = 11..19;

#[cfg(test)]
mod tests {
    use super::row;
    use crate::cli::audit::Record;
    use crate::model::UnixTime;

    const DENIED: &str = r#"{"timestamp":"2023-11-14T14:32:00.123Z","sub":"user_12345","act":"agent_67890","action":"tools/call","decision":"deny","kind":"decision","actor":{"client_id":"agent_67890","client_name":"planner-7","client_asserted":true},"model":{"name":"claude-x","source":"claim"},"mcp":{"method":"tools/call","name":"delete_customer","server":"crm"},"reason":{"code":"tool_not_allowed","message":"no"}}"#;

    fn shown(line: &str) -> String {
        let now = UnixTime::from_seconds(1_700_000_000);
        row(&Record::read(line.as_bytes()).unwrap(), now)
    }

    #[test]
    fn a_decision_is_one_line_with_who_through_what_and_why() {
        assert_eq!(
            shown(DENIED),
            "14:32:00 user_12345 via agent_67890 (planner-7) model claude-x[claim] \
             tools/call:delete_customer deny tool_not_allowed"
        );
        let named = DENIED.replace(
            r#""tools/call","decision"#,
            r#""tools/call:delete_customer","decision"#,
        );
        assert_eq!(
            shown(&named),
            shown(DENIED),
            "the name of the tool comes once"
        );
    }

    #[test]
    fn another_day_is_named_and_so_is_another_kind() {
        let line = r#"{"timestamp":"2023-11-13T14:32:00.123Z","action":"reload","kind":"config"}"#;
        assert_eq!(shown(line), "2023-11-13 14:32:00 config reload");
    }

    #[test]
    fn a22_text_of_others_does_not_steer_the_terminal() {
        let line = DENIED.replace("planner-7", r"\u001b[2J\u202e\nok");
        let shown = shown(&line);
        assert!(shown.contains(r"(\u{1b}[2J\u{202e}\u{a}ok)"), "{shown}");
        assert!(shown.chars().all(|one| !one.is_control()), "{shown}");
    }
}
