//! What the tests share: the same bodies run natively and in the browser, and kernels are held against their oracles.

// Each test binary uses a part of this.
#![allow(dead_code, unused_imports, unused_macros)]

mod case;
pub mod cases;
pub mod lab;
pub mod late;
pub mod naive;

pub use case::{Case, Values, assert_close, random};

use std::cell::Cell;

use trainlab::engine::{Device, DeviceChoice};

/// Makes tests of `async fn`s without arguments, natively and in a worker of the browser.
/// A function that is left out of the list is dead code, and clippy says so.
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        #[cfg(target_arch = "wasm32")]
        wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

        mod run {
            $(
                #[cfg(not(target_arch = "wasm32"))]
                #[test]
                fn $name() {
                    pollster::block_on(super::$name());
                }

                #[cfg(target_arch = "wasm32")]
                #[wasm_bindgen_test::wasm_bindgen_test]
                async fn $name() {
                    super::$name().await;
                }
            )*
        }
    };
}
pub(crate) use tests;

thread_local! {
    static GPU: Cell<Option<&'static Device>> = const { Cell::new(None) };
}

/// The GPU, opened once a thread. A machine without one fails the test; a software adapter will do.
pub async fn gpu() -> &'static Device {
    if let Some(device) = GPU.get() {
        return device;
    }
    let (device, _) = Device::open(DeviceChoice::Gpu).await.expect("these tests need a GPU, or a software adapter");
    // Never dropped: dropped with its thread, it would reach for thread-locals of wgpu's that are gone already.
    let device = Box::leak(Box::new(device));
    GPU.set(Some(device));
    device
}
