//! What happens to queries and keys between their product and attention, and to their gradients on the way back:
//! QK-norm (RMSNorm over each head's channels), then the turns of RoPE. In place, in an op of its own: inside attention
//! each key would be normed and turned once for every query that sees it.

use super::attention::AttentionShape;
use super::norm::EPSILON;
use super::{Args, Binding, Spec, Step};
use crate::config::Position;
use crate::gpu::shader::Shader;
use crate::real::Real;
use crate::tape::aligned;

/// The queries and keys in qkv (B, T, (H + 2 KV) D), x → turn(x · r · w) with r = 1 / √(mean(x²) + ε).
#[derive(Clone, Debug)]
pub struct QueryKey {
    pub shape: AttentionShape,
    /// With weights, (D) for all heads of queries and (D) for all of keys.
    pub norm: bool,
    /// Leaves what came in, (B, T, H + KV, D), for the norm's backward pass. Only with one.
    pub keep: bool,
    /// Only the token at `step.position`: qkv is (1, (H + 2 KV) D).
    pub decode: bool,
}

/// Their gradients in dqkv, before attention's from those after: turned back, then
/// dx = r (g − x̂ mean(g x̂)) with g = dy · w, x̂ = x r. For each group of tokens its share of dw = Σ dy · x̂, first of the
/// queries' weight, then of the keys', which `SumGroups` adds up.
#[derive(Clone, Debug)]
pub struct QueryKeyBackward {
    pub shape: AttentionShape,
    pub norm: bool,
}

const TOKENS_PER_GROUP: usize = 16;

impl QueryKeyBackward {
    /// Groups of tokens, each with a share for either weight.
    pub fn groups(tokens: usize) -> usize {
        tokens.div_ceil(TOKENS_PER_GROUP)
    }

    /// Length of one share, laid out as in the gradient arena.
    pub fn share(head_size: usize) -> usize {
        aligned(head_size)
    }
}

/// Whether queries and keys are turned, by a table (T, D) as [`super::position::Table::Turns`] makes it.
fn turns(shape: AttentionShape) -> bool {
    shape.position == Position::Rope
}

/// Heads of queries and of keys.
fn both(shape: AttentionShape) -> usize {
    shape.heads + shape.kv_heads
}

/// Length of (B, T, H + KV, D).
pub fn raw_len(shape: AttentionShape) -> usize {
    shape.tokens() * both(shape) * shape.head_size
}

fn turns_binding(shape: AttentionShape) -> Option<Binding> {
    turns(shape).then(|| Binding::read("turns", shape.context * shape.head_size).vec4())
}

fn shader(shape: AttentionShape, tokens: usize, norm: bool, name: &'static str, bindings: Vec<Binding>) -> Shader {
    let shader = Shader::new(name, bindings)
        .count("CONTEXT", shape.context)
        .count("TOKENS", tokens)
        .count("HEADS", shape.heads)
        .count("BOTH", both(shape))
        .count("TOKEN4", shape.qkv_width() / 4)
        .count("HEAD4", shape.head_size / 4)
        .count("HALF4", shape.head_size / 8)
        .number("EPSILON", EPSILON)
        .flag("NORM", norm)
        .flag("TURN", turns(shape));
    if turns(shape) { shader.part(include_str!("../../shaders/attention/position/rope.wgsl")) } else { shader }
}

impl QueryKey {
    fn tokens(&self) -> usize {
        if self.decode { 1 } else { self.shape.tokens() }
    }
}

impl Spec for QueryKey {
    fn bindings(&self) -> Vec<Binding> {
        let (shape, tokens) = (self.shape, self.tokens());
        let mut bindings = vec![Binding::update("qkv", tokens * shape.qkv_width()).vec4()];
        if self.norm {
            bindings.extend(["q_weight", "k_weight"].map(|name| Binding::read(name, shape.head_size).vec4()));
        }
        if self.keep {
            bindings.push(Binding::write("raw", raw_len(shape)).vec4());
        }
        bindings.extend(turns_binding(shape));
        bindings
    }

    fn shader(&self) -> Shader {
        let tokens = self.tokens();
        shader(self.shape, tokens, self.norm, "query_key", self.bindings())
            .flag("KEEP", self.keep)
            .flag("DECODE", self.decode)
            .part(include_str!("../../shaders/attention/query_key.wgsl"))
            .invocations(tokens * both(self.shape))
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let (shape, d) = (self.shape, self.shape.head_size);
        let ([qkv], mut rest) = args.take_with_rest();
        let mut weights = || rest.next().expect("norms have two weights").read();
        let weights = self.norm.then(|| [weights(), weights()]);
        let mut raw = self.keep.then(|| rest.next().expect("what is kept has a place").write());
        let turns = rest.next().map(|turns| turns.read());
        for (token, row) in qkv.write().chunks_exact_mut(shape.qkv_width()).enumerate() {
            let position = if self.decode { step.position as usize } else { token % shape.context };
            let both = &mut row[..both(shape) * d];
            if let Some(raw) = &mut raw {
                raw[token * both.len()..][..both.len()].copy_from_slice(both);
            }
            for (head, x) in both.chunks_exact_mut(d).enumerate() {
                if let Some([q_weight, k_weight]) = weights {
                    let r = inverse(x);
                    let weight = if head < shape.heads { q_weight } else { k_weight };
                    x.iter_mut().zip(weight).for_each(|(x, &w)| *x *= r * w);
                }
                if let Some(turns) = turns {
                    rotate(x, &turns[position * d..][..d]);
                }
            }
        }
    }
}

impl Spec for QueryKeyBackward {
    fn bindings(&self) -> Vec<Binding> {
        let (shape, d) = (self.shape, self.shape.head_size);
        let mut bindings = vec![Binding::update("dqkv", shape.qkv_len()).vec4()];
        if self.norm {
            bindings.extend(["q_weight", "k_weight"].map(|name| Binding::read(name, d).vec4()));
            let shares = 2 * Self::groups(shape.tokens()) * Self::share(d);
            bindings.extend([Binding::read("raw", raw_len(shape)).vec4(), Binding::write("shares", shares).vec4()]);
        }
        bindings.extend(turns_binding(shape));
        bindings
    }

    fn shader(&self) -> Shader {
        let shape = self.shape;
        let groups = Self::groups(shape.tokens());
        shader(shape, shape.tokens(), self.norm, "query_key_backward", self.bindings())
            .count("KV_HEADS", shape.kv_heads)
            .count("GROUPS", groups)
            .count("TOKENS_PER_GROUP", TOKENS_PER_GROUP)
            .count("MOST_ROWS", TOKENS_PER_GROUP * shape.heads)
            .count("SHARE4", Self::share(shape.head_size) / 4)
            .part(include_str!("../../shaders/attention/query_key_backward.wgsl"))
            // One for the queries of each group of tokens, one for the keys.
            .workgroups(2 * groups)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let (shape, d) = (self.shape, self.shape.head_size);
        let ([dqkv], mut rest) = args.take_with_rest();
        let mut next = || rest.next().expect("norms have two weights, what came in and shares");
        let mut norm = self.norm.then(|| ([next().read(), next().read()], next().read(), next().write()));
        let turns = rest.next().map(|turns| turns.read());
        if let Some((.., shares)) = &mut norm {
            shares.fill(R::ZERO);
        }
        let (groups, share) = (Self::groups(shape.tokens()), Self::share(d));
        for (token, row) in dqkv.write().chunks_exact_mut(shape.qkv_width()).enumerate() {
            for (head, dy) in row[..both(shape) * d].chunks_exact_mut(d).enumerate() {
                if let Some(turns) = turns {
                    unrotate(dy, &turns[token % shape.context * d..][..d]);
                }
                if let Some((weights, raw, shares)) = &mut norm {
                    let part = usize::from(head >= shape.heads);
                    let x = &raw[(token * both(shape) + head) * d..][..d];
                    let dw = &mut shares[(part * groups + token / TOKENS_PER_GROUP) * share..][..d];
                    norm_backward(dy, x, weights[part], dw);
                }
            }
        }
    }
}

/// 1 / √(mean(x²) + ε)
fn inverse<R: Real>(x: &[R]) -> R {
    let mean = x.iter().map(|&x| x * x).sum::<R>() / R::of(x.len() as f64);
    R::ONE / (mean + R::of(EPSILON.into())).sqrt()
}

/// Turns channels i and i + D/2 by the angle whose cosine and sine are elements i and i + D/2 of `turn`.
fn rotate<R: Real>(x: &mut [R], turn: &[R]) {
    let half = x.len() / 2;
    let (a, b) = x.split_at_mut(half);
    let (cosines, sines) = turn.split_at(half);
    for ((a, b), (&cosine, &sine)) in a.iter_mut().zip(b).zip(cosines.iter().zip(sines)) {
        (*a, *b) = (*a * cosine - *b * sine, *b * cosine + *a * sine);
    }
}

/// Its inverse, which is its transpose: what a gradient goes through.
fn unrotate<R: Real>(x: &mut [R], turn: &[R]) {
    let half = x.len() / 2;
    let (a, b) = x.split_at_mut(half);
    let (cosines, sines) = turn.split_at(half);
    for ((a, b), (&cosine, &sine)) in a.iter_mut().zip(b).zip(cosines.iter().zip(sines)) {
        (*a, *b) = (*a * cosine + *b * sine, *b * cosine - *a * sine);
    }
}

/// dy becomes dx, and joins dw.
fn norm_backward<R: Real>(dy: &mut [R], x: &[R], weight: &[R], dw: &mut [R]) {
    let r = inverse(x);
    let mut mean = R::ZERO;
    for ((&dy, &x), (&w, dw)) in dy.iter().zip(x).zip(weight.iter().zip(dw)) {
        mean += dy * w * x * r;
        *dw += dy * x * r;
    }
    mean /= R::of(x.len() as f64);
    for ((dy, &x), &w) in dy.iter_mut().zip(x).zip(weight) {
        *dy = r * (*dy * w - x * r * mean);
    }
}
