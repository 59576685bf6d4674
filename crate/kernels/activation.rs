//! Activations: the reference function and the shader of each variant of [`Activation`], and the loops over them. Of a
//! gated one, function and shader are those of its gate.

use crate::config::Activation;
use crate::real::{Real, wide};

impl Activation {
    /// The file that defines `act` and `act_grad` on a `vec4f`.
    pub fn wgsl(self) -> &'static str {
        match self {
            Self::Relu | Self::Reglu => include_str!("../../shaders/activation/relu.wgsl"),
            Self::SquaredRelu => include_str!("../../shaders/activation/squared_relu.wgsl"),
            Self::Gelu | Self::Geglu => include_str!("../../shaders/activation/gelu.wgsl"),
            Self::GeluTanh => include_str!("../../shaders/activation/gelu_tanh.wgsl"),
            Self::Silu | Self::Swiglu => include_str!("../../shaders/activation/silu.wgsl"),
            Self::Glu => include_str!("../../shaders/activation/sigmoid.wgsl"),
        }
    }
}

/// `$body` with the reference function of `$activation` as `$f`: x → (act(x), act′(x)). Each is compiled into loops of
/// its own, so that none asks for each element which it is.
macro_rules! with_function {
    (@ $function:ident, $f:ident => $body:expr) => {{
        let $f = $function;
        wide(|| $body)
    }};
    ($activation:expr, $f:ident => $body:expr) => {
        match $activation {
            Activation::Relu | Activation::Reglu => with_function!(@ relu, $f => $body),
            Activation::SquaredRelu => with_function!(@ squared_relu, $f => $body),
            Activation::Gelu | Activation::Geglu => with_function!(@ gelu, $f => $body),
            Activation::GeluTanh => with_function!(@ gelu_tanh, $f => $body),
            Activation::Silu | Activation::Swiglu => with_function!(@ silu, $f => $body),
            Activation::Glu => with_function!(@ sigmoid, $f => $body),
        }
    };
}

impl Activation {
    /// h = act(h)
    pub fn forward<R: Real>(self, h: &mut [R]) {
        with_function!(self, act => h.iter_mut().for_each(|h| *h = act(*h).0));
    }

    /// dpre = dh · act′(pre), in place of dh.
    pub fn backward<R: Real>(self, dh: &mut [R], pre: &[R]) {
        with_function!(self, act => dh.iter_mut().zip(pre).for_each(|(dh, &pre)| *dh *= act(pre).1));
    }

    /// h = act(gate) · up, in place of up.
    pub fn gated_forward<R: Real>(self, up: &mut [R], gate: &[R]) {
        with_function!(self, act => up.iter_mut().zip(gate).for_each(|(up, &gate)| *up *= act(gate).0));
    }

    /// dup = dh · act(gate), in place of dh, and dgate = dh · up · act′(gate).
    pub fn gated_backward<R: Real>(self, dh: &mut [R], up: &[R], gate: &[R], dgate: &mut [R]) {
        with_function!(self, act => {
            for ((dh, dgate), (&up, &gate)) in dh.iter_mut().zip(dgate).zip(up.iter().zip(gate)) {
                let (value, slope) = act(gate);
                *dgate = *dh * up * slope;
                *dh *= value;
            }
        });
    }
}

/// max(x, 0); the slope at 0 is 0, as in PyTorch and JAX.
#[inline(always)]
fn relu<R: Real>(x: R) -> (R, R) {
    // Asked this way round, what is no number stays so.
    if x <= R::ZERO { (R::ZERO, R::ZERO) } else { (x, R::ONE) }
}

/// max(x, 0)² (So et al. 2021, arXiv 2109.08668).
#[inline(always)]
fn squared_relu<R: Real>(x: R) -> (R, R) {
    let (positive, _) = relu(x);
    (positive * positive, positive + positive)
}

/// x · Φ(x) (Hendrycks & Gimpel 2016, arXiv 1606.08415); its slope has the density e^(−x²/2) / √(2π).
#[inline(always)]
fn gelu<R: Real>(x: R) -> (R, R) {
    let gaussian = (R::of(-0.5) * x * x).exp();
    let share = x.normal(gaussian);
    (x * share, share + x * gaussian * R::of(0.398_942_280_401_432_7))
}

/// GELU by its tanh approximation, as in GPT-2 (Hendrycks & Gimpel 2016, arXiv 1606.08415):
/// x/2 · (1 + tanh(u)) with u = √(2/π) · (x + 0.044715 x³), which is x · σ(2u).
#[inline(always)]
fn gelu_tanh<R: Real>(x: R) -> (R, R) {
    let root = R::of(2.0 * 0.797_884_560_802_865_4);
    let cubic = R::of(2.0 * 0.797_884_560_802_865_4 * 0.044_715);
    let square = x * x;
    let (share, slope) = sigmoid(x * (root + cubic * square));
    (x * share, share + x * slope * (root + R::of(3.0) * cubic * square))
}

/// x · σ(x) (Ramachandran et al. 2017, arXiv 1710.05941).
#[inline(always)]
fn silu<R: Real>(x: R) -> (R, R) {
    let (share, _) = sigmoid(x);
    (x * share, share * (R::ONE + x * (R::ONE - share)))
}

/// σ(x) = 1 / (1 + e⁻ˣ)
#[inline(always)]
fn sigmoid<R: Real>(x: R) -> (R, R) {
    let share = R::ONE / (R::ONE + (-x).exp());
    (share, share * (R::ONE - share))
}
