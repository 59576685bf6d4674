//! Token embeddings and the positions that are added to them, forward and backward.
//!
//! A batch is uploaded as tokens (B, T+1): inputs are the first T of each row, targets the last T. For the backward
//! pass the positions of each token come with it, sorted ([`TokenIndex`]), so that each row of the embedding's gradient
//! is summed by one owner in a fixed order.

use super::{Args, Binding, Spec, Step};
use crate::gpu::shader::Shader;
use crate::real::Real;

#[derive(Clone, Copy, Debug)]
pub struct EmbedShape {
    pub batch: usize,
    pub context: usize,
    pub vocabulary: usize,
    pub width: usize,
}

impl EmbedShape {
    pub fn tokens_len(self) -> usize {
        self.batch * (self.context + 1)
    }

    pub fn starts_len(self) -> usize {
        self.vocabulary + 1
    }

    pub fn rows(self) -> usize {
        self.batch * self.context
    }

    fn shader(self, name: &'static str, bindings: Vec<Binding>, part: &'static str) -> Shader {
        Shader::new(name, bindings)
            .count("BATCH", self.batch)
            .count("CONTEXT", self.context)
            .count("VOCABULARY", self.vocabulary)
            .count("WIDTH4", self.width / 4)
            .part(part)
    }
}

/// Where each token of a batch occurs: token v at rows `order[starts[v]..starts[v + 1]]` of (B·T).
pub struct TokenIndex {
    pub starts: Vec<u32>,
    pub order: Vec<u32>,
}

impl TokenIndex {
    pub fn new(shape: EmbedShape) -> Self {
        Self { starts: vec![0; shape.starts_len()], order: vec![0; shape.rows()] }
    }

    /// The same for the positions of a batch whose rows hold several documents: (T+1) and (B·T).
    pub fn of_positions(shape: EmbedShape) -> Self {
        Self { starts: vec![0; shape.context + 1], order: vec![0; shape.rows()] }
    }

    /// A counting sort of the inputs of `tokens` (B, T+1).
    pub fn fill(&mut self, shape: EmbedShape, tokens: &[u32]) {
        self.sort(|| tokens.chunks_exact(shape.context + 1).flat_map(|row| row[..shape.context].iter().copied()));
    }

    /// A counting sort of the positions t − first_keys[b, t] of a batch (B, T).
    pub fn fill_positions(&mut self, shape: EmbedShape, first_keys: &[u32]) {
        self.sort(|| first_keys.iter().enumerate().map(|(row, &first)| (row % shape.context) as u32 - first));
    }

    fn sort<I: Iterator<Item = u32>>(&mut self, values: impl Fn() -> I) {
        let Self { starts, order } = self;
        // One place late, so that they end up as starts once each value's rows have been placed.
        starts.fill(0);
        values().for_each(|value| starts[value as usize + 1] += 1);
        let mut sum = 0;
        for start in &mut starts[1..] {
            sum += std::mem::replace(start, sum);
        }
        for (row, value) in values().enumerate() {
            let slot = &mut starts[value as usize + 1];
            order[*slot as usize] = row as u32;
            *slot += 1;
        }
    }
}

/// x (B, T, C) = tok_emb[token] + position[t], where a row holds several documents position[t − first key that t sees]
#[derive(Clone, Debug)]
pub struct Embed {
    pub shape: EmbedShape,
    /// Adds a row of (T, C): a trained vector or a table's.
    pub positions: bool,
    /// Positions are counted from the start of each document: `first_keys` (B, T).
    pub documents: bool,
    /// Only the token at `step.position` of a single sequence: x (1, C).
    pub decode: bool,
}

impl Embed {
    fn rows(&self) -> usize {
        if self.decode { 1 } else { self.shape.rows() }
    }
}

impl Spec for Embed {
    fn bindings(&self) -> Vec<Binding> {
        let shape = self.shape;
        let mut bindings = vec![
            Binding::read("tokens", shape.tokens_len()).ids(),
            Binding::read("token_embedding", shape.vocabulary * shape.width).vec4(),
            Binding::write("x", self.rows() * shape.width).vec4(),
        ];
        if self.positions {
            bindings.push(Binding::read("position_embedding", shape.context * shape.width).vec4());
        }
        if self.documents {
            bindings.push(Binding::read("first_keys", shape.rows()).ids());
        }
        bindings
    }

    fn shader(&self) -> Shader {
        self.shape
            .shader("embed", self.bindings(), include_str!("../../shaders/embed.wgsl"))
            .count("ROWS", self.rows())
            .flag("DECODE", self.decode)
            .flag("POSITIONS", self.positions)
            .flag("DOCUMENTS", self.documents)
            .invocations(self.rows() * self.shape.width / 4)
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let EmbedShape { context, width, .. } = self.shape;
        let ([tokens, token_embedding, x], mut rest) = args.take_with_rest();
        let (tokens, token_embedding, x) = (tokens.ids(), token_embedding.read(), x.write());
        let position_embedding = self.positions.then(|| rest.next().expect("positions are bound").read());
        let first_keys = rest.next().map(|first_keys| first_keys.ids());
        for (row, x) in x.chunks_exact_mut(width).enumerate() {
            let (b, t) = if self.decode { (0, step.position as usize) } else { (row / context, row % context) };
            let token = tokens[b * (context + 1) + t] as usize;
            x.copy_from_slice(&token_embedding[token * width..][..width]);
            if let Some(embedding) = position_embedding {
                let t = t - first_keys.map_or(0, |first_keys| first_keys[row] as usize);
                x.iter_mut().zip(&embedding[t * width..]).for_each(|(x, &position)| *x += position);
            }
        }
    }
}

/// d tok_emb[v] = Σ dx over the rows of token v; d pos_emb[t] = Σ_b dx[b, t], where there are trained ones, and with several
/// documents in a row Σ dx over the rows at position t of theirs.
#[derive(Clone, Debug)]
pub struct EmbedBackward {
    pub shape: EmbedShape,
    /// Adds to the token embedding's gradient: with a tied head the head's share is there already.
    pub accumulate_tokens: bool,
    /// There are trained positions.
    pub positions: bool,
    /// Where each position occurs is given, sorted as tokens are ([`TokenIndex::of_positions`]).
    pub documents: bool,
    /// Adds to their gradient.
    pub accumulate_positions: bool,
}

impl Spec for EmbedBackward {
    fn bindings(&self) -> Vec<Binding> {
        let shape = self.shape;
        let gradient = |accumulate| if accumulate { Binding::update } else { Binding::write };
        let dtoken = gradient(self.accumulate_tokens);
        let dposition = gradient(self.accumulate_positions);
        let mut bindings = vec![
            Binding::read("starts", shape.starts_len()).ids(),
            Binding::read("order", shape.rows()).ids(),
            Binding::read("dx", shape.rows() * shape.width).vec4(),
            dtoken("dtoken", shape.vocabulary * shape.width).vec4(),
        ];
        if self.positions {
            bindings.push(dposition("dposition", shape.context * shape.width).vec4());
        }
        if self.documents {
            bindings.push(Binding::read("position_starts", shape.context + 1).ids());
            bindings.push(Binding::read("position_order", shape.rows()).ids());
        }
        bindings
    }

    fn shader(&self) -> Shader {
        let positions = if self.positions { self.shape.context } else { 0 };
        self.shape
            .shader("embed_backward", self.bindings(), include_str!("../../shaders/embed_backward.wgsl"))
            .flag("POSITIONS", self.positions)
            .flag("DOCUMENTS", self.documents)
            .flag("ACCUMULATE_TOKENS", self.accumulate_tokens)
            .flag("ACCUMULATE_POSITIONS", self.accumulate_positions)
            .invocations((self.shape.vocabulary + positions) * self.shape.width / 4)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let EmbedShape { context, width, .. } = self.shape;
        let ([starts, order, dx, dtoken], mut rest) = args.take_with_rest();
        let (starts, order, dx, dtoken) = (starts.ids(), order.ids(), dx.read(), dtoken.write());
        if !self.accumulate_tokens {
            dtoken.fill(R::ZERO);
        }
        let add = |sums: &mut [R], row: usize| {
            for (sum, &dx) in sums.iter_mut().zip(&dx[row * width..]) {
                *sum += dx;
            }
        };
        let add_all = |sums: &mut [R], starts: &[u32], order: &[u32]| {
            for (v, sums) in sums.chunks_exact_mut(width).enumerate() {
                for &row in &order[starts[v] as usize..starts[v + 1] as usize] {
                    add(sums, row as usize);
                }
            }
        };
        add_all(dtoken, starts, order);
        let Some(dposition) = rest.next().map(|gradient| gradient.write()) else { return };
        if !self.accumulate_positions {
            dposition.fill(R::ZERO);
        }
        if let (Some(starts), Some(order)) = (rest.next(), rest.next()) {
            add_all(dposition, starts.ids(), order.ids());
            return;
        }
        for row in 0..self.shape.rows() {
            add(&mut dposition[row % context * width..][..width], row);
        }
    }
}
