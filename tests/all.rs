//! All tests of the core but one, in one program: linked once, and loaded into the browser once.
//!
//! `cargo test --test all kernels::` runs those of one file. `memory.rs` is a program of its own, for it counts what is
//! allocated.

mod common;

mod accumulation;
mod architecture;
mod blocks;
mod checkpointing;
mod combinations;
mod context;
mod data_command;
mod downstream;
mod golden;
mod gradients;
mod hostile;
mod kernels;
mod limits;
mod long_context;
mod model;
mod optimizers;
mod packing;
mod pipes;
mod positions;
mod replicas;
mod resume;
mod sampling;
mod shaders;
mod statistics;
mod sweep_command;
mod sweeps;
mod tokenizers;
mod tuning;
mod warmup;
