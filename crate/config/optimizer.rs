//! The optimizers and their settings, with the defaults of each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How gradients become new parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("x-defaults" = by_kind()))]
pub struct OptimizerConfig {
    /// The update rule.
    pub kind: OptimizerKind,
    /// Peak learning rate, after warm-up.
    ///
    /// Each rule has its own scale. The defaults come from short sweeps at the default model; `npm run bench:optimizers`
    /// repeats them.
    #[schemars(range(min = 1e-7, max = 10.0), extend("x-scale" = "log"))]
    pub learning_rate: f64,
    /// μ: how much of the running sum (SGD) or mean (Muon) of gradients is kept each step.
    #[schemars(range(min = 0.0, max = 0.9999), extend("x-advanced" = true))]
    #[schemars(extend("x-when" = { "kind": ["sgd", "muon"] }))]
    pub momentum: f64,
    /// Look one step of momentum ahead (Nesterov 1983).
    ///
    /// The update is g + μu (SGD) or (1 − μ)g + μu (Muon) instead of u.
    #[schemars(extend("x-advanced" = true, "x-when" = { "kind": ["sgd", "muon"] }))]
    pub nesterov: bool,
    /// β₁: how much of the gradient's running mean is kept each step.
    ///
    /// In Lion, how much of that mean goes into the update.
    #[schemars(range(min = 0.0, max = 0.9999), extend("x-advanced" = true))]
    #[schemars(extend("x-when" = { "kind": ["adam", "adamw", "adamw_8bit", "lion", "sophia", "muon"] }))]
    pub beta1: f64,
    /// β₂: how much of the squared gradient's running mean is kept each step.
    ///
    /// In Lion, of the gradient's own mean; in Sophia, of the curvature's at each estimate.
    #[schemars(range(min = 0.0, max = 0.99999), extend("x-advanced" = true))]
    #[schemars(extend("x-when" = { "kind": ["adam", "adamw", "adamw_8bit", "lion", "sophia", "muon"] }))]
    pub beta2: f64,
    /// ε: keeps the update finite where the gradient is nearly zero.
    #[schemars(range(min = 1e-12, max = 1e-2), extend("x-advanced" = true, "x-scale" = "log"))]
    #[schemars(extend("x-when" = { "kind": ["adam", "adamw", "adamw_8bit", "muon"] }))]
    pub epsilon: f64,
    /// ρ: below this many times the curvature, the running mean counts by its size; above it, by its sign alone.
    #[schemars(range(min = 1e-6, max = 1e3), extend("x-advanced" = true, "x-scale" = "log"))]
    #[schemars(extend("x-when" = { "kind": ["sophia"] }))]
    pub rho: f64,
    /// Steps from one estimate of the curvature to the next; the first step has one.
    ///
    /// An estimate costs a second forward and backward pass, on labels that are drawn from the model itself.
    #[schemars(range(min = 1, max = 1000), extend("x-unit" = "steps", "x-advanced" = true))]
    #[schemars(extend("x-when" = { "kind": ["sophia"] }))]
    pub estimate_every: u32,
    /// λ: pulls matrices (not biases, not norms) towards zero.
    ///
    /// Each step takes learning rate × λ of them away. In SGD and Adam, λθ is added to the gradient instead, before
    /// anything is made of it (L2 regularisation).
    #[schemars(range(min = 0.0, max = 10.0), extend("x-advanced" = true))]
    pub weight_decay: f64,
    /// Scale gradients down so that their global norm stays within this; 0 switches clipping off.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-advanced" = true))]
    pub clip_norm: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// Gradient descent with momentum (Sutskever et al. 2013); 4 bytes of state a parameter, without momentum none.
    #[schemars(title = "SGD")]
    Sgd,
    /// Running means of the gradient and of its square (Kingma & Ba 2015, arXiv 1412.6980); 8 bytes a parameter.
    Adam,
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv 1711.05101); 8 bytes of state a parameter.
    #[schemars(title = "AdamW")]
    #[default]
    Adamw,
    /// AdamW whose running means are kept in 8 bits (Dettmers et al. 2021, arXiv 2110.02861); 2 bytes a parameter.
    #[schemars(title = "AdamW, 8-bit")]
    #[serde(rename = "adamw_8bit")]
    Adamw8bit,
    /// The sign of a running mean, so that every step is of one size (Chen et al. 2023, arXiv 2302.06675); 4 bytes a
    /// parameter.
    Lion,
    /// A running mean over an estimate of the curvature, each element clipped (Sophia-G; Liu et al. 2023, arXiv
    /// 2305.14342); 8 bytes a parameter.
    Sophia,
    /// Mean squares of rows and columns only, in steps relative to a tensor's size (Shazeer & Stern 2018, arXiv
    /// 1804.04235); hardly any state.
    Adafactor,
    /// Momentum made orthogonal, for the matrices inside blocks (Jordan et al. 2024); 4 bytes a parameter. AdamW does
    /// the rest.
    ///
    /// Updates are as large as AdamW's (Liu et al. 2025, arXiv 2502.16982), so one learning rate serves both.
    Muon,
}

impl OptimizerKind {
    pub const ALL: [Self; 8] =
        [Self::Sgd, Self::Adam, Self::Adamw, Self::Adamw8bit, Self::Lion, Self::Sophia, Self::Adafactor, Self::Muon];
}

impl OptimizerConfig {
    /// What the fields are that nobody sets, for a kind.
    pub fn defaults(kind: OptimizerKind) -> Self {
        let adamw = Self {
            kind,
            learning_rate: 4e-3,
            momentum: 0.9,
            nesterov: false,
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            rho: 0.04,
            estimate_every: 10,
            weight_decay: 0.1,
            clip_norm: 1.0,
        };
        match kind {
            OptimizerKind::Adamw | OptimizerKind::Adamw8bit => adamw,
            OptimizerKind::Adam => Self { weight_decay: 0.0, ..adamw },
            OptimizerKind::Sgd => Self { learning_rate: 0.2, nesterov: true, weight_decay: 0.0, ..adamw },
            OptimizerKind::Lion => Self { learning_rate: 1e-3, weight_decay: 0.4, ..adamw },
            OptimizerKind::Sophia => Self { learning_rate: 7e-4, beta1: 0.965, ..adamw },
            OptimizerKind::Adafactor => Self { learning_rate: 0.05, weight_decay: 0.0, ..adamw },
            OptimizerKind::Muon => Self { learning_rate: 8e-3, momentum: 0.95, nesterov: true, ..adamw },
        }
    }
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::defaults(OptimizerKind::default())
    }
}

/// The section's `x-defaults`.
fn by_kind() -> Value {
    let values = OptimizerKind::ALL.map(|kind| {
        let mut fields = json!(OptimizerConfig::defaults(kind));
        let fields = fields.as_object_mut().expect("a section is an object");
        fields.remove("kind");
        let name = json!(kind).as_str().expect("a kind is a name").to_owned();
        (name, Value::Object(std::mem::take(fields)))
    });
    json!({ "by": "kind", "values": values.into_iter().collect::<Map<_, _>>() })
}
