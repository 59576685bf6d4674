//! Replicas in web workers: the far end is `www/replicas/`, each worker of which has this module to itself.

use js_sys::{Float32Array, Uint32Array};
use wasm_bindgen::prelude::*;

use super::to_json;
use crate::config::{self, Config};
use crate::error::{Error, Result};
use crate::js::throw;
use crate::plan::Plan;
use crate::replicas::{self, Answer, Shard, Workers};

/// A step of fewer operations is made by one worker, in a few milliseconds, sooner than by two and their messages.
const LEAST_FLOPS: f64 = 1e8;

/// Whether a run's batches are to be shared.
pub fn worth_it(plan: &Plan) -> bool {
    plan.flops(1) >= LEAST_FLOPS
}

#[wasm_bindgen]
extern "C" {
    /// The workers of one run: `Team` in `www/replicas/pool.ts`.
    pub type Team;

    #[wasm_bindgen(method, getter)]
    fn count(this: &Team) -> usize;

    #[wasm_bindgen(method)]
    fn prepare(this: &Team, worker: usize, config: &str, vocabulary: usize, first: u32, sequences: u32);

    #[wasm_bindgen(method)]
    fn send(this: &Team, worker: usize, order: Uint32Array, parameters: Float32Array);

    #[wasm_bindgen(method, catch)]
    fn take(this: &Team) -> std::result::Result<Option<Taken>, JsValue>;

    #[wasm_bindgen(method)]
    fn release(this: &Team);

    type Taken;

    #[wasm_bindgen(method, getter)]
    fn worker(this: &Taken) -> usize;

    #[wasm_bindgen(method, getter)]
    fn numbers(this: &Taken) -> Float32Array;
}

/// Gives its team's workers back at the end of the run.
pub struct Hired(pub Team);

impl Drop for Hired {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Workers for Hired {
    fn count(&self) -> usize {
        self.0.count()
    }

    fn prepare(&mut self, worker: usize, config: &Config, vocabulary: usize, shard: Shard) {
        self.0.prepare(worker, &to_json(config).to_string(), vocabulary, shard.first, shard.sequences);
    }

    fn send(&mut self, worker: usize, order: &[u32], parameters: &[f32]) {
        self.0.send(worker, order.into(), parameters.into());
    }

    fn poll(&mut self) -> Result<Option<Answer>> {
        let lost = |error: JsValue| {
            let message = error.dyn_ref::<js_sys::Error>().map_or_else(String::new, |error| error.message().into());
            Error::Device(message)
        };
        let taken = self.0.take().map_err(lost)?;
        Ok(taken.map(|taken| Answer { worker: taken.worker(), numbers: taken.numbers().to_vec() }))
    }
}

/// What a worker plays.
#[wasm_bindgen]
pub struct Replica(replicas::Replica);

#[wasm_bindgen]
impl Replica {
    /// `config`: as JSON.
    pub async fn make(
        config: String,
        vocabulary: usize,
        first: u32,
        sequences: u32,
    ) -> std::result::Result<Replica, JsValue> {
        let make = async {
            let json = serde_json::from_str(&config).map_err(|error| Error::Device(error.to_string()))?;
            let config = config::parse(&json)?;
            replicas::Replica::new(&config, vocabulary, Shard { first, sequences }).await
        };
        make.await.map(Self).map_err(|error| throw(&error))
    }

    /// The gradients, and behind them the losses.
    pub fn play(&mut self, order: &[u32], parameters: &[f32]) -> std::result::Result<Float32Array, JsValue> {
        self.0.play(order, parameters).map_err(|error| throw(&error))?;
        let [gradients, losses] = [self.0.gradients(), self.0.losses()];
        let [middle, end] = [gradients.len(), gradients.len() + losses.len()].map(|n| n as u32);
        let numbers = Float32Array::new_with_length(end);
        numbers.subarray(0, middle).copy_from(gradients);
        numbers.subarray(middle, end).copy_from(losses);
        Ok(numbers)
    }
}
