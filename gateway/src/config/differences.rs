//! In what two files differ, key by key, before variables and defaults. Shows no value: some are secrets.

use super::tree::{self, Node, Text, Value};

/// The paths of the keys, except `policy`, under which these two texts do not say the same; nothing when one of them is no YAML.
pub fn besides_policy(old: &str, new: &str) -> Option<Vec<String>> {
    let (old, new) = (tree::parse(old).ok()?, tree::parse(new).ok()?);
    let mut found = Vec::new();
    compare(String::new(), Some(&old), Some(&new), &mut found);
    Some(found)
}

fn compare(path: String, old: Option<&Node>, new: Option<&Node>, found: &mut Vec<String>) {
    match (old.map(|node| &node.value), new.map(|node| &node.value)) {
        (Some(Value::Map(old)), Some(Value::Map(new))) => {
            let mut names: Vec<&str> = old
                .iter()
                .chain(new)
                .map(|(name, _)| &*name.value)
                .collect();
            names.sort_unstable();
            names.dedup();
            for name in names
                .into_iter()
                .filter(|name| !path.is_empty() || *name != "policy")
            {
                let below = if path.is_empty() {
                    name.to_owned()
                } else {
                    format!("{path}.{name}")
                };
                compare(below, member(old, name), member(new, name), found);
            }
        }
        (Some(Value::List(old)), Some(Value::List(new))) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(format!("{path}[{index}]"), Some(old), Some(new), found);
            }
        }
        (Some(old), Some(new)) if is_same(old, new) => {}
        _ => found.push(path),
    }
}

fn member<'n>(entries: &'n [(Text, Node)], name: &str) -> Option<&'n Node> {
    let found = entries.iter().find(|(key, _)| key.value == name);
    found.map(|(_, node)| node)
}

fn is_same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Null, Value::Null) => true,
        (Value::Flag(old), Value::Flag(new)) => old == new,
        (Value::Integer(old), Value::Integer(new)) => old == new,
        (Value::Float(old), Value::Float(new)) => old.to_bits() == new.to_bits(),
        (Value::Text(old), Value::Text(new)) => old == new,
        // Maps, and lists of the same length, were compared already.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::besides_policy;

    fn found(old: &str, new: &str) -> Vec<String> {
        besides_policy(old, new).unwrap()
    }

    #[test]
    fn layout_and_the_policy_are_no_difference() {
        let old = "a: 1\nb: [x, { c: true }]\npolicy: { mode: enforce }\n";
        let new = "# new\npolicy: { roles: {} }\nb:\n  - x\n  - c: true\na: 1\n";
        assert_eq!(found(old, new), Vec::<String>::new());
    }

    #[test]
    fn every_other_key_that_differs_is_named_without_its_value() {
        let old = "a: secret-1\nb: [x, { c: true }]\nd: [1]\ne: 1\nf: { g: 1 }\n";
        let new = "a: secret-2\nb: [x, { c: false }]\nd: [1, 2]\nh: 1\nf: { g: '1', policy: 1 }\n";
        assert_eq!(
            found(old, new),
            ["a", "b[1].c", "d", "e", "f.g", "f.policy", "h"]
        );
    }

    #[test]
    fn a_text_that_is_no_yaml_cannot_be_compared() {
        assert_eq!(besides_policy("a: 1", "a: [1"), None);
    }
}
