//! `gatewright config show`: the configuration in force, with what the file says and what holds without it. Shows no
//! secret: neither what stands in a named file, nor a value of the environment, nor the query of a URL.

use std::io;

use serde_json::{Map, Value, json};

use super::check::{FAILED, INVALID, OK, Streams};
use super::{Configured, Format};
use crate::config::shown::{Origin, Shown, ShownKey};
use crate::config::{Colour, load, search};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Config {
    /// Every key with the value in force, secrets hidden.
    Show(Show),
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    #[command(flatten)]
    configured: Configured,
    /// `text` is YAML that `check` accepts again, with a comment where nothing is written; in `json` an absent value is null.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

pub(super) fn show(show: Show, colour: Colour) -> u8 {
    let (mut data, mut talk) = (io::stdout().lock(), io::stderr().lock());
    let mut streams = Streams {
        data: &mut data,
        talk: &mut talk,
    };
    write_shown(show, colour, &search::process_environment, &mut streams).unwrap_or(FAILED)
}

fn write_shown(
    show: Show,
    colour: Colour,
    environment: &dyn Fn(&str) -> Option<String>,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let path = match search::find(show.configured.config, environment) {
        Ok(path) => path,
        Err(nothing) => {
            writeln!(
                streams.talk,
                "error: {nothing}\n  = help: name one with `--config`"
            )?;
            return Ok(INVALID);
        }
    };
    match load::load_shown(&path, environment) {
        Ok(shown) => match show.output {
            Format::Text => write!(streams.data, "{}", to_yaml(&shown))?,
            Format::Json => writeln!(streams.data, "{:#}", to_json(&shown))?,
        },
        Err(mistakes) => {
            writeln!(streams.talk, "{}", mistakes.render(colour))?;
            return Ok(INVALID);
        }
    }
    streams.data.flush()?;
    Ok(OK)
}

fn to_json(shown: &Shown) -> Value {
    match shown {
        Shown::Absent => Value::Null,
        Shown::Flag(flag) => json!(flag),
        // What a number of the file may be fits: every one has a range.
        Shown::Integer(number) => i64::try_from(*number).map_or(Value::Null, Value::from),
        Shown::Text(text) => json!(text),
        Shown::List(items) => items.iter().map(to_json).collect(),
        Shown::Map(keys) => Value::Object(
            keys.iter()
                .map(|key| (key.name.clone(), to_json(&key.value)))
                .collect::<Map<_, _>>(),
        ),
    }
}

fn to_yaml(shown: &Shown) -> String {
    let lines = match shown {
        Shown::Map(keys) => map(keys),
        Shown::Absent | Shown::Flag(_) | Shown::Integer(_) | Shown::Text(_) | Shown::List(_) => {
            Vec::new()
        }
    };
    lines.into_iter().map(|line| line + "\n").collect()
}

/// The lines of a map; those of absent keys come last, so that the first line is a key whenever there is one.
fn map(keys: &[ShownKey]) -> Vec<String> {
    let (absent, there): (Vec<_>, Vec<_>) = keys.iter().partition(|key| key.value == Shown::Absent);
    let absent = absent
        .iter()
        .map(|key| format!("# {}: absent", plain(&key.name)));
    there.into_iter().flat_map(entry).chain(absent).collect()
}

fn entry(key: &ShownKey) -> Vec<String> {
    let name = plain(&key.name);
    let mark = match key.origin {
        Origin::Written => "",
        Origin::Default => "  # default",
    };
    let flow = flow(&key.value).map_or_else(String::new, |flow| format!(" {flow}"));
    let mut lines = vec![format!("{name}:{flow}{mark}")];
    match &key.value {
        Shown::Map(keys) => lines.extend(indented(map(keys))),
        Shown::List(items) if flow.is_empty() => {
            lines.extend(indented(items.iter().flat_map(item).collect()));
        }
        Shown::Absent | Shown::Flag(_) | Shown::Integer(_) | Shown::Text(_) | Shown::List(_) => {}
    }
    lines
}

fn item(item: &Shown) -> Vec<String> {
    let mut lines = match (flow(item), item) {
        (None, Shown::Map(keys)) => indented(map(keys)),
        (flow, _) => vec![format!("  {}", flow.unwrap_or_default())],
    };
    if let Some(first) = lines.first_mut() {
        first.replace_range(..1, "-");
    }
    lines
}

/// The value on one line: scalars, lists of them, and maps without a key that is there.
fn flow(shown: &Shown) -> Option<String> {
    match shown {
        Shown::Absent => None,
        Shown::Flag(flag) => Some(flag.to_string()),
        Shown::Integer(number) => Some(number.to_string()),
        Shown::Text(text) => Some(plain(text)),
        Shown::List(items) => {
            let is_scalar = |item: &Shown| !matches!(item, Shown::Map(_) | Shown::List(_));
            let all = items.iter().all(is_scalar);
            all.then(|| {
                let items: Vec<_> = items.iter().filter_map(flow).collect();
                format!("[{}]", items.join(", "))
            })
        }
        Shown::Map(keys) => {
            let is_empty = keys.iter().all(|key| key.value == Shown::Absent);
            is_empty.then(|| "{}".to_owned())
        }
    }
}

fn indented(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

/// The string as YAML reads it: bare when nothing in it could be anything else, else with quotes, as JSON has them.
fn plain(text: &str) -> String {
    let is_bare =
        |character: char| character.is_ascii_alphanumeric() || "_-./:".contains(character);
    let is_word = ["true", "false", "null"].contains(&text.to_ascii_lowercase().as_str());
    let starts =
        text.starts_with(|character: char| character.is_ascii_alphabetic() || character == '/');
    if (starts || is_amount(text)) && text.chars().all(is_bare) && !text.ends_with(':') && !is_word
    {
        return text.to_owned();
    }
    Value::from(text).to_string()
}

/// Digits and then letters, other than those that make a number.
fn is_amount(text: &str) -> bool {
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit());
    unit.len() < text.len()
        && unit.starts_with(['B', 'k', 'K', 'M', 'G', 'm', 's', 'h'])
        && unit
            .chars()
            .all(|character| character.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use clap::Parser;
    use serde_json::{Value, json};

    use super::super::check::{self, INVALID, OK, Output, Streams};
    use super::super::{Cli, Verb};
    use super::{Config, write_shown};
    use crate::config::{Colour, reference};

    const SMALL: &str = "\
version: 1
public_url: http://127.0.0.1:8080
issuers: [{ name: corp, url: https://auth.example.com, profile: lenient }]
servers: [{ name: crm, path: /crm/mcp, upstream: http://127.0.0.1:3000/mcp }]
";

    /// Every key that there is; `ENDPOINT` and `CLIENT` are variables.
    const FULL: &str = "\
version: 1
listen:
  tls: { cert_file: file, key_file: file, client_ca_file: file }
  client_cert_from: [10.0.0.0/8]
public_url: https://mcp.example.com
issuers:
  - name: corp
    url: https://auth.example.com
    jwks_uri: https://auth.example.com/keys?key=open-sesame
    model_claim: agent_model
    introspection: { endpoint: \"${ENDPOINT}\", client_id: \"a ${CLIENT}: b\", client_secret_file: secret }
  - { name: files, url: https://files.example.com, jwks_file: file }
servers:
  - name: crm
    path: /crm/mcp
    upstream: https://crm.internal/mcp?key=open-sesame
    ca_file: file
    issuers: [files]
    api_keys: { keys_file: keys.yaml, hash_key_file: secret, sunset: 2027-01-31 }
    max_token_age: 1h
    max_auth_age: 1h
    tiers:
      low: { tools: [get_*], max_token_age: 1h, max_auth_age: 1h }
      medium: { tools: [put_*], max_token_age: 1h, max_auth_age: 1h }
      high: { tools: [delete_*], max_token_age: 1h, max_auth_age: 1h }
policy:
  roles:
    analyst:
      grant: [{ issuer: corp, client: c, subject: s }]
      crm: [search_*, { tool: refund, scopes: [crm:refund] }, { prompt: p, approval: { by: owners } }, { resource: \"crm://**\" }]
dpop: { nonce: required, nonce_key_file: secret }
audit:
  arguments: fields
  fields: { crm: { refund: [/amount] } }
  digest_key_file: secret
  model: { header: X-Agent-Model }
  hours: { from: \"08:00\", to: \"18:00\", zone: UTC }
  ship:
    - stdout: {}
    - http: { url: \"https://siem.internal/in?key=open-sesame\", token_file: secret }
    - nats: { url: \"tls://nats.internal\", stream: A, token_file: secret }
    - otlp: { endpoint: \"https://otel.internal\" }
deny_http_status: 403
";

    fn environment(name: &str) -> Option<String> {
        match name {
            "ENDPOINT" => Some("https://auth.example.com/introspect".to_owned()),
            "CLIENT" => Some("open-sesame".to_owned()),
            _ => None,
        }
    }

    fn folder_with(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("gatewright.yaml", text);
        write("file", "");
        write("keys.yaml", "");
        write("secret", "open-sesame-open-sesame-open-sesame-open");
        folder
    }

    /// Exit code, stdout and stderr.
    fn shown(text: &str, output: &str) -> (u8, String, String) {
        let folder = folder_with(text);
        let path = folder.path().join("gatewright.yaml");
        let path = path.to_str().unwrap();
        let line = ["gatewright", "config", "show", "-c", path, "-o", output];
        let Verb::Config(Config::Show(show)) = Cli::try_parse_from(line).unwrap().verb else {
            panic!("another verb");
        };
        let (mut data, mut talk) = (Vec::new(), Vec::new());
        let mut streams = Streams {
            data: &mut data,
            talk: &mut talk,
        };
        let code = write_shown(show, Colour::Off, &environment, &mut streams).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (code, text(data), text(talk))
    }

    fn check(path: &Path) -> (u8, String) {
        let (mut data, mut talk) = (Vec::new(), Vec::new());
        let mut streams = Streams {
            data: &mut data,
            talk: &mut talk,
        };
        let how = (Output::Text, Colour::Off);
        let code = check::check(Some(path.to_owned()), how, &environment, &mut streams);
        (code, String::from_utf8(talk).unwrap())
    }

    /// The paths of keys, as the reference spells them.
    fn paths(value: &Value, prefix: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(keys) => {
                for (name, value) in keys {
                    let is_role = prefix.starts_with("policy.roles.") && name != "grant";
                    let is_own =
                        (is_role || prefix.starts_with("audit.fields.")) && !prefix.contains("[]");
                    let name = if is_own { "*" } else { name };
                    paths(value, &format!("{prefix}{name}."), found);
                }
            }
            Value::Array(items) => {
                let prefix = format!("{}[].", prefix.trim_end_matches('.'));
                for item in items {
                    paths(item, &prefix, found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        let path = prefix.trim_end_matches('.').trim_end_matches("[]");
        if !path.is_empty() && !path.ends_with('*') {
            found.insert(path.to_owned());
        }
    }

    #[test]
    fn every_key_of_the_table_is_shown() {
        let (code, data, talk) = shown(FULL, "json");
        assert_eq!(code, OK, "{talk}");
        let mut found = BTreeSet::new();
        paths(&serde_json::from_str(&data).unwrap(), "", &mut found);
        let entries = reference::entries().into_iter();
        let table: BTreeSet<_> = entries.map(|entry| entry.path).collect();
        assert_eq!(found, table);
        let (_, text, _) = shown(FULL, "text");
        for path in table {
            let name = path.rsplit('.').next().unwrap();
            assert!(
                text.contains(&format!("{name}:")),
                "{path} is not in\n{text}"
            );
        }
    }

    #[test]
    fn what_is_shown_can_be_checked_and_shown_again() {
        for text in [SMALL, FULL] {
            let (_, first, talk) = shown(text, "text");
            let folder = folder_with(&first);
            let (code, mistakes) = check(&folder.path().join("gatewright.yaml"));
            assert_eq!((code, mistakes.as_str()), (OK, ""), "{first}{talk}");
            let plain = |text: &str| text.replace("  # default", "");
            assert_eq!(plain(&shown(&first, "text").1), plain(&first));
            assert_eq!(shown(&first, "json").1, shown(text, "json").1);
        }
    }

    #[test]
    fn what_nobody_wrote_is_marked_and_what_is_absent_is_a_comment() {
        let (_, text, _) = shown(&format!("{SMALL}limits: {{ body: 1MiB }}\n"), "text");
        for line in [
            "  body: 1MiB",
            "  headers: 32KiB  # default",
            "  header_lines: 100  # default",
            "listen:  # default",
            "  address: \"127.0.0.1:8080\"  # default",
            "  # tls: absent",
            "    token_types: [at+jwt, JWT]  # default",
            "    issuers: [corp]  # default",
            "    audiences: [http://127.0.0.1:8080/crm/mcp]  # default",
            "    calls_outlive_token: false  # default",
            "# deny_http_status: absent",
        ] {
            let is_there = text
                .lines()
                .any(|shown| shown == line.replace("at+jwt", "\"at+jwt\""));
            assert!(is_there, "{line} is not in\n{text}");
        }
        let json: Value = serde_json::from_str(&shown(SMALL, "json").1).unwrap();
        assert_eq!(json["limits"]["header_lines"], json!(100));
        assert_eq!(json["deny_http_status"], Value::Null);
    }

    #[test]
    fn no_secret_is_shown() {
        for output in ["text", "json"] {
            let (_, data, talk) = shown(FULL, output);
            assert!(!format!("{data}{talk}").contains("sesame"), "{data}{talk}");
            assert!(data.contains("a ${CLIENT}: b"), "{data}");
            assert!(data.contains("https://crm.internal/mcp?<hidden>"), "{data}");
        }
    }

    #[test]
    fn a_configuration_with_mistakes_is_not_shown() {
        let (code, data, talk) = shown(&SMALL.replace("upstream", "upstrem"), "json");
        assert_eq!((code, data.as_str()), (INVALID, ""));
        assert!(talk.starts_with("error[unknown-key]"), "{talk}");
    }
}
