//! What the server lists: tools, prompts, resources and templates, read from `catalogue.json`.
//! Never changes while the server runs, so lists come in the same order every time.

use std::io::{Error, ErrorKind};

use rmcp::model::{Prompt, Resource, ResourceTemplate, Tool};
use serde::Deserialize;

/// Everything the server can be asked to list, in the order it lists it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Catalogue {
    pub(super) tools: Vec<Tool>,
    pub(super) prompts: Vec<Prompt>,
    pub(super) resources: Vec<Resource>,
    pub(super) resource_templates: Vec<ResourceTemplate>,
}

impl Catalogue {
    /// Reads the catalogue that is part of the binary.
    pub(super) fn read() -> Result<Self, Error> {
        serde_json::from_str(include_str!("catalogue.json"))
            .map_err(|error| Error::new(ErrorKind::InvalidData, error))
    }

    /// The tool of that name, if the server has one.
    pub(super) fn tool(&self, name: &str) -> Option<Tool> {
        self.tools.iter().find(|tool| tool.name == name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Catalogue;

    #[test]
    fn the_carried_catalogue_names_every_tool_once() {
        let catalogue = Catalogue::read().unwrap();
        let names: HashSet<_> = catalogue.tools.iter().map(|tool| &tool.name).collect();
        assert_eq!(names.len(), catalogue.tools.len());
    }

    #[test]
    fn only_listed_tools_are_found() {
        let catalogue = Catalogue::read().unwrap();
        assert!(catalogue.tool("greet").is_some());
        assert!(catalogue.tool("Greet").is_none());
    }
}
