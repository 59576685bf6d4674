//! How documents become the rows of a batch, and what is uploaded of that beside the tokens.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Documents;
use super::batches::Span;

/// How the documents of a text are put into sequences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    /// Windows at random places of the text, one document after the other: nothing is wasted, and a token sees what came
    /// before it, of whichever document (as GPT-3 was trained; Brown et al. 2020, arXiv 2005.14165).
    #[schemars(title = "Windows")]
    #[default]
    Chunk,
    /// The same windows, but documents do not see each other: attention stays within one (as in Llama 3; Dubey et al. 2024,
    /// arXiv 2407.21783), positions count from its start, and its last token predicts nothing.
    #[schemars(title = "Windows, documents apart")]
    Masked,
    /// One document a sequence, each as likely as any other. Longer ones are cut to the context at a random place, shorter
    /// ones filled up with padding, which is neither seen nor learned from.
    #[schemars(title = "One document each")]
    Rows,
    /// The same, with long documents as often as short ones: a length from those that occur, in powers of two, then a
    /// document of that length. The few long ones are then read again and again (compare Pouransari et al. 2024, arXiv
    /// 2405.13226).
    #[schemars(title = "One document each, all lengths alike")]
    Balanced,
}

impl Packing {
    pub const ALL: [Self; 4] = [Self::Chunk, Self::Masked, Self::Rows, Self::Balanced];

    /// Whether kernels must be told where documents begin and what counts.
    pub fn is_packed(self) -> bool {
        self != Self::Chunk
    }

    /// Whether a sequence has one document.
    pub fn is_one_each(self) -> bool {
        matches!(self, Self::Rows | Self::Balanced)
    }

    /// The name in configs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chunk => "chunk",
            Self::Masked => "masked",
            Self::Rows => "rows",
            Self::Balanced => "balanced",
        }
    }
}

/// The rows of a step, in the order of its micro-batches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// (B, T+1): inputs are the first T tokens of a row, targets the last T. Padding, and what no row predicts, may be any
    /// token.
    pub tokens: Vec<u32>,
    /// (B, T): the first token that each one sees, which is where its document begins in the row. Padding sees itself.
    /// Nothing, where windows are not packed.
    pub first_keys: Vec<u32>,
    /// (B·T): what each target counts for, 1 / counted or 0: the sum of the weighted losses is the mean over the step.
    /// Nothing, where windows are not packed.
    pub weights: Vec<f32>,
    /// Targets that count.
    pub counted: u32,
}

/// Some sequences of a step.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub tokens: &'a [u32],
    pub first_keys: &'a [u32],
    pub weights: &'a [f32],
}

impl Rows {
    pub fn new(packing: Packing, batch_size: usize, context: usize) -> Self {
        let packed = if packing.is_packed() { batch_size * context } else { 0 };
        Self {
            tokens: vec![0; batch_size * (context + 1)],
            first_keys: vec![0; packed],
            weights: vec![0.0; packed],
            counted: 0,
        }
    }

    /// Some of the sequences, of T = `context`.
    pub fn part(&self, sequences: Range<usize>, context: usize) -> Part<'_> {
        let rows = if self.weights.is_empty() { 0..0 } else { sequences.start * context..sequences.end * context };
        Part {
            tokens: &self.tokens[sequences.start * (context + 1)..sequences.end * (context + 1)],
            first_keys: &self.first_keys[rows.clone()],
            weights: &self.weights[rows],
        }
    }

    /// Lays out row `row` of spans of `text`; its weights are 1 or 0 until [`Self::weigh`].
    pub(super) fn lay(&mut self, row: usize, context: usize, span: &Span, text: &[u32], documents: &Documents) {
        let Span { begin, len } = *span;
        let tokens = &mut self.tokens[row * (context + 1)..][..context + 1];
        // The target of the last input too, where there is one.
        let end = (begin + len + 1).min(text.len());
        tokens[..end - begin].copy_from_slice(&text[begin..end]);
        tokens[end - begin..].fill(0);
        let first_keys = &mut self.first_keys[row * context..][..context];
        let weights = &mut self.weights[row * context..][..context];
        for (document, part) in documents.within(begin..begin + len) {
            let (from, to) = (part.start - begin, part.end - begin);
            first_keys[from..to].fill(from as u32);
            weights[from..to].fill(1.0);
            // The last token of a document predicts nothing.
            if part.end == documents.range(document).end {
                weights[to - 1] = 0.0;
            }
        }
        for (t, first_key) in first_keys.iter_mut().enumerate().skip(len) {
            *first_key = t as u32;
        }
        weights[len..].fill(0.0);
    }

    /// Counts what counts, and gives each its share.
    pub(super) fn weigh(&mut self) {
        self.counted = self.weights.iter().map(|&weight| weight as u32).sum();
        let share = 1.0 / self.counted.max(1) as f32;
        self.weights.iter_mut().for_each(|weight| *weight *= share);
    }
}
