//! Adafactor (Shazeer & Stern 2018, arXiv 1804.04235, Algorithms 4 and 5, without a first moment), a tensor at a time.
//!
//! β₂ₜ = 1 − t^−0.8, which a step brings as `correction2` = 1 − β₂ₜ. For a matrix
//! R ← β₂ₜ R + (1 − β₂ₜ) (G² + ε₁) 1 and C ← β₂ₜ C + (1 − β₂ₜ) 1ᵀ (G² + ε₁), and V = R C / (1ᵀ R);
//! for a vector V ← β₂ₜ V + (1 − β₂ₜ) (G² + ε₁). Then
//! U = G / √V,  θ ← θ − lr · (max(ε₂, RMS(θ)) · U / max(1, RMS(U)) + λ θ).
//! The schedule's learning rate stands in for the paper's relative step size ρₜ. Decay is ours, decoupled as in AdamW.

use crate::gpu::shader::Shader;
use crate::kernels::{Args, Binding, Spec, Step, finish_step};
use crate::real::Real;

/// Added to squared gradients.
const EPSILON1: f64 = 1e-30;

/// What steps are relative to, where a tensor is smaller.
const EPSILON2: f64 = 1e-3;

/// Elements of a tensor that one workgroup measures.
const CHUNK: usize = 4096;

/// R (rows): running sums of the squared gradient's rows.
#[derive(Clone, Debug)]
pub struct AdafactorRows {
    pub rows: usize,
    pub columns: usize,
    /// On a GPU an invocation has a row alone, instead of a workgroup.
    pub alone: bool,
}

impl Spec for AdafactorRows {
    fn bindings(&self) -> Vec<Binding> {
        vec![
            Binding::read("control", finish_step::LEN),
            Binding::read("gradients", self.rows * self.columns),
            Binding::update("row", self.rows),
        ]
    }

    fn shader(&self) -> Shader {
        Shader::new("adafactor_rows", self.bindings())
            .count("ROWS", self.rows)
            .count("COLUMNS", self.columns)
            .number("EPSILON1", EPSILON1 as f32)
            .rows(self.rows, self.alone)
            .part(include_str!("../../../shaders/optimizer/adafactor_rows.wgsl"))
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let [control, gradients, row] = args.take();
        let Some(now) = Now::new(control.read(), step) else { return };
        for (sum, gradients) in row.write().iter_mut().zip(gradients.read().chunks_exact(self.columns)) {
            let squares = gradients.iter().map(|&g| now.square(g)).sum::<R>();
            *sum = now.mean(*sum, squares);
        }
    }
}

/// C (columns): running sums of the squared gradient's columns.
#[derive(Clone, Debug)]
pub struct AdafactorColumns {
    pub rows: usize,
    pub columns: usize,
}

impl Spec for AdafactorColumns {
    fn bindings(&self) -> Vec<Binding> {
        vec![
            Binding::read("control", finish_step::LEN),
            Binding::read("gradients", self.rows * self.columns),
            Binding::update("column", self.columns),
        ]
    }

    fn shader(&self) -> Shader {
        Shader::new("adafactor_columns", self.bindings())
            .count("ROWS", self.rows)
            .count("COLUMNS", self.columns)
            .number("EPSILON1", EPSILON1 as f32)
            .part(include_str!("../../../shaders/optimizer/adafactor_columns.wgsl"))
            .invocations(self.columns)
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let [control, gradients, column] = args.take();
        let Some(now) = Now::new(control.read(), step) else { return };
        let mut sums = vec![R::ZERO; self.columns];
        for gradients in gradients.read().chunks_exact(self.columns) {
            for (sum, &g) in sums.iter_mut().zip(gradients) {
                *sum += now.square(g);
            }
        }
        for (column, sum) in column.write().iter_mut().zip(sums) {
            *column = now.mean(*column, sum);
        }
    }

    fn workspace(&self) -> usize {
        self.columns
    }
}

/// How the second moment of a tensor is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// R and C.
    Factored { rows: usize, columns: usize },
    /// V, each element's own. [`AdafactorMeasure`] updates it.
    Whole { len: usize },
}

impl Moment {
    pub fn len(self) -> usize {
        match self {
            Self::Factored { rows, columns } => rows * columns,
            Self::Whole { len } => len,
        }
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Length of what [`AdafactorMeasure`] leaves for [`AdafactorApply`].
    pub fn partials(self) -> usize {
        2 * self.len().div_ceil(CHUNK)
    }

    fn bindings(self, whole: fn(&'static str, usize) -> Binding) -> Vec<Binding> {
        match self {
            Self::Factored { rows, columns } => vec![Binding::read("row", rows), Binding::read("column", columns)],
            Self::Whole { len } => vec![whole("v", len)],
        }
    }

    fn shader(self, shader: Shader) -> Shader {
        let (rows, columns) = match self {
            Self::Factored { rows, columns } => (rows, columns),
            Self::Whole { len } => (1, len),
        };
        shader
            .count("LEN", self.len())
            .count("ROWS", rows)
            .count("COLUMNS", columns)
            .count("CHUNK", CHUNK)
            .count("CHUNKS", self.partials() / 2)
            .number("EPSILON1", EPSILON1 as f32)
            .number("EPSILON2", EPSILON2 as f32)
            .flag("FACTORED", matches!(self, Self::Factored { .. }))
            .part(include_str!("../../../shaders/workgroup_sum.wgsl"))
            .part(include_str!("../../../shaders/optimizer/adafactor_direction.wgsl"))
    }
}

/// Σ U² and Σ θ² over each chunk of a tensor.
#[derive(Clone, Debug)]
pub struct AdafactorMeasure(pub Moment);

impl Spec for AdafactorMeasure {
    fn bindings(&self) -> Vec<Binding> {
        let len = self.0.len();
        let mut bindings = vec![
            Binding::read("control", finish_step::LEN),
            Binding::read("gradients", len),
            Binding::read("parameters", len),
            Binding::write("partials", self.0.partials()),
        ];
        bindings.extend(self.0.bindings(Binding::update));
        bindings
    }

    fn shader(&self) -> Shader {
        self.0
            .shader(Shader::new("adafactor_measure", self.bindings()))
            .part(include_str!("../../../shaders/optimizer/adafactor_measure.wgsl"))
            .workgroups(self.0.partials() / 2)
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let ([control, gradients, parameters, partials], mut moment) = args.take_with_rest();
        let Some(now) = Now::new(control.read(), step) else { return };
        let (gradients, parameters) = (gradients.read(), parameters.read());
        let mut next = || moment.next().expect("the bindings promise it");
        if let Moment::Whole { .. } = self.0 {
            let v = next().write();
            for (v, &g) in v.iter_mut().zip(gradients) {
                *v = now.mean(*v, now.square(g));
            }
            measure(gradients, parameters, partials.write(), |i, g| now.gradient(g) / v[i].sqrt());
        } else {
            let direction = factored(next().read(), next().read());
            measure(gradients, parameters, partials.write(), |i, g| direction(i, now.gradient(g)));
        }
    }
}

fn measure<R: Real>(gradients: &[R], parameters: &[R], partials: &mut [R], direction: impl Fn(usize, R) -> R) {
    let chunks = gradients.chunks(CHUNK).zip(parameters.chunks(CHUNK));
    for (chunk, ((gradients, parameters), partials)) in chunks.zip(partials.chunks_exact_mut(2)).enumerate() {
        let updates = gradients.iter().enumerate().map(|(i, &g)| direction(chunk * CHUNK + i, g));
        partials[0] = updates.map(|u| u * u).sum();
        partials[1] = parameters.iter().map(|&p| p * p).sum();
    }
}

/// U of element i from its gradient. No product of two small factors is formed: it might vanish.
fn factored<R: Real>(row: &[R], column: &[R]) -> impl Fn(usize, R) -> R {
    let total = row.iter().copied().sum::<R>();
    move |i, g| g / ((row[i / column.len()] / total).sqrt() * column[i % column.len()].sqrt())
}

/// θ ← θ − lr · (max(ε₂, RMS(θ)) · U / max(1, RMS(U)) + λ θ).
#[derive(Clone, Debug)]
pub struct AdafactorApply {
    pub moment: Moment,
    pub weight_decay: f64,
}

impl Spec for AdafactorApply {
    fn bindings(&self) -> Vec<Binding> {
        let len = self.moment.len();
        let mut bindings = vec![
            Binding::read("control", finish_step::LEN),
            Binding::read("gradients", len),
            Binding::update("parameters", len),
            Binding::read("partials", self.moment.partials()),
        ];
        bindings.extend(self.moment.bindings(Binding::read));
        bindings
    }

    fn shader(&self) -> Shader {
        self.moment
            .shader(Shader::new("adafactor_apply", self.bindings()))
            .number("WEIGHT_DECAY", self.weight_decay as f32)
            .part(include_str!("../../../shaders/optimizer/adafactor_apply.wgsl"))
            .workgroups(self.moment.partials() / 2)
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let ([control, gradients, parameters, partials], mut moment) = args.take_with_rest();
        let Some(now) = Now::new(control.read(), step) else { return };
        let (gradients, parameters, partials) = (gradients.read(), parameters.write(), partials.read());
        let rms = |which: usize| {
            let squares = partials.iter().copied().skip(which).step_by(2).sum::<R>();
            (squares / R::of(self.moment.len() as f64)).sqrt()
        };
        let factor = rms(1).max(R::of(EPSILON2)) / rms(0).max(R::ONE);
        let rate = R::of(step.learning_rate.into());
        let decay = R::of(self.weight_decay);
        let mut next = || moment.next().expect("the bindings promise it").read();
        let mut apply = |direction: &dyn Fn(usize, R) -> R| {
            for (i, (p, &g)) in parameters.iter_mut().zip(gradients).enumerate() {
                *p -= rate * (factor * direction(i, now.gradient(g)) + decay * *p);
            }
        };
        if let Moment::Whole { .. } = self.moment {
            let v = next();
            apply(&|i, g| g / v[i].sqrt());
        } else {
            apply(&factored(next(), next()));
        }
    }
}

/// What a step brings; None where the run has halted.
struct Now<R> {
    scale: R,
    /// β₂ₜ and 1 − β₂ₜ.
    beta2: R,
    rest2: R,
}

impl<R: Real> Now<R> {
    fn new(control: &[R], step: &Step) -> Option<Self> {
        let rest2 = R::of(step.correction2.into());
        let now = Self { scale: control[0], beta2: R::ONE - rest2, rest2 };
        (control[1] == R::ZERO).then_some(now)
    }

    /// As clipping left it.
    fn gradient(&self, g: R) -> R {
        g * self.scale
    }

    fn square(&self, g: R) -> R {
        let g = self.gradient(g);
        g * g + R::of(EPSILON1)
    }

    fn mean(&self, before: R, now: R) -> R {
        self.beta2 * before + self.rest2 * now
    }
}
