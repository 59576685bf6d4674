//! The sweep's file, with what the command line adds to it.

use serde_json::{Map, Value, json};
use trainlab::config;
use trainlab::error::{Error, Problem, Result};
use trainlab::hash::fnv1a_64;
use trainlab::sweep::Sweep;

use super::SweepArgs;
use crate::files;
use crate::input::{self, FileArgs};

/// The file's sweep, with the fields of `--config` where it names none, and those of `--set` in any case.
pub fn read(args: &SweepArgs) -> Result<Sweep> {
    let path = &args.file;
    let bad =
        |error: String| Error::refused(Problem::new(path.display().to_string(), error, "YAML or JSON", "Mend it."));
    let json: Value = from_yaml(&files::read_text(path)?).map_err(bad)?;
    let mut json = Sweep::parse(&json)?.to_json();
    let mut base = input::base(args.config.as_deref())?;
    config::parse_sections(&base)?;
    args.files.choose(&mut base)?;
    if args.files.tasks.is_some() {
        input::add_own_tasks(&mut base);
    }
    let mut set = json!({});
    input::set_fields(&mut set, &args.set)?;
    let in_file = json["parameters"].as_object().cloned().unwrap_or_default();
    let mut parameters: Map<String, Value> = constants(&base);
    parameters.extend(in_file);
    parameters.extend(constants(&set));
    json["parameters"] = parameters.into();
    Sweep::parse(&json)
}

/// What tells the files apart that the runs read, by the options that name them.
pub fn inputs(args: &SweepArgs) -> Result<Map<String, Value>> {
    let FileArgs { text, tokenizer, tasks } = &args.files;
    let named = [("--text", text), ("--tokenizer", tokenizer), ("--tasks", tasks)];
    let named = named.into_iter().filter_map(|(option, path)| Some((option, path.as_deref()?)));
    let hashed = named.map(|(option, path)| {
        let bytes = files::read(path)?;
        Ok((
            option.to_owned(),
            json!(format!("a file of {} bytes, {:016x}", bytes.len(), fnv1a_64(bytes.iter().copied()))),
        ))
    });
    hashed.collect()
}

/// A config's fields as parameters.
fn constants(config: &Value) -> Map<String, Value> {
    let sections = config.as_object().into_iter().flatten();
    let fields = sections.flat_map(|(section, fields)| {
        let fields = fields.as_object().into_iter().flatten();
        fields.map(move |(field, value)| (format!("{section}.{field}"), json!({ "value": value })))
    });
    fields.collect()
}

/// JSON is YAML too.
pub fn from_yaml(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

pub fn to_yaml(sweep: &Sweep) -> Result<String> {
    let yaml = serde_saphyr::to_string(&sweep.to_json());
    yaml.map(|yaml| yaml.trim_end().to_owned() + "\n")
        .map_err(|error| Error::File(format!("the sweep is no YAML: {error}")))
}
