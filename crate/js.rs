//! Values and errors on their way to JavaScript: what the two wasm modules share.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::error::Error;

/// As plain objects, numbers and null, as `JSON.parse` would give them.
pub fn to_js(value: &impl Serialize) -> std::result::Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(JsValue::from)
}

/// An `Error` whose `problems` say what is wrong with which field, and whose `lost` says that the device is gone.
pub fn throw(error: &Error) -> JsValue {
    let object = js_sys::Error::new(&error.to_string());
    if let Error::Refused(problems) = error
        && let Ok(problems) = to_js(problems)
    {
        // Setting a property of a fresh object cannot fail.
        let _ = js_sys::Reflect::set(&object, &"problems".into(), &problems);
    }
    let lost = matches!(error, Error::DeviceLost(_));
    let _ = js_sys::Reflect::set(&object, &"lost".into(), &lost.into());
    object.into()
}
