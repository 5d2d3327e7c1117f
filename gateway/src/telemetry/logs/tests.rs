//! The log as it is written.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing_subscriber::util::SubscriberInitExt;

use super::{LogError, json, text};

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn read(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn speak() {
    tracing::info!(target: "gatewright::edge", server = "crm", "a request");
    tracing::debug!(target: "gatewright::edge", "a detail");
    tracing::warn!(target: "pingora_core::apps", "a warning");
    tracing::info!(target: "pingora_proxy", "Authorization: a-credential");
    tracing::debug!(target: "pingora_proxy", "Authorization: a-credential");
}

fn written(filter: &str) -> String {
    let page = Page::default();
    let writer = page.clone();
    tracing::subscriber::with_default(text(filter, move || writer.clone()).unwrap(), speak);
    page.read()
}

#[test]
fn without_a_filter_info_is_shown_and_debug_is_not() {
    let page = written("");
    assert!(page.contains("a request"), "{page}");
    assert!(page.contains("a warning"), "{page}");
    assert!(!page.contains("a detail"), "{page}");
}

#[test]
fn a_filter_shows_more_of_ours() {
    assert!(written("debug").contains("a detail"));
}

#[test]
fn no_filter_shows_what_pingora_says_below_warn() {
    for filter in [
        "",
        "trace",
        "pingora_proxy=trace",
        "info,pingora_proxy=debug,pingora_core=debug",
    ] {
        assert!(!written(filter).contains("a-credential"), "{filter}");
    }
}

#[test]
fn a_filter_that_is_none_is_refused_by_name() {
    let refused = text("gatewright=loud", io::stderr).err().unwrap();
    assert!(matches!(&refused, LogError::Filter { filter, .. } if filter == "gatewright=loud"));
}

#[test]
fn a_json_line_is_one_object_with_its_fields() {
    let page = Page::default();
    let writer = page.clone();
    let subscriber = json("", move || writer.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(target: "gatewright::edge", server = "crm", "two\nlines");
    });
    let lines = page.read();
    assert_eq!(lines.lines().count(), 1, "{lines}");
    let line: serde_json::Value = serde_json::from_str(&lines).unwrap();
    assert_eq!(line["server"], "crm");
    assert_eq!(line["message"], "two\nlines");
    assert_eq!(line["level"], "INFO");
}

#[test]
fn a_line_is_written_once_although_libraries_speak_through_two_crates() {
    let page = Page::default();
    let writer = page.clone();
    text("debug", move || writer.clone())
        .unwrap()
        .try_init()
        .unwrap();
    speak();
    assert_eq!(
        page.read().matches("a request").count(),
        1,
        "{}",
        page.read()
    );
    assert!(!page.read().contains("a-credential"));
    let refused = super::install(super::LogFormat::Text, "").unwrap_err();
    assert!(matches!(refused, LogError::Installed { .. }), "{refused}");
}
