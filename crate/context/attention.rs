//! What attention looks at: the weights of every head over a text, and how far back they reach.

use serde::Serialize;

use super::Subject;
use crate::error::{Error, Problem, Result};
use crate::kernels::attention::{self, AttentionShape};

/// Longest text whose weights are kept: layers × heads × 256² numbers.
pub const LONGEST: usize = 256;

/// What a model attends to while it reads a text of T tokens.
#[derive(Clone, Debug, Serialize)]
pub struct Attention {
    /// After so many updates.
    pub step: u32,
    /// Each token as text, (T).
    pub tokens: Vec<String>,
    /// Of the text's tokens, those at its end that did not fit.
    pub left_out: usize,
    pub layers: usize,
    /// In each layer.
    pub heads: usize,
    /// P (L, H, T, T): row i holds the shares of token i's attention that the tokens up to itself get.
    #[serde(skip)]
    pub weights: Vec<f32>,
    /// Figures of each head, layer by layer (L·H).
    pub figures: Vec<HeadFigures>,
    /// The distance of a head that attends to all tokens alike: (T − 1) / 4.
    pub uniform_distance: f64,
}

/// Where a head looks, on average over the tokens that look.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HeadFigures {
    /// Counted from 0.
    pub layer: usize,
    pub head: usize,
    /// How many tokens back: Σ_j P_ij (i − j).
    pub distance: f64,
    /// What the text's first token gets of all others' attention, as an attention sink does (Xiao et al. 2023, arXiv
    /// 2309.17453).
    pub on_first: f64,
    /// What the token before gets.
    pub on_previous: f64,
    /// What the token itself gets.
    pub on_itself: f64,
}

impl HeadFigures {
    /// `weights` is P (T, T).
    fn of(layer: usize, head: usize, weights: &[f32], count: usize) -> Self {
        let mean = |value: &dyn Fn(usize, &[f32]) -> f64, from: usize| {
            let rows = weights.chunks_exact(count).enumerate().skip(from);
            rows.map(|(i, row)| value(i, row)).sum::<f64>() / (count - from).max(1) as f64
        };
        let distance = |i: usize, row: &[f32]| {
            row[..=i].iter().enumerate().map(|(j, &weight)| f64::from(weight) * (i - j) as f64).sum()
        };
        Self {
            layer,
            head,
            distance: mean(&distance, 0),
            on_first: mean(&|_, row| row[0].into(), 1),
            on_previous: mean(&|i, row| row[i - 1].into(), 1),
            on_itself: mean(&|i, row| row[i].into(), 0),
        }
    }
}

/// Lets the model read `tokens`, as many as fit its context and [`LONGEST`], and says what each head attends to.
///
/// # Errors
/// Where there is no token, or one that the model does not know.
pub async fn look(subject: &Subject, tokens: &[u32]) -> Result<Attention> {
    let model = &subject.config.model;
    let tokenizer = &subject.dataset.tokenizer;
    let vocabulary = tokenizer.vocabulary_size();
    if tokens.is_empty() || tokens.iter().any(|&id| id as usize >= vocabulary) {
        return Err(Error::refused(Problem::new(
            "prompt",
            format!("{} tokens", tokens.len()),
            format!("a text of at least one of the tokenizer's {vocabulary} tokens"),
            "Write a word.",
        )));
    }
    let count = tokens.len().min(LONGEST).min(model.context as usize);
    let (tokens, left_out) = (&tokens[..count], tokens.len() - count);
    let mut probe = subject.probe(1, count, true).await?;
    probe.losses(&[tokens]).await?;

    let heads = model.heads as usize;
    let shape = AttentionShape {
        kv_heads: model.key_value_heads() as usize,
        position: model.position,
        ..AttentionShape::new(1, count, heads, model.head_size() as usize)
    };
    let (mut weights, mut figures) = (vec![], vec![]);
    for layer in 0..model.layers as usize {
        let of_layer = attention::weights(shape, &probe.queries_keys_values(layer).await?);
        let of_heads = of_layer.chunks_exact(count * count).enumerate();
        figures.extend(of_heads.map(|(head, weights)| HeadFigures::of(layer, head, weights, count)));
        weights.extend(of_layer);
    }
    Ok(Attention {
        step: subject.step,
        tokens: tokens.iter().map(|&id| tokenizer.decode(&[id])).collect(),
        left_out,
        layers: model.layers as usize,
        heads,
        weights,
        figures,
        uniform_distance: (count - 1) as f64 / 4.0,
    })
}
