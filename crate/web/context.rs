//! What a model makes of its context, for the page.

use wasm_bindgen::prelude::*;

use super::{Lab, parse};
use crate::context::{Subject, attention, induction, lengths};
use crate::error::{Error, Result};
use crate::js::{throw, to_js};

#[wasm_bindgen]
impl Lab {
    /// How well a saved run predicts `bytes` bytes of the held-out text in pieces of each length: `LengthLoss[]`, see
    /// [`crate::context::lengths`]. No lengths are the usual ones. `progress` as for [`Self::profile`].
    pub async fn lengths(
        &self,
        config: JsValue,
        checkpoint: Vec<u8>,
        text: String,
        lengths: Vec<u32>,
        bytes: u32,
        progress: js_sys::Function,
    ) -> std::result::Result<JsValue, JsValue> {
        let subject = self.subject(config, &checkpoint, &text)?;
        let usual = lengths::usual(subject.config.model.context);
        let asked = if lengths.is_empty() { usual } else { lengths };
        let report = async |done: usize, all: usize| super::report(&progress, done, all).await;
        let found = lengths::at_lengths(&subject, &asked, bytes as usize, report).await;
        to_js(&found.map_err(|error| throw(&error))?)
    }

    /// How much better a saved run predicts random tokens the second time: see [`crate::context::Induction`].
    pub async fn induction(
        &self,
        config: JsValue,
        checkpoint: Vec<u8>,
        text: String,
        progress: js_sys::Function,
    ) -> std::result::Result<JsValue, JsValue> {
        let subject = self.subject(config, &checkpoint, &text)?;
        let report = async |done: usize, all: usize| super::report(&progress, done, all).await;
        to_js(&induction::measure(&subject, report).await.map_err(|error| throw(&error))?)
    }

    /// What the heads of a saved run attend to while it reads `prompt`: see [`crate::context::Attention`], with `weights`
    /// as a `Float32Array`. With a subword tokenizer, `tokens` are the prompt's.
    pub async fn attention(
        &self,
        config: JsValue,
        checkpoint: Vec<u8>,
        text: String,
        prompt: String,
        tokens: Option<Vec<u32>>,
    ) -> std::result::Result<JsValue, JsValue> {
        let subject = self.subject(config, &checkpoint, &text)?;
        let look = async {
            let tokens = tokens.map_or_else(|| subject.dataset.tokenizer.encode(&prompt), Ok)?;
            attention::look(&subject, &tokens).await
        };
        let found = look.await.map_err(|error: Error| throw(&error))?;
        let object = to_js(&found)?;
        js_sys::Reflect::set(&object, &"weights".into(), &js_sys::Float32Array::from(found.weights.as_slice()))?;
        Ok(object)
    }

    fn subject(&self, config: JsValue, checkpoint: &[u8], text: &str) -> std::result::Result<Subject, JsValue> {
        let config = parse(config)?;
        let open = || -> Result<Subject> {
            Subject::of_checkpoint(&config, self.dataset(&config, text)?, &self.device, checkpoint)
        };
        open().map_err(|error| throw(&error))
    }
}
