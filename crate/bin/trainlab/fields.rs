//! The help of `trainlab config`: every field of a config, from the schema that the page's form is made of.

use serde_json::Value;
use trainlab::config;

/// `path = default  (unit; range or choices)` and, below it, what the field means.
pub fn help() -> String {
    let schema = serde_json::to_value(config::schema()).expect("a schema is JSON");
    let mut text = String::from("Fields, as in --set path=value, with their defaults:\n");
    for (section, reference) in object(&schema["properties"]) {
        let definition = resolve(&schema, reference);
        text += &format!("\n{section}: {}\n", words(definition));
        let dependent = &definition["x-defaults"];
        for (name, field) in object(&definition["properties"]) {
            let default = &field["default"];
            text += &format!("  {section}.{name} = {default}{}\n      {}\n", limits(&schema, field), words(field));
            text += &condition(field);
            text += &other_defaults(name, default, dependent);
        }
    }
    text
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn resolve<'a>(schema: &'a Value, value: &'a Value) -> &'a Value {
    let name = value["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
    name.map_or(value, |name| &schema["$defs"][name])
}

fn words(value: &Value) -> String {
    value["description"].as_str().unwrap_or_default().replace('\n', " ")
}

/// What a field may be: choices, or a range and a unit.
fn limits(schema: &Value, field: &Value) -> String {
    let list = field["type"] == "array";
    let choices: Vec<&str> = resolve(schema, if list { &field["items"] } else { field })["oneOf"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["const"].as_str())
        .collect();
    let mut parts = vec![];
    if !choices.is_empty() {
        parts.push(choices.join(" | "));
    }
    if list {
        parts.push("any of them, with commas between".to_owned());
    }
    if let (Some(least), Some(most)) = (field["minimum"].as_f64(), field["maximum"].as_f64()) {
        parts.push(format!("{least} to {most}"));
    }
    parts.extend(field["x-unit"].as_str().map(str::to_owned));
    if parts.is_empty() { String::new() } else { format!("  ({})", parts.join("; ")) }
}

/// A line that says when the field matters, where it does not always.
fn condition(field: &Value) -> String {
    let conditions = object(&field["x-when"]).map(|(sibling, values)| {
        let values: Vec<String> = values.as_array().into_iter().flatten().map(plain).collect();
        format!("{sibling}={}", values.join("|"))
    });
    let conditions: Vec<String> = conditions.collect();
    if conditions.is_empty() { String::new() } else { format!("      Only with {}.\n", conditions.join(" and ")) }
}

/// A line with the defaults that are others with another choice.
fn other_defaults(name: &str, default: &Value, dependent: &Value) -> String {
    let others = object(&dependent["values"]).filter(|(_, defaults)| defaults[name] != *default);
    let others = others.filter(|(_, defaults)| !defaults[name].is_null());
    let others: Vec<String> = others.map(|(choice, defaults)| format!("{} with {choice}", defaults[name])).collect();
    if others.is_empty() { String::new() } else { format!("      By default {}.\n", others.join(", ")) }
}

/// As it is written on the command line.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_say_when_they_matter() {
        let text = help();
        for (field, when) in
            [("schedule.final_fraction", "kind=cosine|linear"), ("data.text_bytes", "corpus=tiny_tales")]
        {
            let after = text.split_once(&format!("  {field} = ")).unwrap().1;
            let says = after.lines().nth(2).unwrap().trim();
            assert_eq!(says, format!("Only with {when}."), "{field}");
        }
    }

    #[test]
    fn defaults_of_other_choices_are_told() {
        let text = help();
        let after = text.split_once("  optimizer.beta1 = ").unwrap().1;
        assert_eq!(after.lines().nth(3).unwrap().trim(), "By default 0.965 with sophia.");
    }

    #[test]
    fn every_field_is_explained() {
        let text = help();
        let config = serde_json::to_value(trainlab::config::Config::default()).unwrap();
        for (section, fields) in object(&config) {
            for (name, value) in object(fields) {
                let line = format!("  {section}.{name} = {value}");
                let after = text.split_once(&line).unwrap_or_else(|| panic!("{line} is missing in\n{text}")).1;
                let explanation = after.lines().nth(1).unwrap().trim();
                assert!(explanation.len() > 10, "{section}.{name}: `{explanation}`");
            }
        }
    }
}
