//! Writing text with the parameters as they stand: tokens go into the device's caches one after the other, each replay
//! picks the next on the device, and what was picked comes back some tokens at a time.

use serde::Serialize;
use web_time::Instant;

use crate::config::EvaluationConfig;
use crate::data::{Decoder, Tokenizer};
use crate::engine::{Engine, ProgramId};
use crate::error::Result;
use crate::kernels::Step;
use crate::plan::Decode;
use crate::random::{Random, Stream};

/// Tokens that a GPU is given at once: enough to hide the way there and back, few enough to stay responsive.
const AT_ONCE: usize = 16;

/// Where a text begins, and all that decides how it goes on.
#[derive(Clone, Debug, Serialize)]
pub struct Beginning {
    /// The parameters are those after this step.
    pub step: u32,
    pub prompt: String,
    pub temperature: f64,
    pub top_k: u32,
    pub top_p: f64,
    pub sample_seed: u32,
}

impl Beginning {
    pub fn new(step: u32, evaluation: &EvaluationConfig) -> Self {
        let EvaluationConfig { ref prompt, temperature, top_k, top_p, sample_seed, .. } = *evaluation;
        Self { step, prompt: prompt.clone(), temperature, top_k, top_p, sample_seed }
    }
}

/// A token that was drawn.
#[derive(Clone, Debug, Serialize)]
pub struct Piece {
    pub token: u32,
    /// What it adds to the text: nothing where it only begins a character. The pieces' texts join to the whole text.
    pub text: String,
    /// The token as a reader may see it.
    pub label: String,
    /// That the model itself gave it: before temperature, top k and top p.
    pub probability: f32,
    /// The likeliest tokens in its place, the drawn one maybe among them.
    pub alternatives: Vec<Alternative>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Alternative {
    pub token: u32,
    pub label: String,
    pub probability: f32,
}

/// What was written since the last time.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    pub pieces: Vec<Piece>,
    pub done: bool,
}

/// A text that was written to its end.
#[derive(Clone, Debug)]
pub struct Sample {
    pub beginning: Beginning,
    pub pieces: Vec<Piece>,
}

impl Sample {
    /// What follows the prompt.
    pub fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }
}

/// A text while it is written.
pub struct Writing {
    /// The tokens of the context: first what the text goes on from, then what was picked.
    tokens: Vec<u32>,
    /// How many of them the caches hold.
    read: usize,
    /// Tokens still to be picked.
    wanted: usize,
    /// Temperature, top k and top p.
    choice: Step,
    random: Random,
    decoder: Decoder,
}

impl Writing {
    /// Goes on from the last `prompt` tokens of those that half a `context` holds.
    pub fn new(mut prompt: Vec<u32>, evaluation: &EvaluationConfig, step: u32, context: usize) -> Self {
        prompt.drain(..prompt.len().saturating_sub(context.div_ceil(2)));
        assert!(!prompt.is_empty(), "the config's checks let no empty prompt through");
        // What is closer to 0 would overflow on the way to the exponential.
        let temperature = if evaluation.temperature < 1e-6 { 0.0 } else { evaluation.temperature };
        Self {
            tokens: prompt,
            read: 0,
            wanted: evaluation.sample_tokens as usize,
            choice: Step {
                temperature: temperature as f32,
                top_k: evaluation.top_k,
                top_p: evaluation.top_p as f32,
                ..Step::default()
            },
            random: Random::new(evaluation.sample_seed.into(), Stream::Other(step)),
            decoder: Decoder::default(),
        }
    }

    /// Writes on for about `budget` seconds on the CPU, or for a handful of tokens on a GPU, and waits for them.
    ///
    /// Where the context is full, the text goes on from its second half, which is read anew: its positions are others.
    pub async fn go_on(
        &mut self,
        engine: &mut Engine,
        program: ProgramId,
        plan: &Decode,
        tokenizer: &Tokenizer,
        budget: f64,
    ) -> Result<Written> {
        let begin = Instant::now();
        if self.read == plan.context {
            self.tokens.drain(..self.tokens.len() - plan.context.div_ceil(2));
            self.read = 0;
        }
        if self.read == 0 {
            engine.write_ids(plan.tokens, &self.tokens);
        }
        let known = self.tokens.len();
        let all = plan.recording.ops.len();
        let first = self.read;
        while self.wanted > 0 && self.read < plan.context && self.read < first + AT_ONCE {
            let step = Step { position: self.read as u32, ..self.choice };
            self.read += 1;
            if self.read < known {
                engine.run(program, 0..plan.reading, &step, None)?;
            } else {
                engine.run(program, 0..all, &Step { draw: self.random.uniform(), ..step }, None)?;
                self.wanted -= 1;
            }
            if begin.elapsed().as_secs_f64() >= budget {
                break;
            }
        }
        let pieces = self.bring_back(engine, plan, tokenizer, known).await?;
        Ok(Written { pieces, done: self.wanted == 0 })
    }

    /// What was picked after the first `known` tokens of the context.
    async fn bring_back(
        &mut self,
        engine: &mut Engine,
        plan: &Decode,
        tokenizer: &Tokenizer,
        known: usize,
    ) -> Result<Vec<Piece>> {
        // Even where nothing was picked, what was asked for is waited for: no more than that is ever under way.
        let end = known.max(self.read + 1);
        let picked = engine.read_ids(plan.tokens.slice(known - 1..end)).await?.split_off(1);
        if picked.is_empty() {
            return Ok(vec![]);
        }
        let columns = plan.picks.candidates.len / plan.context;
        let candidates = plan.picks.candidates.slice((known - 1) * columns..(end - 1) * columns);
        let probabilities = plan.picks.probabilities.slice((known - 1) * (1 + columns)..(end - 1) * (1 + columns));
        let candidates = engine.read_ids(candidates).await?;
        let probabilities = engine.read(probabilities).await?;

        let rows = picked.iter().zip(candidates.chunks_exact(columns).zip(probabilities.chunks_exact(1 + columns)));
        let mut pieces: Vec<Piece> = rows
            .map(|(&token, (candidates, probabilities))| Piece {
                token,
                text: self.decoder.push(&tokenizer.token_utf8(token)),
                label: tokenizer.token_text(token),
                probability: probabilities[0],
                alternatives: candidates
                    .iter()
                    .zip(&probabilities[1..])
                    .map(|(&token, &probability)| Alternative {
                        token,
                        label: tokenizer.token_text(token),
                        probability,
                    })
                    .collect(),
            })
            .collect();
        if self.wanted == 0
            && let Some(last) = pieces.last_mut()
        {
            last.text += &self.decoder.finish();
        }
        self.tokens.extend(picked);
        Ok(pieces)
    }
}
