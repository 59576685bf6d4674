//! What Sophia knows of the curvature: the Gauss-Newton-Bartlett estimator (Liu et al. 2023, arXiv 2305.14342,
//! Algorithm 2). Labels are drawn from the model's own distribution; the squared gradient ĝ of the loss on them, times
//! the tokens of the batch, has the Gauss-Newton diagonal as its mean.

use crate::gpu::shader::Shader;
use crate::kernels::soft_cap::SoftCap;
use crate::kernels::{Args, Binding, Spec, Step, finish_step};
use crate::real::{Real, wide};

/// labels[b, t + 1] is drawn from softmax(logits[b·T + t]), capped where the model caps them, for the rows from `first_row` on: token v with the largest
/// logit_v + G_v, where the G = −ln(−ln(1 − w)) are independent and of Gumbel's distribution (Gumbel 1954; Maddison et
/// al. 2014, arXiv 1411.0030). w is a pure function of `step.seed`, v, and the row's place in the whole step.
#[derive(Clone, Debug)]
pub struct DrawLabels {
    pub batch: usize,
    pub context: usize,
    pub vocabulary: usize,
    /// The model's distribution is that of its capped logits.
    pub soft_cap: Option<SoftCap>,
    pub first_row: usize,
    pub rows: usize,
    /// On a GPU an invocation has a row alone, instead of a workgroup.
    pub alone: bool,
}

impl DrawLabels {
    /// Where the label of a row of this kernel lies in (B, T+1): as the next token does.
    pub fn place(&self, row: usize) -> usize {
        let row = row + self.first_row;
        row / self.context * (self.context + 1) + row % self.context + 1
    }
}

/// 32 bits that depend on all bits of x and y: two rounds of a mixer of 32 bits (Wellons 2018, “lowbias32”).
pub fn scramble(x: u32, y: u32) -> u32 {
    let mix = |mut x: u32| {
        x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
        x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        x ^ (x >> 16)
    };
    mix(mix(x).wrapping_add(y))
}

/// Uniform in (0, 1): 23 bits and a half, so that neither end is reached.
pub fn uniform(bits: u32) -> f64 {
    (f64::from(bits >> 9) + 0.5) / f64::from(1u32 << 23)
}

impl Spec for DrawLabels {
    fn bindings(&self) -> Vec<Binding> {
        vec![
            Binding::read("logits", self.rows * self.vocabulary),
            Binding::update("labels", self.batch * (self.context + 1)).ids(),
        ]
    }

    fn shader(&self) -> Shader {
        SoftCap::part(self.soft_cap, Shader::new("draw_labels", self.bindings()))
            .count("CONTEXT", self.context)
            .count("VOCABULARY", self.vocabulary)
            .count("FIRST_ROW", self.first_row)
            .count("ROWS", self.rows)
            .rows(self.rows, self.alone)
            .part(include_str!("../../../shaders/optimizer/draw_labels.wgsl"))
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let [logits, labels] = args.take();
        let labels = labels.ids_mut();
        for (row, logits) in logits.read().chunks_exact(self.vocabulary).enumerate() {
            let of_row = scramble(step.seed, step.first_row + (row + self.first_row) as u32);
            let (mut label, mut best) = (0, None);
            for (v, &logit) in logits.iter().enumerate() {
                let logit = self.soft_cap.map_or(logit, |cap| cap.value_and_slope(logit).0);
                let noise = -(-(R::ONE - R::of(uniform(scramble(of_row, v as u32)))).ln()).ln();
                // Of equal ones the last.
                if best.is_none_or(|best| logit + noise >= best) {
                    (label, best) = (v as u32, Some(logit + noise));
                }
            }
            labels[self.place(row)] = label;
        }
    }
}

/// h ← β₂ h + (1 − β₂) ĝ², with ĝ scaled by clipping.
#[derive(Clone, Debug)]
pub struct Curvature {
    pub len: usize,
    pub beta2: f64,
}

impl Spec for Curvature {
    fn bindings(&self) -> Vec<Binding> {
        vec![
            Binding::read("control", finish_step::LEN),
            Binding::read("gradients", self.len).vec4(),
            Binding::update("h", self.len).vec4(),
        ]
    }

    fn shader(&self) -> Shader {
        assert!(self.len.is_multiple_of(4), "arenas are padded");
        Shader::new("curvature", self.bindings())
            .count("LEN4", self.len / 4)
            .number("BETA2", self.beta2 as f32)
            .number("REST2", (1.0 - self.beta2) as f32)
            .part(include_str!("../../../shaders/optimizer/curvature.wgsl"))
            .invocations(self.len / 4)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let [control, gradients, h] = args.take();
        let control = control.read();
        let (scale, halted) = (control[0], control[1] != R::ZERO);
        if halted {
            return;
        }
        let (beta2, rest2) = (R::of(self.beta2), R::of(1.0 - self.beta2));
        let gradients = gradients.read();
        wide(|| {
            for (h, &g) in h.write().iter_mut().zip(gradients) {
                let g = g * scale;
                *h = beta2 * *h + rest2 * g * g;
            }
        });
    }
}
