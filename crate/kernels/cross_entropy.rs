//! Softmax cross-entropy, forward and backward fused: the logits are replaced by their gradient in place.

use super::soft_cap::SoftCap;
use super::{Args, Binding, Spec, Step};
use crate::gpu::shader::Shader;
use crate::real::{Real, max_of, sum_of, wide};

/// loss[r] = log Z − y[r, target], in nats, with log Z = log Σ_v exp(y[r, v]) and y the logits, capped where there is a
/// cap; then logits ← the gradient of `scale` times
///
/// loss′[r] = log Z − Σ_v q[v] · y[r, v] + ζ · log² Z,  q = (1 − ε) · onehot(target) + ε / V
///
/// with ε `label_smoothing` and ζ `z_loss`: dy = (softmax · (1 + 2 ζ log Z) − q) · scale. At ε = ζ = 0 loss′ is the loss.
///
/// With `margins`, margins[r] = max_v y[r, v] − y[r, target]: zero where no token is likelier than the target.
///
/// With `weights`, losses[r] ← weights[r] · loss[r], and weights[r] takes the place of `scale`: rows whose weight is zero are
/// neither scored nor learned from, whatever their target.
///
/// Works on the rows from `first_row` on of a batch of (B, T): large vocabularies are done in chunks.
#[derive(Clone, Debug)]
pub struct CrossEntropy {
    pub batch: usize,
    pub context: usize,
    pub vocabulary: usize,
    pub first_row: usize,
    pub rows: usize,
    /// The weight of each row's loss in what is differentiated: 1 / (B·T) for the mean. None: logits stay logits.
    pub gradient_scale: Option<f32>,
    /// ε (Szegedy et al. 2016, arXiv 1512.00567), as in PyTorch's `CrossEntropyLoss`.
    pub label_smoothing: f64,
    /// ζ (PaLM, arXiv 2204.02311).
    pub z_loss: f64,
    pub soft_cap: Option<SoftCap>,
    /// Each row has a weight of its own (rows); only where there is a gradient.
    pub weights: bool,
    /// Losses are added to what is there.
    pub accumulate: bool,
    /// Writes margins too; only where logits stay logits.
    pub margins: bool,
    /// On a GPU an invocation has a row alone, instead of a workgroup.
    pub alone: bool,
}

impl CrossEntropy {
    fn target(&self, row: usize) -> usize {
        let row = row + self.first_row;
        row / self.context * (self.context + 1) + row % self.context + 1
    }

    /// q on the target and on all the others.
    fn targets(&self) -> [f64; 2] {
        let others = self.label_smoothing / self.vocabulary as f64;
        [1.0 - self.label_smoothing + others, others]
    }

    /// `cap` gives (y, dy/dlogit).
    fn rows<R: Real>(&self, args: Args<R>, cap: impl Fn(R) -> (R, R) + Copy) {
        let ([tokens, logits, losses], mut rest) = args.take_with_rest();
        let mut margins = self.margins.then(|| rest.next().expect("margins are bound").write());
        let weights = self.weights.then(|| rest.next().expect("weights are bound").read());
        let (tokens, losses) = (tokens.ids(), losses.write());
        if !self.accumulate {
            losses.fill(R::ZERO);
        }
        // A sum of exponentials that were shifted by the row's maximum; the cap keeps the order.
        let loss_and_shift = |row: usize, logits: &[R]| {
            let target = tokens[self.target(row)] as usize;
            let log_sum = wide(|| {
                let max = cap(max_of(logits)).0;
                max + sum_of(logits, |logit| (cap(logit).0 - max).exp()).ln()
            });
            (log_sum - cap(logits[target]).0, log_sum, target)
        };
        let Some(scale) = self.gradient_scale else {
            for (row, logits) in logits.read().chunks_exact(self.vocabulary).enumerate() {
                let (loss, _, target) = loss_and_shift(row, logits);
                losses[row] += loss;
                if let Some(margins) = &mut margins {
                    margins[row] = cap(max_of(logits)).0 - cap(logits[target]).0;
                }
            }
            return;
        };
        let [own, others] = self.targets();
        for (row, logits) in logits.write().chunks_exact_mut(self.vocabulary).enumerate() {
            let (share, scale) = match weights {
                None => (R::ONE, R::of(scale.into())),
                Some(weights) => (weights[row], weights[row]),
            };
            let (own, others) = (R::of(own - others) * scale, R::of(others) * scale);
            let (loss, log_sum, target) = loss_and_shift(row, logits);
            losses[row] += share * loss;
            let weight = scale * (R::ONE + R::of(2.0 * self.z_loss) * log_sum);
            let slope_at_target = cap(logits[target]).1;
            wide(|| {
                for logit in logits.iter_mut() {
                    let (y, slope) = cap(*logit);
                    *logit = ((y - log_sum).exp() * weight - others) * slope;
                }
            });
            logits[target] -= own * slope_at_target;
        }
    }
}

impl Spec for CrossEntropy {
    fn bindings(&self) -> Vec<Binding> {
        let logits = if self.gradient_scale.is_some() { Binding::update } else { Binding::read };
        let losses = if self.accumulate { Binding::update } else { Binding::write };
        let mut bindings = vec![
            Binding::read("tokens", self.batch * (self.context + 1)).ids(),
            logits("logits", self.rows * self.vocabulary),
            losses("losses", self.rows),
        ];
        assert!(!self.margins || self.gradient_scale.is_none(), "margins are those of logits");
        bindings.extend(self.margins.then(|| Binding::write("margins", self.rows)));
        assert!(!self.weights || self.gradient_scale.is_some(), "only training weighs rows");
        bindings.extend(self.weights.then(|| Binding::read("weights", self.rows)));
        bindings
    }

    fn shader(&self) -> Shader {
        let [own, others] = self.targets();
        let shader = Shader::new("cross_entropy", self.bindings())
            .count("CONTEXT", self.context)
            .count("VOCABULARY", self.vocabulary)
            .count("FIRST_ROW", self.first_row)
            .count("ROWS", self.rows)
            .number("SCALE", self.gradient_scale.unwrap_or(0.0))
            .number("OWN_TARGET", own as f32)
            .number("OTHER_TARGET", others as f32)
            .number("Z_LOSS", self.z_loss as f32)
            .flag("ADDS_Z_LOSS", self.z_loss > 0.0)
            .flag("GRADIENT", self.gradient_scale.is_some())
            .flag("ACCUMULATE", self.accumulate)
            .flag("MARGINS", self.margins)
            .flag("WEIGHTS", self.weights)
            .rows(self.rows, self.alone)
            .part(include_str!("../../shaders/cross_entropy.wgsl"));
        SoftCap::part(self.soft_cap, shader)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        match self.soft_cap {
            None => self.rows(args, |logit| (logit, R::ONE)),
            Some(cap) => self.rows(args, |logit| cap.value_and_slope(logit)),
        }
    }
}
