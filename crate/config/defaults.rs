//! Defaults that depend on a choice: `x-defaults` of a section.

use serde_json::{Map, Value};

use super::check::resolve;

/// Gives fields that a config's JSON leaves out the defaults of its choices, where sections have such
/// (`optimizer.kind`). What it leaves out elsewhere stays out.
pub fn fill(config: &mut Value, schema: &Value) {
    let Some(config) = config.as_object_mut() else { return };
    for (name, by, values) in dependent(schema) {
        let Some(section) = config.get_mut(&name).and_then(Value::as_object_mut) else { continue };
        // Without a choice, the defaults are those of the section itself.
        let Some(choice) = section.get(&by).and_then(Value::as_str) else { continue };
        let defaults = values.get(choice).and_then(Value::as_object).cloned().unwrap_or_default();
        for (field, default) in defaults {
            section.entry(field).or_insert(default);
        }
    }
}

/// Chooses anew what defaults depend on, in a section's JSON: fields that are still at the defaults of the choice before
/// are left out, so that they take those of the new one.
pub(super) fn choose(section: &mut Map<String, Value>, by: &str, default: &Value, values: &Value, choice: Value) {
    let before = section.get(by).unwrap_or(default).as_str().unwrap_or_default();
    if let Some(usual) = values[before].as_object() {
        section.retain(|field, value| usual.get(field) != Some(value));
    }
    section.insert(by.to_owned(), choice);
}

/// (section, the field that decides, defaults by its choices)
pub(super) fn dependent(schema: &Value) -> Vec<(String, String, Value)> {
    let sections = schema["properties"].as_object().into_iter().flatten();
    let dependent = sections.filter_map(|(name, reference)| {
        let defaults = &resolve(reference, schema)["x-defaults"];
        Some((name.clone(), defaults["by"].as_str()?.to_owned(), defaults["values"].clone()))
    });
    dependent.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check::choices;
    use crate::config::{Config, OptimizerConfig, OptimizerKind, parse, schema_json};
    use serde_json::json;

    #[test]
    fn what_is_left_out_takes_the_defaults_of_the_kind() {
        for kind in OptimizerKind::ALL {
            let config = parse(&json!({ "optimizer": { "kind": kind } })).unwrap();
            assert_eq!(config.optimizer, OptimizerConfig::defaults(kind));
            let config = parse(&json!({ "optimizer": { "kind": kind, "beta2": 0.5, "clip_norm": 7 } })).unwrap();
            assert_eq!(
                config.optimizer,
                OptimizerConfig { beta2: 0.5, clip_norm: 7.0, ..OptimizerConfig::defaults(kind) }
            );
        }
        let lion = parse(&json!({ "optimizer": { "kind": "lion" } })).unwrap().optimizer;
        assert!(lion.learning_rate < Config::default().optimizer.learning_rate / 3.0, "Lion's paper: 3 to 10 × below");
        assert_eq!(parse(&json!({ "optimizer": {} })).unwrap(), Config::default());
    }

    #[test]
    fn every_choice_has_valid_defaults_of_every_field() {
        let schema = schema_json();
        for (section, by, values) in dependent(schema) {
            let fields = resolve(&schema["properties"][&section], schema)["properties"].as_object().unwrap();
            let names = choices(resolve(&fields[&by], schema));
            assert_eq!(names.len(), values.as_object().unwrap().len(), "{section}.{by}");
            for name in names {
                let mut expected: Vec<&String> = fields.keys().filter(|field| **field != by).collect();
                let mut actual: Vec<&String> = values[name].as_object().unwrap().keys().collect();
                expected.sort();
                actual.sort();
                assert_eq!(actual, expected, "{section}.{by} = {name}");
                let mut whole = values[name].clone();
                whole[&by] = json!(name);
                assert_eq!(crate::config::check(&json!({ &section: whole })), [], "{section}.{by} = {name}");
            }
        }
    }
}
