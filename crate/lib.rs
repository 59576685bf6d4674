//! trainlab: tiny GPTs trained on your own GPU, in a web page or from the command line, measured on the spot.
//!
//! Read in this order (ARCHITECTURE.md has the map):
//! 1. [`config`]: every choice there is;
//! 2. [`model`] and [`layers`]: what is computed, forward and backward side by side;
//! 3. [`tape`]: how work is recorded once and replayed each step;
//! 4. [`kernels`] and `shaders/`: the work itself, each kernel as a shader and as plain Rust;
//! 5. [`gpu`], [`cpu`], [`engine`]: the two devices that replay it;
//! 6. [`trainer`]: a run;
//! 7. [`downstream`]: what a model is asked to do, and how that is scored;
//!    [`context`]: what it makes of its context;
//! 8. [`sweep`] and [`statistics`]: many runs, and what they say.

pub mod checkpoint;
mod clock;
pub mod config;
pub mod context;
pub mod cost;
pub mod cpu;
pub mod data;
pub mod downstream;
pub mod engine;
pub mod error;
pub mod gpu;
pub mod hash;
#[cfg(target_arch = "wasm32")]
mod js;
pub mod kernels;
pub mod layers;
pub mod model;
pub mod optimizer;
pub mod parameters;
pub mod plan;
pub mod profile;
pub mod random;
pub mod real;
pub mod replicas;
pub mod sampler;
pub mod sequence;
#[cfg(target_arch = "wasm32")]
mod sgemm;
pub mod statistics;
pub mod sweep;
pub mod tape;
pub mod trainer;
pub mod tuning;
#[cfg(all(target_arch = "wasm32", not(feature = "tokenizers")))]
mod web;
#[cfg(all(target_arch = "wasm32", feature = "tokenizers"))]
mod web_tokenizers;
