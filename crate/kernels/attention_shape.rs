//! What attention's kernels share: shapes, which keys a query sees, and how their twins go through heads and tiles.

use super::position::alibi_slope;
use super::{Arg, Binding};
use crate::config::Position;
use crate::gpu::shader::Shader;
use crate::real::{MatMulShape, Real};

/// The shapes that the three kernels share.
#[derive(Clone, Copy, Debug)]
pub struct AttentionShape {
    pub batch: usize,
    /// T, the length of each sequence.
    pub context: usize,
    pub heads: usize,
    /// Heads of keys and of values; they divide the heads.
    pub kv_heads: usize,
    /// D, a multiple of 4.
    pub head_size: usize,
    /// The encoding, for what it adds to the scores.
    pub position: Position,
    /// A row holds several documents: the kernels are told the first key that each query sees, (B, T).
    pub documents: bool,
    /// Neighbouring rows that an invocation of a shader owns; changes no bit of the result.
    pub rows_each: usize,
    /// The twin of the first backward kernel does the other's work too, whose own then does nothing: on the CPU device, where
    /// P and dS of a tile can serve all gradients. Changes no bit of the result.
    pub at_once: bool,
}

/// Query rows that a twin handles at a time: the largest matrix it ever holds is (TILE, T).
pub(super) const TILE: usize = 64;

impl AttentionShape {
    /// Without grouped heads, and with scores that know no positions.
    pub fn new(batch: usize, context: usize, heads: usize, head_size: usize) -> Self {
        Self {
            batch,
            context,
            heads,
            kv_heads: heads,
            head_size,
            position: Position::None,
            documents: false,
            rows_each: 1,
            at_once: false,
        }
    }

    /// Loads dominate on software adapters: rows of an invocation share them. On hardware it would take registers
    /// that keep more invocations at work.
    pub fn rows_for(self, software: bool) -> usize {
        match self.head_size {
            _ if !software => 1,
            // Compilers take long over what is unrolled: with more rows, longer than a run gains.
            ..=64 => 2,
            _ => 1,
        }
    }

    /// C = H · D.
    pub fn width(self) -> usize {
        self.heads * self.head_size
    }

    /// Query heads that share a head of keys and values.
    pub fn sharing(self) -> usize {
        self.heads / self.kv_heads
    }

    /// Channels of the keys, or of the values, of a token.
    pub fn kv_width(self) -> usize {
        self.kv_heads * self.head_size
    }

    /// Channels of q, k and v of a token: (H + 2 KV) · D.
    pub fn qkv_width(self) -> usize {
        self.width() + 2 * self.kv_width()
    }

    pub fn tokens(self) -> usize {
        self.batch * self.context
    }

    /// Length of (B, T, (H + 2 KV) D): q, k, v of each token.
    pub fn qkv_len(self) -> usize {
        self.tokens() * self.qkv_width()
    }

    /// Length of (B, T, C).
    pub fn out_len(self) -> usize {
        self.tokens() * self.width()
    }

    /// Length of (B, H, T): one number a query row.
    pub fn rows_len(self) -> usize {
        self.tokens() * self.heads
    }

    /// The binding with the first key that each query sees, where a row holds several documents.
    pub(super) fn first_keys(self) -> Option<Binding> {
        self.documents.then(|| Binding::read("first_keys", self.tokens()).ids())
    }

    pub(super) fn scale(self) -> f64 {
        1.0 / (self.head_size as f64).sqrt()
    }

    /// What the encoding takes off the scores of a head for each position between query and key.
    pub(super) fn slope(self, head: usize) -> f64 {
        if self.position == Position::Alibi { alibi_slope(head, self.heads) } else { 0.0 }
    }

    /// The part of a shader that adds to scores what the encoding does.
    pub(super) fn biased(self, shader: Shader) -> Shader {
        match self.position {
            Position::Alibi => shader
                .numbers("SLOPES", (0..self.heads).map(|head| self.slope(head) as f32).collect())
                .part(include_str!("../../shaders/attention/position/alibi.wgsl")),
            _ => shader.part(include_str!("../../shaders/attention/position/plain.wgsl")),
        }
    }

    /// Multiply-adds counted as two, of `products` products of (T, T, D), half of each skipped by causality.
    pub(super) fn flops(self, products: u64) -> u64 {
        products * self.rows_len() as u64 * self.context as u64 * self.head_size as u64
    }

    /// So many matrices of (TILE, T), and what the largest product that makes or takes one copies.
    pub(super) fn workspace(self, matrices: usize) -> usize {
        let (rows, keys, d) = (TILE, self.context, self.head_size);
        let products = [[rows, d, keys], [rows, keys, d], [keys, rows, d]];
        let panels = products.map(|[rows, inner, columns]| MatMulShape { rows, inner, columns }.panels());
        matrices * TILE * self.context + panels.into_iter().max().expect("three products")
    }

    /// A shader whose invocations own rows of a head of queries, or of one of keys and values and then serve `served`
    /// heads of queries.
    pub(super) fn shader(
        self,
        name: &'static str,
        bindings: Vec<Binding>,
        served: usize,
        part: &'static str,
    ) -> Shader {
        let keys_at_a_time = 4;
        let owners = self.heads / served;
        // Of one head of one sequence.
        let groups = self.context.div_ceil(self.rows_each);
        let invocations = self.batch * owners * groups;
        let shader = Shader::new(name, bindings)
            .count("CONTEXT", self.context)
            .count("HEADS", self.heads)
            .count("KV_HEADS", self.kv_heads)
            .count("SHARING", self.sharing())
            .count("OWNERS", owners)
            .count("SERVED", served)
            .count("EACH", self.rows_each)
            .count("GROUPS", groups)
            .count("INVOCATIONS", invocations)
            .count("TOKEN4", self.qkv_width() / 4)
            .count("WIDTH4", self.width() / 4)
            .count("HEAD4", self.head_size / 4)
            .count("KEYS", keys_at_a_time)
            .number("SCALE", self.scale() as f32)
            .flag("DOCUMENTS", self.documents)
            .part(include_str!("../../shaders/attention/layout.wgsl"));
        self.biased(shader).part(part).invocations(invocations)
    }

    /// How a twin knows what each query sees.
    pub(super) fn sight<'a, R>(self, first_keys: Option<Arg<'a, R>>) -> Sight<'a> {
        Sight { first_keys: first_keys.map(Arg::ids), context: self.context }
    }

    pub(super) fn for_each_head(self, mut body: impl FnMut(Head)) {
        let (d, sequence) = (self.head_size, self.context * self.qkv_width());
        for b in 0..self.batch {
            for h in 0..self.heads {
                let shared = h / self.sharing();
                body(Head {
                    sequence: b,
                    number: h,
                    first: h % self.sharing() == 0,
                    q: b * sequence + h * d,
                    k: b * sequence + self.width() + shared * d,
                    v: b * sequence + self.width() + self.kv_width() + shared * d,
                    out: b * self.context * self.width() + h * d,
                    row: (b * self.heads + h) * self.context,
                });
            }
        }
    }

    /// Adds what the encoding does to unscaled scores (rows, keys) of the queries from `first` on: −m (i − j) √D.
    pub(super) fn bias<R: Real>(self, scores: &mut [R], head: usize, first: usize, [rows, keys]: [usize; 2]) {
        let slope = self.slope(head) / self.scale();
        if slope == 0.0 {
            return;
        }
        for (i, row) in scores[..rows * keys].chunks_exact_mut(keys).enumerate() {
            for (j, score) in row[..first + i + 1].iter_mut().enumerate() {
                *score -= R::of(slope * (first + i - j) as f64);
            }
        }
    }

    /// (first query row, rows, keys that the last of them sees) of each tile.
    pub(super) fn tiles(self) -> impl Iterator<Item = (usize, usize, usize)> {
        (0..self.context).step_by(TILE).map(move |first| {
            let rows = TILE.min(self.context - first);
            (first, rows, first + rows)
        })
    }

    /// The same from the last to the first: the last sees all keys.
    pub(super) fn tiles_backwards(self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.tiles().collect::<Vec<_>>().into_iter().rev()
    }
}

/// The keys that queries see: all before them, or those of their document.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    /// (B, T)
    first_keys: Option<&'a [u32]>,
    context: usize,
}

impl Sight<'_> {
    /// The first key that query `i` of a sequence sees.
    pub(super) fn first_key(self, sequence: usize, i: usize) -> usize {
        self.first_keys.map_or(0, |first_keys| first_keys[sequence * self.context + i] as usize)
    }

    pub(super) fn cuts(self) -> bool {
        self.first_keys.is_some()
    }
}

/// One head of queries of one sequence, and where its first element lies.
pub(super) struct Head {
    pub(super) sequence: usize,
    pub(super) number: usize,
    /// Of those that share their keys and values.
    pub(super) first: bool,
    /// In (B, T, (H + 2 KV) D).
    pub(super) q: usize,
    pub(super) k: usize,
    pub(super) v: usize,
    /// In (B, T, C).
    pub(super) out: usize,
    /// In (B, H, T).
    pub(super) row: usize,
}
