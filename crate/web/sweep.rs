//! Sweeps for the page.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::{Lab, from_js, parse, read_as};
use crate::error::Result;
use crate::js::{throw, to_js};
use crate::sweep::{self, Sweep};

/// A sweep in W&B's form, checked: flat, with dotted paths. Throws all that is wrong with it.
///
/// What the file leaves out follows the defaults of each run's choices, so a base to start from should be written as
/// constants of only those fields that differ from the defaults.
#[wasm_bindgen]
pub fn sweep_parse(json: JsValue) -> std::result::Result<JsValue, JsValue> {
    to_js(&read(json).map_err(|error| throw(&error))?.to_json())
}

/// Its runs in the order in which they are made, see [`sweep::Run`]. Throws all that is wrong with any of them.
///
/// With a budget, a run's `training.steps` are the most there can be, until [`Lab::steps_for`] has said how many they are.
#[wasm_bindgen]
pub fn sweep_runs(json: JsValue) -> std::result::Result<JsValue, JsValue> {
    let runs = read(json).and_then(|sweep| sweep::runs(&sweep));
    to_js(&runs.map_err(|error| throw(&error))?)
}

/// What a sweep's runs may be compared by: `{name, goal, unit, help}[]`.
#[wasm_bindgen]
pub fn sweep_metrics() -> std::result::Result<JsValue, JsValue> {
    let all = sweep::metric::ALL
        .map(|(name, goal, unit, help)| serde_json::json!({ "name": name, "goal": goal, "unit": unit, "help": help }));
    to_js(&all)
}

fn read(json: JsValue) -> Result<Sweep> {
    Sweep::parse(&from_js(json)?)
}

#[wasm_bindgen]
impl Lab {
    /// `training.steps` of a run that may spend `budget`, `{kind: "tokens" | "bytes" | "flops" | "seconds", amount}`.
    /// For seconds, a scratch run is trained on the device for about two seconds.
    pub async fn steps_for(&self, config: JsValue, text: String, budget: JsValue) -> std::result::Result<u32, JsValue> {
        let (config, budget) = (parse(config)?, read_as::<sweep::Budget>(budget, "budget")?);
        let dataset: Rc<_> = self.dataset(&config, &text).map_err(|error| throw(&error))?;
        budget.steps(&config, &dataset, &self.device).await.map_err(|error| throw(&error))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn js(json: &Value) -> JsValue {
        js_sys::JSON::parse(&json.to_string()).unwrap()
    }

    fn back(value: &JsValue) -> Value {
        let text = String::from(js_sys::JSON::stringify(value).unwrap());
        serde_json::from_str(&text).unwrap()
    }

    /// The fields of the problems that an error tells.
    fn fields(error: &JsValue) -> Vec<Value> {
        let problems = back(&js_sys::Reflect::get(error, &"problems".into()).unwrap());
        problems.as_array().unwrap().iter().map(|problem| problem["field"].clone()).collect()
    }

    #[wasm_bindgen_test]
    fn sweeps_cross_into_javascript_and_back() {
        let file = json!({
            "method": "grid",
            "parameters": {
                "model": { "parameters": { "width": { "values": [32, 64] } } },
                "budget.tokens": { "value": 51_200 },
                "training.seed": { "values": [1, 2] },
            },
        });
        let parsed = sweep_parse(js(&file)).unwrap();
        let runs = back(&sweep_runs(parsed.clone()).unwrap());
        assert_eq!(back(&parsed)["parameters"]["model.width"], json!({ "values": [32, 64] }));
        assert_eq!(back(&sweep_parse(parsed.clone()).unwrap()), back(&parsed));
        let native: Vec<_> = sweep::runs(&Sweep::parse(&file).unwrap()).unwrap();
        assert_eq!(runs, back(&js(&json!(native))));
        assert_eq!(runs[3]["values"], json!({ "model.width": 64, "training.seed": 2 }));
        assert_eq!(back(&sweep_metrics().unwrap())[0]["name"], "bits_per_byte");
    }

    #[wasm_bindgen_test]
    fn what_is_wrong_with_a_sweep_is_thrown() {
        let bad = js(&json!({ "method": "bayes", "parameters": { "model.widht": { "value": 1 } } }));
        assert_eq!(fields(&sweep_parse(bad).unwrap_err()), [json!("method"), json!("model.widht")]);
        let bad = js(&json!({ "method": "grid", "parameters": { "model.heads": { "value": 5 } } }));
        assert_eq!(fields(&sweep_runs(bad).unwrap_err()), [json!("model.heads")]);
    }

    #[wasm_bindgen_test]
    async fn budgets_become_steps_on_a_device() {
        let lab = Lab::open("cpu".to_owned()).await.unwrap();
        let mut config = json!({
            "model": { "layers": 1, "width": 16, "hidden": 16, "heads": 2, "context": 8 },
            "schedule": { "warmup_steps": 0 },
            "training": { "batch_size": 2 },
        });
        let text = "the cat sat on the mat. ".repeat(100);
        let steps = async |config: &Value, budget: Value| lab.steps_for(js(config), text.clone(), js(&budget)).await;
        assert_eq!(steps(&config, json!({ "kind": "tokens", "amount": 1600 })).await.unwrap(), 100);
        assert_eq!(steps(&config, json!({ "kind": "bytes", "amount": 1600 })).await.unwrap(), 100);
        assert!(steps(&config, json!({ "kind": "seconds", "amount": 10 })).await.unwrap() > 10);
        let error = steps(&config, json!({ "kind": "money", "amount": 1 })).await.unwrap_err();
        assert_eq!(fields(&error), [json!("budget")]);
        config["schedule"]["warmup_steps"] = json!(10);
        let error = steps(&config, json!({ "kind": "tokens", "amount": 16 })).await.unwrap_err();
        assert_eq!(fields(&error), [json!("schedule.warmup_steps")]);
    }
}
