//! Update rules: from gradients to new parameters.
//!
//! Most rules see one parameter at a time: each has a file here with its reference function and one in
//! `shaders/optimizer/` that fills the name `update`; [`update`] runs any of them over an arena. The others, which look
//! at blocks or whole matrices, are kernels of their own, recorded by [`crate::optimizer`].

pub mod adafactor;
pub mod adam;
pub mod adamw;
pub mod adamw_8bit;
pub mod curvature;
pub mod dynamic_code;
pub mod lion;
pub mod muon;
pub mod sgd;
pub mod sophia;
pub mod update;
