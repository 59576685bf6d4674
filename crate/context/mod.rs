//! What a model makes of its context, beside the loss by position that every validation tells ([`crate::data::Tally`]).
//!
//! - [`probe`]: a saved or present model that is only read, on buffers of its own, at any length
//! - [`lengths`]: the loss when texts are read in longer or shorter pieces than those of training
//! - [`attention`]: what each head looks at, and how far back
//! - [`induction`]: whether a sequence is predicted better the second time
//!
//! What is asked here changes nothing about a run.

pub mod attention;
pub mod induction;
pub mod lengths;
pub mod probe;

pub use attention::Attention;
pub use induction::{Induction, Repeated};
pub use lengths::LengthLoss;
pub use probe::{Probe, Subject};
