//! LayerNorm (Ba et al. 2016, arXiv 1607.06450) and RMSNorm (Zhang & Sennrich 2019, arXiv 1910.07467) over the rows
//! of an (R, C) matrix, forward and backward.
//!
//! y = (x − μ) · r · w + b with r = 1 / √(var(x) + ε); RMSNorm has μ = 0, r = 1 / √(mean(x²) + ε) and no b, LayerNorm
//! has one or not.

use super::{Args, Binding, Spec, Step};
use crate::config::Norm;
use crate::gpu::shader::Shader;
use crate::real::{Real, sum_of, wide};
use crate::tape::{ALIGNMENT, aligned};

/// As in PyTorch.
pub const EPSILON: f32 = 1e-5;

/// A workgroup is as wide as an arena's padding, so that it writes a share to its end.
const WORKGROUP: usize = ALIGNMENT;
const _: () = assert!(WORKGROUP == Shader::WORKGROUP);

#[derive(Clone, Debug)]
pub struct NormForward {
    pub norm: Norm,
    /// With b: LayerNorm, where not told otherwise.
    pub bias: bool,
    pub rows: usize,
    pub width: usize,
    /// On a GPU an invocation has a row alone, instead of a workgroup.
    pub alone: bool,
}

impl NormForward {
    pub fn new(norm: Norm, rows: usize, width: usize) -> Self {
        Self { norm, bias: norm == Norm::LayerNorm, rows, width, alone: false }
    }
}

impl Spec for NormForward {
    fn bindings(&self) -> Vec<Binding> {
        let Self { rows, width, .. } = *self;
        let mut bindings = vec![
            Binding::read("x", rows * width),
            Binding::read("weight", width),
            Binding::write("y", rows * width),
            // μ and r of each row, (R, 2)
            Binding::write("moments", rows * 2),
        ];
        if self.bias {
            bindings.push(Binding::read("bias", width));
        }
        bindings
    }

    fn shader(&self) -> Shader {
        Shader::new("norm_forward", self.bindings())
            .count("ROWS", self.rows)
            .count("WIDTH", self.width)
            .number("EPSILON", EPSILON)
            .flag("LAYER_NORM", self.norm == Norm::LayerNorm)
            .flag("HAS_BIAS", self.bias)
            .rows(self.rows, self.alone)
            .part(include_str!("../../shaders/norm/forward.wgsl"))
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let width = self.width;
        let ([x, weight, y, moments], mut rest) = args.take_with_rest();
        let (x, weight, y, moments) = (x.read(), weight.read(), y.write(), moments.write());
        let bias = rest.next().map(|bias| bias.read());
        let count = R::of(width as f64);
        let rows = x.chunks_exact(width).zip(y.chunks_exact_mut(width)).zip(moments.chunks_exact_mut(2));
        for ((x, y), moments) in rows {
            wide(|| {
                let mean = if self.norm == Norm::LayerNorm { sum_of(x, |x| x) / count } else { R::ZERO };
                let variance = sum_of(x, |x| (x - mean) * (x - mean)) / count;
                let r = R::ONE / (variance + R::of(EPSILON.into())).sqrt();
                for ((y, &x), &w) in y.iter_mut().zip(x).zip(weight) {
                    *y = (x - mean) * r * w;
                }
                if let Some(bias) = bias {
                    y.iter_mut().zip(bias).for_each(|(y, &b)| *y += b);
                }
                moments.copy_from_slice(&[mean, r]);
            });
        }
    }
}

/// dx, and for each group of rows its share of dw (and db), which `SumGroups` adds up.
///
/// With g = dy · w and x̂ = (x − μ) r:  dx = r · (g − mean(g) − x̂ · mean(g · x̂)), RMSNorm without mean(g);
/// dw = Σ_rows dy · x̂, db = Σ_rows dy.
#[derive(Clone, Debug)]
pub struct NormBackward {
    pub norm: Norm,
    /// With db: LayerNorm, where not told otherwise.
    pub bias: bool,
    pub rows: usize,
    pub width: usize,
    /// dx is added to what is there (the residual stream's gradient) instead of replacing it.
    pub accumulate: bool,
    /// On a GPU an invocation has a group of rows alone, instead of a workgroup.
    pub alone: bool,
}

impl NormBackward {
    pub fn new(norm: Norm, rows: usize, width: usize, accumulate: bool) -> Self {
        Self { norm, bias: norm == Norm::LayerNorm, rows, width, accumulate, alone: false }
    }

    const ROWS_PER_GROUP: usize = 16;

    pub fn groups(rows: usize) -> usize {
        rows.div_ceil(Self::ROWS_PER_GROUP)
    }

    /// One group's share: w, then b where there is one, laid out as in the gradient arena.
    pub fn share(bias: bool, width: usize) -> usize {
        aligned(width) * if bias { 2 } else { 1 }
    }
}

impl Spec for NormBackward {
    fn bindings(&self) -> Vec<Binding> {
        let Self { bias, rows, width, accumulate, .. } = *self;
        let dx = if accumulate { Binding::update } else { Binding::write };
        vec![
            Binding::read("dy", rows * width),
            Binding::read("x", rows * width),
            Binding::read("weight", width),
            Binding::read("moments", rows * 2),
            dx("dx", rows * width),
            Binding::write("shares", Self::groups(rows) * Self::share(bias, width)),
        ]
    }

    fn shader(&self) -> Shader {
        let Self { norm, bias, rows, width, accumulate, .. } = *self;
        Shader::new("norm_backward", self.bindings())
            .count("ROWS", rows)
            .count("WIDTH", width)
            .count("GROUPS", Self::groups(rows))
            .count("ROWS_PER_GROUP", Self::ROWS_PER_GROUP)
            .count("SHARE", Self::share(bias, width))
            .count("BIAS_AT", aligned(width))
            .count("COLUMNS", width.div_ceil(WORKGROUP))
            .flag("LAYER_NORM", norm == Norm::LayerNorm)
            .flag("HAS_BIAS", bias)
            .flag("ACCUMULATE", accumulate)
            .rows(Self::groups(rows), self.alone)
            .part(include_str!("../../shaders/norm/backward.wgsl"))
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let Self { norm, bias, width, accumulate, .. } = *self;
        let [dy, x, weight, moments, dx, shares] = args.take();
        let (dy, x, weight, moments) = (dy.read(), x.read(), weight.read(), moments.read());
        let (dx, shares) = (dx.write(), shares.write());
        shares.fill(R::ZERO);
        let share = Self::share(bias, width);
        let count = R::of(width as f64);
        // g and g · x̂ of a row.
        let [mut g, mut gx] = [vec![R::ZERO; width], vec![R::ZERO; width]];
        for (row, dx) in dx.chunks_exact_mut(width).enumerate() {
            let (dy, x) = (&dy[row * width..][..width], &x[row * width..][..width]);
            let (mean, r) = (moments[row * 2], moments[row * 2 + 1]);
            let (dw, db) = shares[row / Self::ROWS_PER_GROUP * share..][..share].split_at_mut(aligned(width));
            wide(|| {
                for (((g, gx), dw), ((&dy, &x), &w)) in
                    g.iter_mut().zip(&mut gx).zip(dw).zip(dy.iter().zip(x).zip(weight))
                {
                    let normal = (x - mean) * r;
                    *g = dy * w;
                    *gx = *g * normal;
                    *dw += dy * normal;
                }
                let mean_gx = sum_of(&gx, |gx| gx) / count;
                let mean_g = if norm == Norm::LayerNorm { sum_of(&g, |g| g) / count } else { R::ZERO };
                db.iter_mut().zip(dy).for_each(|(db, &dy)| *db += dy);
                for (dx, (&g, &x)) in dx.iter_mut().zip(g.iter().zip(x)) {
                    let value = r * (g - mean_g - (x - mean) * r * mean_gx);
                    *dx = if accumulate { *dx + value } else { value };
                }
            });
        }
    }

    fn workspace(&self) -> usize {
        2 * self.width
    }
}
