//! A config held against its schema (types, names, ranges) and against itself (what must fit together).

use serde_json::{Map, Value};

use super::{Config, Position, fill, schema_json};
use crate::error::{Error, Problem, Result};

/// A config from JSON. Sections and fields that are left out take their defaults.
///
/// # Errors
/// All that is wrong with it, found before any work.
pub fn parse(json: &Value) -> Result<Config> {
    let problems = check(json);
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    decode(json)
}

fn decode(json: &Value) -> Result<Config> {
    filled(json).map_err(|error| {
        Error::refused(Problem::new("config", json, "a config that fits the schema", format!("Mend it: {error}.")))
    })
}

fn filled(json: &Value) -> serde_json::Result<Config> {
    let mut json = json.clone();
    fill(&mut json, schema_json());
    serde_json::from_value(json)
}

/// Like [`parse`], but leaves open whether the fields fit together: more of them may be set before that is asked.
///
/// # Errors
/// Unknown names, wrong types, numbers out of range.
pub fn parse_sections(json: &Value) -> Result<Config> {
    let mut problems = Vec::new();
    let schema = schema_json();
    check_object(json, schema, schema, "", &mut problems);
    if problems.is_empty() { decode(json) } else { Err(Error::Refused(problems)) }
}

/// All that is wrong with a config, in the order of its fields; empty when it can be run.
pub fn check(json: &Value) -> Vec<Problem> {
    let schema = schema_json();
    let mut problems = Vec::new();
    check_object(json, schema, schema, "", &mut problems);
    if problems.is_empty()
        && let Ok(config) = filled(json)
    {
        check_together(&config, &mut problems);
    }
    problems
}

fn check_object(value: &Value, object: &Value, root: &Value, path: &str, problems: &mut Vec<Problem>) {
    let empty = Map::new();
    let properties = object["properties"].as_object().unwrap_or(&empty);
    let Some(fields) = value.as_object() else {
        let name = if path.is_empty() { "config" } else { path };
        problems.push(Problem::new(name, value, "an object", "Write it as {\"field\": value, …}."));
        return;
    };
    for (name, value) in fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match properties.get(name) {
            None => {
                let known: Vec<&str> = properties.keys().map(String::as_str).collect();
                problems.push(Problem { field: path, ..unknown(name, value, &known) });
            }
            Some(property) => {
                let property = resolve(property, root);
                if property["type"] == "object" {
                    check_object(value, property, root, &path, problems);
                } else if property["type"] == "array" {
                    check_list(value, &choices(resolve(&property["items"], root)), &path, problems);
                } else {
                    check_field(value, property, &path, problems);
                }
            }
        }
    }
}

pub(super) fn resolve<'a>(property: &'a Value, root: &'a Value) -> &'a Value {
    match property["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap_or(property),
        None => property,
    }
}

/// A field that holds some of its items' choices, each once.
fn check_list(value: &Value, choices: &[&str], path: &str, problems: &mut Vec<Problem>) {
    let allowed = format!("a list with any of {}, each once", choices.join(", "));
    let Some(items) = value.as_array() else {
        problems.push(Problem::new(path, value, allowed, "Write it as [\"one\", \"another\"], or [] for none."));
        return;
    };
    for (i, item) in items.iter().enumerate() {
        let known = item.as_str().is_some_and(|item| choices.contains(&item));
        if known && !items[..i].contains(item) {
            continue;
        }
        let advice = match item.as_str().and_then(|item| nearest(item, choices)) {
            Some(_) if known => "Name it once.".to_owned(),
            Some(near) => format!("Did you mean `{near}`?"),
            None => "Leave it out.".to_owned(),
        };
        problems.push(Problem::new(path, item, allowed.clone(), advice));
    }
}

fn check_field(value: &Value, property: &Value, path: &str, problems: &mut Vec<Problem>) {
    let choices = choices(property);
    if !choices.is_empty() {
        if !value.as_str().is_some_and(|value| choices.contains(&value)) {
            let advice = match value.as_str().and_then(|value| nearest(value, &choices)) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => "Choose one of them.".to_owned(),
            };
            problems.push(Problem::new(path, value, format!("one of {}", choices.join(", ")), advice));
        }
        return;
    }
    let kind = property["type"].as_str().unwrap_or_default();
    let fits = match kind {
        "integer" => value.as_f64().is_some_and(|v| v.fract() == 0.0) && (value.is_i64() || value.is_u64()),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        _ => true,
    };
    let bounds = (property["minimum"].as_f64(), property["maximum"].as_f64());
    let within =
        value.as_f64().is_none_or(|v| bounds.0.is_none_or(|min| v >= min) && bounds.1.is_none_or(|max| v <= max));
    if !(fits && within) {
        let kind = match kind {
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            _ => "a text",
        };
        let allowed = match (&property["minimum"], &property["maximum"]) {
            (Value::Null, _) | (_, Value::Null) => kind.to_owned(),
            (min, max) => format!("{kind} from {min} to {max}"),
        };
        problems.push(Problem::new(path, value, allowed, "Change it to one of these."));
    }
}

/// The names an enum may take: `oneOf` constants where variants have doc comments, `enum` where they have none.
pub(super) fn choices(property: &Value) -> Vec<&str> {
    let constants = property["oneOf"].as_array().into_iter().flatten();
    let constants = constants.flat_map(|choice| match choice["const"].as_str() {
        Some(constant) => vec![constant],
        None => choice["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    });
    constants.chain(property["enum"].as_array().into_iter().flatten().filter_map(Value::as_str)).collect()
}

/// A name that is none of those known, with the one that was probably meant.
pub fn unknown(name: &str, value: &Value, known: &[&str]) -> Problem {
    let advice = match nearest(name, known) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => "Remove it.".to_owned(),
    };
    Problem::new(name, value, format!("one of {}", known.join(", ")), advice)
}

/// The known name that a misspelt one was probably meant to be.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|&candidate| (edit_distance(name, candidate), candidate))
        .min()
        .filter(|&(distance, candidate)| distance <= 1 + candidate.len() / 4)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, row by row.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

/// What no single field can say.
fn check_together(config: &Config, problems: &mut Vec<Problem>) {
    let model = &config.model;
    if !model.width.is_multiple_of(model.heads) {
        let divisors: Vec<String> =
            (1..=model.width).filter(|&h| model.width.is_multiple_of(4 * h)).map(|h| h.to_string()).collect();
        problems.push(Problem::new(
            "model.heads",
            model.heads,
            format!("a divisor of model.width ({}): {}", model.width, divisors.join(", ")),
            "Change the heads or the width.",
        ));
    } else if !model.width.is_multiple_of(4 * model.heads) {
        problems.push(Problem::new(
            "model.heads",
            model.heads,
            format!(
                "heads whose size, model.width / model.heads, is a multiple of 4 (now {})",
                model.width / model.heads
            ),
            "Take fewer heads or a larger width.",
        ));
    } else if model.position == Position::Rope && !model.head_size().is_multiple_of(8) {
        problems.push(Problem::new(
            "model.heads",
            model.heads,
            format!(
                "with model.position rope, heads whose size, model.width / model.heads, is a multiple of 8 (now {}): \
                 its halves are turned together, four channels at a time",
                model.head_size()
            ),
            "Take fewer heads, a larger width or another position.",
        ));
    }
    if !model.heads.is_multiple_of(model.key_value_heads()) {
        let divisors = (1..=model.heads).filter(|&n| model.heads.is_multiple_of(n));
        let divisors: Vec<String> = divisors.map(|n| n.to_string()).collect();
        problems.push(Problem::new(
            "model.kv_heads",
            model.kv_heads,
            format!("a divisor of model.heads ({}): {}", model.heads, divisors.join(", ")),
            "Change it, or take 0 for as many as there are heads.",
        ));
    }
    if !model.hidden.is_multiple_of(4) {
        problems.push(Problem::new("model.hidden", model.hidden, "a multiple of 4", "Round it."));
    }
    if model.logit_soft_cap > 0.0 && model.logit_soft_cap < 1.0 {
        problems.push(Problem::new(
            "model.logit_soft_cap",
            model.logit_soft_cap,
            "0, or from 1 to 1000",
            "Take 30, as Gemma 2, or 0 for none: below 1 no token could become likely.",
        ));
    }
    let training = &config.training;
    if !training.batch_size.is_multiple_of(training.accumulation) {
        let divisors = (1..=training.batch_size).filter(|&n| training.batch_size.is_multiple_of(n));
        let divisors: Vec<String> = divisors.map(|n| n.to_string()).collect();
        problems.push(Problem::new(
            "training.accumulation",
            training.accumulation,
            format!("a divisor of training.batch_size ({}): {}", training.batch_size, divisors.join(", ")),
            "Change it or the batch size.",
        ));
    }
    if config.schedule.warmup_steps > config.training.steps {
        problems.push(Problem::new(
            "schedule.warmup_steps",
            config.schedule.warmup_steps,
            format!("at most training.steps ({})", config.training.steps),
            "Shorten the warm-up or lengthen the run.",
        ));
    }
    check_context_warmup(config, problems);
    if model.position == Position::Learned && config.evaluation.context > model.context {
        problems.push(Problem::new(
            "evaluation.context",
            config.evaluation.context,
            format!(
                "at most model.context ({}) with model.position learned: positions beyond it have no vector",
                model.context
            ),
            "Shorten it, or take another position: none, sinusoidal, rope and alibi go on beyond the context.",
        ));
    }
    if config.evaluation.prompt.is_empty() {
        problems.push(Problem::new("evaluation.prompt", "\"\"", "at least one character", "Write one."));
    }
}

/// Whether the sequence length can begin where it is to, and double up to the context.
fn check_context_warmup(config: &Config, problems: &mut Vec<Problem>) {
    let (context, schedule) = (config.model.context, &config.schedule);
    let start = schedule.context_start;
    let reaches = |start: &u32| context.is_multiple_of(*start) && (context / start).is_power_of_two();
    if start > 0 && !reaches(&start) {
        let all: Vec<String> = (1..=context).filter(reaches).map(|start| start.to_string()).collect();
        problems.push(Problem::new(
            "schedule.context_start",
            start,
            format!("0, or what model.context ({context}) is a doubling of: {}", all.join(", ")),
            "Take one of them, or change the context.",
        ));
    }
    if start > 0 && !(1..=config.training.steps).contains(&schedule.context_warmup_steps) {
        problems.push(Problem::new(
            "schedule.context_warmup_steps",
            schedule.context_warmup_steps,
            format!("1 to training.steps ({}) with a schedule.context_start", config.training.steps),
            "Change it, or take 0 for schedule.context_start.",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_default_config_is_valid_and_survives_json() {
        let json = serde_json::to_value(Config::default()).unwrap();
        assert_eq!(check(&json), []);
        assert_eq!(parse(&json).unwrap(), Config::default());
        assert_eq!(parse(&json!({})).unwrap(), Config::default());
    }

    #[test]
    fn what_fits_together_is_accepted() {
        for config in [
            json!({"model": {"position": "alibi", "heads": 8}, "evaluation": {"context": 16_384}}),
            json!({"model": {"position": "rope", "kv_heads": 2, "qk_norm": true}, "evaluation": {"context": 65}}),
            json!({"model": {"position": "none"}, "evaluation": {"context": 65}}),
            json!({"model": {"position": "sinusoidal"}, "evaluation": {"context": 65}}),
            json!({"evaluation": {"context": 63}}),
        ] {
            assert_eq!(check(&config), [], "{config}");
        }
    }

    #[test]
    fn every_field_has_help_and_a_default() {
        let schema = schema_json();
        for (section, reference) in schema["properties"].as_object().unwrap() {
            for (name, field) in resolve(reference, schema)["properties"].as_object().unwrap() {
                assert!(field["description"].is_string(), "{section}.{name} has no doc comment");
                assert!(!field["default"].is_null(), "{section}.{name} has no default");
                let bounded = !field["minimum"].is_null() && !field["maximum"].is_null();
                let number = field["type"] == "integer" || field["type"] == "number";
                assert!(bounded || !number, "{section}.{name} has no range");
            }
        }
    }

    #[test]
    fn conditions_name_siblings_and_what_they_may_be() {
        let schema = schema_json();
        let mut conditions = 0;
        for (section, reference) in schema["properties"].as_object().unwrap() {
            let fields = resolve(reference, schema)["properties"].as_object().unwrap();
            for (name, field) in fields {
                for (sibling, values) in field["x-when"].as_object().into_iter().flatten() {
                    let of = fields.get(sibling).unwrap_or_else(|| panic!("{section}.{name}: no `{sibling}`"));
                    let values = values.as_array().unwrap();
                    assert!(!values.is_empty() && sibling != name, "{section}.{name}");
                    for value in values {
                        let mut problems = vec![];
                        check_field(value, resolve(of, schema), sibling, &mut problems);
                        assert_eq!(problems, [], "{section}.{name}");
                    }
                    conditions += 1;
                }
            }
        }
        assert!(conditions >= 2, "{conditions} conditions");
    }

    #[test]
    fn what_does_not_matter_may_be_set() {
        let config = parse(&json!({"schedule": {"kind": "constant", "final_fraction": 0.5}})).unwrap();
        assert_eq!(config.schedule.final_fraction, 0.5);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            (json!({"model": {"heads": 5}}), "model.heads", "a divisor of model.width (96)"),
            (json!({"model": {"heads": 48}}), "model.heads", "multiple of 4"),
            (json!({"model": {"width": -8}}), "model.width", "a whole number from 8 to 4096"),
            (json!({"model": {"width": 96.5}}), "model.width", "a whole number"),
            (json!({"model": {"width": "wide"}}), "model.width", "a whole number"),
            (json!({"model": {"widht": 96}}), "model.widht", "Did you mean `width`?"),
            (json!({"modle": {}}), "modle", "Did you mean `model`?"),
            (json!({"model": 3}), "model", "an object"),
            (json!(3), "config", "an object"),
            (json!({"model": {"norm": "batch_norm"}}), "model.norm", "one of layer_norm, rms_norm"),
            (json!({"model": {"norm": null}}), "model.norm", "one of"),
            (json!({"optimizer": {"learning_rate": 1e9}}), "optimizer.learning_rate", "a number from"),
            (json!({"model": {"tied_head": 1}}), "model.tied_head", "true or false"),
            (json!({"training": {"steps": 5}}), "schedule.warmup_steps", "at most training.steps (5)"),
            (
                json!({"training": {"accumulation": 3}}),
                "training.accumulation",
                "a divisor of training.batch_size (8): 1, 2, 4, 8",
            ),
            (
                json!({"model": {"activation": "swish"}}),
                "model.activation",
                "one of relu, squared_relu, gelu, gelu_tanh",
            ),
            (json!({"model": {"activation": "swiglue"}}), "model.activation", "Did you mean `swiglu`?"),
            (json!({"model": {"norm_position": "middle"}}), "model.norm_position", "one of pre, post"),
            (json!({"model": {"dropout": 1.0}}), "model.dropout", "a number from 0.0 to 0.9"),
            (json!({"model": {"logit_soft_cap": 0.5}}), "model.logit_soft_cap", "0, or from 1 to 1000"),
            (json!({"training": {"label_smoothing": -0.1}}), "training.label_smoothing", "a number from 0.0 to 0.9"),
            (json!({"training": {"z_loss": 2}}), "training.z_loss", "a number from 0.0 to 1.0"),
            (json!({"model": {"position": "rope", "heads": 8}}), "model.heads", "multiple of 8 (now 12)"),
            (json!({"model": {"kv_heads": 3}}), "model.kv_heads", "a divisor of model.heads (4): 1, 2, 4"),
            (json!({"model": {"kv_heads": 8}}), "model.kv_heads", "a divisor of model.heads (4)"),
            (json!({"evaluation": {"context": 65}}), "evaluation.context", "at most model.context (64)"),
            (
                json!({"schedule": {"context_start": 12, "context_warmup_steps": 9}}),
                "schedule.context_start",
                "1, 2, 4, 8",
            ),
            (json!({"schedule": {"context_start": 16}}), "schedule.context_warmup_steps", "1 to training.steps (2000)"),
            (json!({"evaluation": {"prompt": ""}}), "evaluation.prompt", "at least one character"),
            (json!({"downstream": {"tasks": "cloze"}}), "downstream.tasks", "any of cloze, agreement, count"),
            (json!({"downstream": {"tasks": ["close"]}}), "downstream.tasks", "Did you mean `cloze`?"),
            (json!({"downstream": {"tasks": ["cloze", 3]}}), "downstream.tasks", "is 3; allowed: a list"),
            (json!({"downstream": {"tasks": ["copy", "own", "copy"]}}), "downstream.tasks", "Name it once."),
            (json!({"data": {"practice": ["count"]}}), "data.practice", "any of recall, key_value, copy, reverse"),
        ];
        for (config, field, says) in cases {
            let problems = check(&config);
            assert_eq!(problems.len(), 1, "{config}: {problems:?}");
            assert_eq!(problems[0].field, field);
            assert!(problems[0].to_string().contains(says), "{}", problems[0]);
        }
    }
}
