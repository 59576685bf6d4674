//! Statistics for the page.

use wasm_bindgen::prelude::*;

use super::read_as;
use crate::js::to_js;
use crate::statistics;

/// What groups of runs say: a [`statistics::Question`] in, a [`statistics::Comparison`] out. A run that diverged has
/// `null`, or NaN, for a value.
#[wasm_bindgen]
pub fn compare(question: JsValue) -> Result<JsValue, JsValue> {
    to_js(&statistics::compare(&read_as(question, "question")?))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn a_run_without_a_number_is_left_out() {
        let question = js_sys::eval(
            "({ metric: { name: 'loss', goal: 'minimize', unit: 'nats per token' }, groups: [
                { name: 'a', values: [{ seed: 1, value: 1.5 }, { seed: 2, value: 1.25 }, { seed: null, value: NaN }] },
                { name: 'b', values: [{ seed: 1, value: 2.5 }, { seed: 2, value: 2.25 }, { seed: 3, value: Infinity }] }] })",
        );
        let told = compare(question.unwrap()).unwrap();
        let words = js_sys::Reflect::get(&told, &"words".into()).unwrap().as_string().unwrap();
        assert!(words.contains("1 of 3 runs of a came to no finite number"), "{words}");
        assert!(words.contains("1 of 3 runs of b came to no finite number"), "{words}");
        assert!(words.contains("a is lower than b by 1.00 nats per token"), "{words}");
        let error = compare(js_sys::Object::new().into()).unwrap_err();
        assert!(js_sys::Reflect::get(&error, &"problems".into()).unwrap().is_array());
    }
}
