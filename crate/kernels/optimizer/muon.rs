//! Muon (Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>), a matrix at a time: momentum, made orthogonal
//! by five Newton-Schulz steps, with updates as large as AdamW's (Liu et al. 2025, arXiv 2502.16982).
//!
//! A matrix X (rows, columns) with Frobenius norm 1 goes through X ← (a I + b A + c A²) X with A = X Xᵀ; where it is
//! taller than wide, A = Xᵀ X and X ← X (a I + b A + c A²), which is the same with less work. Its singular values then
//! lie around 1. The products are those of [`crate::kernels::matmul`]; [`crate::optimizer`] records them.

use crate::gpu::shader::Shader;
use crate::kernels::{Args, Binding, Spec, Step, finish_step};
use crate::real::Real;

/// a, b, c: steep at zero, so that small singular values grow fast (Jordan et al. 2024).
pub const COEFFICIENTS: [f64; 3] = [3.4445, -4.7750, 2.0315];

pub const STEPS: usize = 5;

/// Added to norms.
const EPSILON: f64 = 1e-7;

/// Elements whose squares one workgroup adds up.
const CHUNK: usize = 4096;

/// A matrix inside a parameter: q, k and v lie in one.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Of the parameter.
    pub of: usize,
    pub first: usize,
    pub len: usize,
}

impl Part {
    pub fn partials(self) -> usize {
        self.len.div_ceil(CHUNK)
    }

    fn shader(self, shader: Shader) -> Shader {
        assert!(self.first.is_multiple_of(4) && self.len.is_multiple_of(4), "rows are multiples of 4");
        shader.count("FIRST4", self.first / 4).count("LEN4", self.len / 4)
    }

    fn range(self) -> std::ops::Range<usize> {
        self.first..self.first + self.len
    }
}

/// momentum ← μ momentum + (1 − μ) g, and u = momentum, or, looking ahead (Nesterov), (1 − μ) g + μ momentum.
/// Beside it Σ u² over each chunk.
#[derive(Clone, Debug)]
pub struct MuonMomentum {
    pub part: Part,
    pub momentum: f64,
    pub nesterov: bool,
}

impl Spec for MuonMomentum {
    fn bindings(&self) -> Vec<Binding> {
        vec![
            Binding::read("control", finish_step::LEN),
            Binding::read("gradients", self.part.of).vec4(),
            Binding::update("momentum", self.part.of).vec4(),
            Binding::write("u", self.part.len).vec4(),
            Binding::write("partials", self.part.partials()),
        ]
    }

    fn shader(&self) -> Shader {
        self.part
            .shader(Shader::new("muon_momentum", self.bindings()))
            .count("CHUNK4", CHUNK / 4)
            .count("CHUNKS", self.part.partials())
            .number("MOMENTUM", self.momentum as f32)
            .number("REST", (1.0 - self.momentum) as f32)
            .flag("NESTEROV", self.nesterov)
            .part(include_str!("../../../shaders/workgroup_sum.wgsl"))
            .part(include_str!("../../../shaders/optimizer/muon_momentum.wgsl"))
            .workgroups(self.part.partials())
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let [control, gradients, momentum, u, partials] = args.take();
        let control = control.read();
        if control[1] != R::ZERO {
            return;
        }
        let (mu, rest) = (R::of(self.momentum), R::of(1.0 - self.momentum));
        let (gradients, momentum) = (&gradients.read()[self.part.range()], &mut momentum.write()[self.part.range()]);
        let u = u.write();
        for (u, (m, &g)) in u.iter_mut().zip(momentum.iter_mut().zip(gradients)) {
            let g = g * control[0];
            *m = mu * *m + rest * g;
            *u = if self.nesterov { rest * g + mu * *m } else { *m };
        }
        for (partial, u) in partials.write().iter_mut().zip(u.chunks(CHUNK)) {
            *partial = u.iter().map(|&u| u * u).sum();
        }
    }
}

/// x = u / (‖u‖ + 10⁻⁷), with ‖u‖² in parts.
#[derive(Clone, Debug)]
pub struct Normalise {
    pub len: usize,
    pub partials: usize,
}

impl Spec for Normalise {
    fn bindings(&self) -> Vec<Binding> {
        vec![
            Binding::read("u", self.len).vec4(),
            Binding::read("partials", self.partials),
            Binding::write("x", self.len).vec4(),
        ]
    }

    fn shader(&self) -> Shader {
        assert!(self.len.is_multiple_of(4), "rows are multiples of 4");
        Shader::new("normalise", self.bindings())
            .count("LEN4", self.len / 4)
            .count("PARTIALS", self.partials)
            .number("EPSILON", EPSILON as f32)
            .part(include_str!("../../../shaders/workgroup_sum.wgsl"))
            .part(include_str!("../../../shaders/optimizer/normalise.wgsl"))
            .invocations(self.len / 4)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let [u, partials, x] = args.take();
        let norm = partials.read().iter().copied().sum::<R>().sqrt() + R::of(EPSILON);
        for (x, &u) in x.write().iter_mut().zip(u.read()) {
            *x = u / norm;
        }
    }
}

/// p = a I + b A + c A², in the place of A²: for `count` matrices of (side, side), each at a multiple of `stride`.
#[derive(Clone, Debug)]
pub struct Polynomial {
    pub count: usize,
    pub side: usize,
    pub stride: usize,
}

impl Spec for Polynomial {
    fn bindings(&self) -> Vec<Binding> {
        let len = self.count * self.stride;
        vec![Binding::read("gram", len), Binding::update("square", len)]
    }

    fn shader(&self) -> Shader {
        let [a, b, c] = COEFFICIENTS.map(|coefficient| coefficient as f32);
        Shader::new("polynomial", self.bindings())
            .count("COUNT", self.count)
            .count("SIDE", self.side)
            .count("STRIDE", self.stride)
            .number("A", a)
            .number("B", b)
            .number("C", c)
            .part(include_str!("../../../shaders/optimizer/polynomial.wgsl"))
            .invocations(self.count * self.side * self.side)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let [gram, square] = args.take();
        let [a, b, c] = COEFFICIENTS.map(R::of);
        let len = self.side * self.side;
        let matrices = gram.read().chunks_exact(self.stride).zip(square.write().chunks_exact_mut(self.stride));
        for (gram, square) in matrices {
            for (i, (square, &gram)) in square[..len].iter_mut().zip(gram).enumerate() {
                let identity = if i / self.side == i % self.side { a } else { R::ZERO };
                *square = identity + b * gram + c * *square;
            }
        }
    }
}

/// θ ← θ − lr · (scale · x + λ θ), where `scale` = 0.2 √max(rows, columns).
#[derive(Clone, Debug)]
pub struct MuonApply {
    pub part: Part,
    pub scale: f64,
    pub weight_decay: f64,
}

impl MuonApply {
    /// An orthogonal matrix has elements of root mean square 1 / √max(rows, columns); AdamW's updates have about 0.2.
    pub fn scale(rows: usize, columns: usize) -> f64 {
        0.2 * (rows.max(columns) as f64).sqrt()
    }
}

impl Spec for MuonApply {
    fn bindings(&self) -> Vec<Binding> {
        vec![
            Binding::read("control", finish_step::LEN),
            Binding::read("x", self.part.len).vec4(),
            Binding::update("parameters", self.part.of).vec4(),
        ]
    }

    fn shader(&self) -> Shader {
        self.part
            .shader(Shader::new("muon_apply", self.bindings()))
            .number("SCALE", self.scale as f32)
            .number("WEIGHT_DECAY", self.weight_decay as f32)
            .part(include_str!("../../../shaders/optimizer/muon_apply.wgsl"))
            .invocations(self.part.len / 4)
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let [control, x, parameters] = args.take();
        if control.read()[1] != R::ZERO {
            return;
        }
        let (rate, scale) = (R::of(step.learning_rate.into()), R::of(self.scale));
        let decay = R::of(self.weight_decay);
        for (p, &x) in parameters.write()[self.part.range()].iter_mut().zip(x.read()) {
            *p -= rate * (scale * x + decay * *p);
        }
    }
}
