//! Orders, files and a queue of commands for the night. Runs no command.

use std::fs;

use rmcp::model::JsonObject;
use serde_json::json;

use super::server::{number, text};

/// What is kept between calls.
#[derive(Default)]
pub(crate) struct Warehouse {
    queue: Vec<String>,
    exports: Vec<String>,
}

impl Warehouse {
    pub(super) fn call(&mut self, tool: &str, arguments: &JsonObject) -> Result<String, String> {
        match tool {
            "query" => query(text(arguments, "region")?, number(arguments, "limit")?),
            "load_file" => load(text(arguments, "path")?),
            "schedule" => {
                self.queue.push(text(arguments, "command")?.to_owned());
                Ok(format!("{} commands wait for the night", self.queue.len()))
            }
            "export" => {
                self.exports
                    .push(text(arguments, "destination")?.to_owned());
                Ok(format!("{} exports made", self.exports.len()))
            }
            other => Err(format!("no code for `{other}`")),
        }
    }
}

fn query(region: &str, limit: i64) -> Result<String, String> {
    let limit = usize::try_from(limit).map_err(|_| "`limit` is negative".to_owned())?;
    let rows = ORDERS
        .iter()
        .filter(|(_, place, _)| *place == region)
        .take(limit);
    let rows: Vec<_> = rows
        .map(|(id, place, amount)| json!({ "id": id, "region": place, "amount": amount }))
        .collect();
    Ok(json!(rows).to_string())
}

fn load(path: &str) -> Result<String, String> {
    let read = fs::read_to_string(path).map_err(|error| error.to_string())?;
    Ok(format!("{} lines", read.lines().count()))
}

const ORDERS: [(u32, &str, u32); 6] = [
    (1, "north", 120),
    (2, "south", 80),
    (3, "north", 310),
    (4, "west", 45),
    (5, "south", 99),
    (6, "north", 12),
];
