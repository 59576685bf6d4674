//! A field by its dotted path: `--set model.width=256`.

use serde_json::{Map, Value, json};

use super::check::{nearest, resolve};
use super::defaults::{choose, dependent};
use super::schema_json;
use crate::error::{Error, Problem, Result};

/// The schema of the field at `path`.
///
/// # Errors
/// Where there is none: with the path that was probably meant.
pub fn field(path: &str) -> Result<Value, Problem> {
    let schema = schema_json();
    let found = path.split_once('.').map(|(section, field)| {
        let section = resolve(&schema["properties"][section], schema);
        resolve(&section["properties"][field], schema).clone()
    });
    found.filter(|field| !field.is_null()).ok_or_else(|| no_field(path, schema))
}

fn no_field(path: &str, schema: &Value) -> Problem {
    let fields = |section: &Value| resolve(section, schema)["properties"].as_object().cloned().unwrap_or_default();
    let sections = schema["properties"].as_object().into_iter().flatten();
    let paths: Vec<String> = sections
        .flat_map(|(name, section)| fields(section).into_iter().map(move |(field, _)| format!("{name}.{field}")))
        .collect();
    // The right name in the wrong section, or in none, is nearer than any other.
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let known: Vec<&str> = paths.iter().map(String::as_str).collect();
    let near = known.iter().copied().find(|known| last(known) == last(path)).or_else(|| nearest(path, &known));
    let advice =
        near.map_or("See the paths with `trainlab config`.".to_owned(), |near| format!("Did you mean `{near}`?"));
    Problem::new(path, "no field", "the path of a field, such as model.width", advice)
}

/// Sets the field at `path` in a config's JSON, which need not be whole. `text` is JSON, or else a plain string; for a list
/// it may be its items with commas between, and nothing for none.
///
/// Where the defaults of other fields depend on this one, those that are still at their defaults follow it.
///
/// # Errors
/// Where the path names no section and field. Whether the value fits is for [`super::check`] to say.
pub fn set(config: &mut Value, path: &str, text: &str) -> Result<()> {
    let known = field(path).map_err(Error::refused)?;
    let value = serde_json::from_str(text).unwrap_or_else(|_| match known["type"] == "array" {
        true => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
        false => Value::String(text.to_owned()),
    });
    set_value(config, path, value)
}

/// The same with a value that is JSON already.
pub fn set_value(config: &mut Value, path: &str, value: Value) -> Result<()> {
    let schema = schema_json();
    let refused = || Error::refused(no_field(path, schema));
    let (name, field) = path.split_once('.').ok_or_else(refused)?;
    let known = &resolve(&schema["properties"][name], schema)["properties"][field];
    let config = config.as_object_mut().filter(|_| !known.is_null()).ok_or_else(refused)?;
    let section = config.entry(name).or_insert_with(|| json!(Map::new())).as_object_mut().ok_or_else(refused)?;
    match dependent(schema).into_iter().find(|(of, by, _)| of == name && by == field) {
        Some((_, by, values)) => choose(section, &by, &known["default"], &values, value),
        None => {
            section.insert(field.to_owned(), value);
        }
    }
    Ok(())
}

/// Puts what the defaults of other fields depend on before the rest: set in this order, it takes back none of those.
pub fn decisive_first<P: AsRef<str>, V>(fields: &mut [(P, V)]) {
    fields.sort_by_key(|(path, _)| !decides(path.as_ref()));
}

fn decides(path: &str) -> bool {
    dependent(schema_json()).iter().any(|(section, by, _)| path == format!("{section}.{by}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, OptimizerConfig, OptimizerKind, Task, parse};

    #[test]
    fn paths_lead_to_fields() {
        for mut config in [json!(Config::default()), json!({})] {
            set(&mut config, "model.width", "256").unwrap();
            set(&mut config, "evaluation.prompt", "Once upon").unwrap();
            let config = parse(&config).unwrap();
            assert_eq!(config.model.width, 256);
            assert_eq!(config.evaluation.prompt, "Once upon");
        }
    }

    #[test]
    fn lists_are_written_with_commas() {
        for (text, tasks) in [
            ("copy, own", vec![Task::Copy, Task::Own]),
            ("recall", vec![Task::Recall]),
            ("[\"recall\"]", vec![Task::Recall]),
            ("", vec![]),
            ("[]", vec![]),
        ] {
            let mut config = json!({});
            set(&mut config, "downstream.tasks", text).unwrap();
            assert_eq!(parse(&config).unwrap().downstream.tasks, tasks);
        }
    }

    #[test]
    fn wrong_paths_are_refused() {
        for mut config in [json!(Config::default()), json!({})] {
            for path in ["model", "model.widht", "model.width.x", "", ".", "x.y"] {
                let error = set(&mut config, path, "1").unwrap_err().to_string();
                assert!(error.contains("the path of a field"), "{path}");
            }
        }
    }

    #[test]
    fn what_nobody_set_follows_the_kind() {
        let lion = OptimizerConfig::defaults(OptimizerKind::Lion);
        // In a config that is whole, what is at the defaults of the kind before counts as not set.
        for mut config in [json!(Config::default()), json!({})] {
            set(&mut config, "optimizer.kind", "lion").unwrap();
            assert_eq!(parse(&config).unwrap().optimizer, lion);
        }
        let mut config = json!({});
        set(&mut config, "optimizer.beta2", "0.5").unwrap();
        for kind in ["muon", "lion"] {
            set(&mut config, "optimizer.kind", kind).unwrap();
        }
        assert_eq!(parse(&config).unwrap().optimizer, OptimizerConfig { beta2: 0.5, ..lion });
        assert!(decides("optimizer.kind") && !decides("optimizer.beta2") && !decides("schedule.kind"));
    }
}
