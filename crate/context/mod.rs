//! What a model makes of its context.
//!
//! - [`by_position`]: the loss by how much of the text a token has before it
//! - [`probe`]: a saved or present model that is only read, on buffers of its own, at any length
//! - [`lengths`]: the loss when texts are read in longer or shorter pieces than those of training
//! - [`attention`]: what each head looks at, and how far back
//! - [`induction`]: whether a sequence is predicted better the second time
//!
//! What is asked here changes nothing about a run.

pub mod attention;
pub mod by_position;
pub mod induction;
pub mod lengths;
pub mod probe;

pub use attention::Attention;
pub use by_position::{ByPosition, Tally};
pub use induction::{Induction, Repeated};
pub use lengths::LengthLoss;
pub use probe::{Probe, Subject};
