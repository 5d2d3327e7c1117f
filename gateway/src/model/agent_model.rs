//! The language model behind an agent, as somebody names it. Never says whether that is true.

use serde_json::Value;

/// A model by its name, and what else its namer says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentModel {
    name: Box<str>,
    provider: Option<Box<str>>,
    version: Option<Box<str>>,
}

impl AgentModel {
    /// As an issuer names it: a string, or an object with `name` and perhaps `provider` and `version`.
    pub fn claimed(value: &Value) -> Option<Self> {
        Self::read(value, |text| !text.is_empty())
    }

    /// As a client names it: the same shapes, each text of 1 to 128 visible ASCII characters.
    pub fn asserted(value: &Value) -> Option<Self> {
        Self::read(value, is_short)
    }

    /// As a client names it outside JSON.
    pub fn named(name: &str) -> Option<Self> {
        is_short(name).then(|| Self {
            name: name.into(),
            provider: None,
            version: None,
        })
    }

    fn read(value: &Value, is_usable: fn(&str) -> bool) -> Option<Self> {
        let text = |value: &Value| {
            let text = value.as_str().filter(|text| is_usable(text));
            text.map(Box::from)
        };
        let member = |name: &str| value.get(name).and_then(text);
        Some(Self {
            name: text(value).or_else(|| member("name"))?,
            provider: member("provider"),
            version: member("version"),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who runs it.
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    /// Its version.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

/// Short enough to be a name, and nothing that a terminal or a log would act on.
pub fn is_short(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

const LONGEST: usize = 128;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::AgentModel;

    #[test]
    fn a_model_is_a_name_or_an_object_that_has_one() {
        let plain = AgentModel::asserted(&json!("model-a")).unwrap();
        assert_eq!((plain.name(), plain.provider()), ("model-a", None));
        let full = json!({ "name": "model-a", "provider": "acme", "version": "2", "more": 1 });
        let full = AgentModel::asserted(&full).unwrap();
        assert_eq!(full.name(), "model-a");
        assert_eq!((full.provider(), full.version()), (Some("acme"), Some("2")));
        for none in [json!(1), json!(null), json!([]), json!({ "version": "2" })] {
            assert_eq!(AgentModel::asserted(&none), None, "{none}");
            assert_eq!(AgentModel::claimed(&none), None, "{none}");
        }
    }

    #[test]
    fn a_client_names_a_model_in_visible_ascii_and_an_issuer_as_it_likes() {
        for odd in ["", "a b", "é", "a\n", &"x".repeat(129)] {
            assert_eq!(AgentModel::asserted(&json!(odd)), None, "{odd}");
            assert_eq!(AgentModel::named(odd), None, "{odd}");
        }
        assert!(AgentModel::claimed(&json!("Model é")).is_some());
        assert_eq!(AgentModel::claimed(&json!("")), None);
        let partly = AgentModel::asserted(&json!({ "name": "m", "version": "a b" }));
        assert_eq!(partly, AgentModel::named("m"));
    }
}
