//! A field by its dotted path: `--set model.width=256`.

use serde_json::Value;

use crate::error::{Error, Problem, Result};

/// Sets the field at `path` in a config's JSON. `text` is JSON, or else a plain string.
///
/// # Errors
/// Where the path names no section and field. Whether the value fits is for [`super::check`] to say.
pub fn set(config: &mut Value, path: &str, text: &str) -> Result<()> {
    let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    let field = path.split('.').try_fold(&mut *config, |at, name| at.get_mut(name));
    match field {
        Some(field) if !field.is_object() => {
            *field = value;
            Ok(())
        }
        _ => Err(Error::refused(Problem::new(
            path,
            text,
            "the path of a field, such as model.width",
            "See the paths with `trainlab config`.",
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn paths_lead_to_fields() {
        let mut config = serde_json::to_value(Config::default()).unwrap();
        set(&mut config, "model.width", "256").unwrap();
        set(&mut config, "evaluation.prompt", "Once upon").unwrap();
        let config: Config = serde_json::from_value(config).unwrap();
        assert_eq!(config.model.width, 256);
        assert_eq!(config.evaluation.prompt, "Once upon");
    }

    #[test]
    fn wrong_paths_are_refused() {
        let mut config = serde_json::to_value(Config::default()).unwrap();
        for path in ["model", "model.widht", "model.width.x", ""] {
            assert!(set(&mut config, path, "1").unwrap_err().to_string().contains("the path of a field"), "{path}");
        }
    }
}
