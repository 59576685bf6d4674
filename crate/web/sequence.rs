//! What a longer context costs, for the page.

use serde_json::json;
use wasm_bindgen::prelude::*;

use super::{Lab, goes_on, read_as};
use crate::js::{throw, to_js};
use crate::sequence::{self, Experiment, Report, published};

/// Tokens of the lesson's vocabulary: about as many as TinyTales has characters.
const VOCABULARY: usize = 64;

/// The experiment that the page offers, see [`Experiment`].
#[wasm_bindgen]
pub fn length_lesson() -> std::result::Result<JsValue, JsValue> {
    to_js(&sequence::lesson().map_err(|error| throw(&error))?)
}

/// MosaicML's tables, a line each, see [`published::Published`].
#[wasm_bindgen]
pub fn published_throughput() -> std::result::Result<JsValue, JsValue> {
    to_js(&published::all())
}

#[wasm_bindgen]
impl Lab {
    /// Measures an experiment: `{report, clock}`, see [`Report`]. `progress` is called with a share from 0 to 1 and, once
    /// it is known, a cell, and returns a promise; `false` stops the measurement, which then throws.
    pub async fn measure_lengths(
        &self,
        experiment: JsValue,
        progress: js_sys::Function,
    ) -> std::result::Result<JsValue, JsValue> {
        let experiment: Experiment = read_as(experiment, "experiment")?;
        let work = async {
            let cells = sequence::measure(&experiment, VOCABULARY, &self.device, async |share, cell| {
                let cell = cell.map_or(Ok(JsValue::NULL), to_js).unwrap_or(JsValue::NULL);
                goes_on(&progress, share, &cell).await
            });
            Report::new(&experiment, cells.await?)
        };
        let report = work.await.map_err(|error| throw(&error))?;
        to_js(&json!({ "report": report, "clock": self.device.clock() }))
    }
}
