//! Evaluation at other lengths than that of training: the same held-out text, read in shorter or longer pieces
//! (Press et al. 2021, arXiv 2108.12409, figure 1).

use serde::Serialize;

use super::Subject;
use crate::config::{self, Config};
use crate::data::{ByPosition, Tally, Window, bits_per_byte, standard_error};
use crate::error::{Error, Result};
use crate::plan::Plan;

/// How well the held-out text is predicted in pieces of so many tokens.
#[derive(Clone, Debug, Serialize)]
pub struct LengthLoss {
    /// Tokens that the model sees at once.
    pub length: u32,
    /// Why there are no figures, where there are none.
    pub reason: Option<String>,
    /// Tokens and bytes scored: with whatever length the same, to within one token.
    pub tokens: u64,
    pub bytes: u64,
    /// Nats per token; null without figures.
    pub loss: f64,
    pub bits_per_byte: f64,
    /// Of the bits per byte, over the pieces; null where there was only one.
    pub standard_error: f64,
    pub by_position: ByPosition,
}

impl LengthLoss {
    fn none(length: u32, reason: String) -> Self {
        let nothing = f64::NAN;
        Self {
            length,
            reason: Some(reason),
            tokens: 0,
            bytes: 0,
            loss: nothing,
            bits_per_byte: nothing,
            standard_error: nothing,
            by_position: ByPosition::default(),
        }
    }
}

/// Reads the first `bytes` bytes of the held-out text in pieces of each length. A length that this model or this text
/// has not gets the reason in place of figures. `progress` is told (done, all), in tokens; an error of its own ends the work.
pub async fn at_lengths(
    subject: &Subject,
    lengths: &[u32],
    bytes: usize,
    mut progress: impl AsyncFnMut(usize, usize) -> Result<()>,
) -> Result<Vec<LengthLoss>> {
    let each = subject.dataset.validation_windows(1, bytes).len();
    let all = each * lengths.len();
    let mut found = vec![];
    for (i, &length) in lengths.iter().enumerate() {
        progress(i * each, all).await?;
        found.push(match refusal(subject, length) {
            Some(reason) => LengthLoss::none(length, reason),
            None => {
                let mut report = async |done: usize| progress(i * each + done, all).await;
                at_length(subject, length, bytes, &mut report).await?
            }
        });
    }
    progress(all, all).await?;
    Ok(found)
}

async fn at_length(
    subject: &Subject,
    length: u32,
    bytes: usize,
    progress: &mut impl AsyncFnMut(usize) -> Result<()>,
) -> Result<LengthLoss> {
    let dataset = &subject.dataset;
    let context = length as usize;
    let mut probe = subject.probe(subject.batch_for(context), context, false).await?;
    let mut tally = Tally::default();
    let (mut sums, mut tokens) = (vec![], 0);
    for windows in dataset.validation_windows(context, bytes).chunks(probe.batch()) {
        let rows: Vec<&[u32]> = windows.iter().map(|window| window.tokens).collect();
        let losses = probe.losses(&rows).await?;
        for (window, losses) in windows.iter().zip(losses.chunks_exact(context)) {
            let Window { first, scored_bytes, .. } = *window;
            let scored = window.tokens.len() - 1;
            let losses = &losses[..scored];
            sums.push((losses.iter().map(|&loss| f64::from(loss)).sum::<f64>(), scored_bytes));
            tally.add(losses, (first + 1..=first + scored).map(|at| dataset.held_out_bytes_of(at)));
            tokens += scored;
        }
        progress(tokens).await?;
    }
    let nats: f64 = sums.iter().map(|(nats, _)| nats).sum();
    let bytes: u64 = sums.iter().map(|&(_, bytes)| u64::from(bytes)).sum();
    Ok(LengthLoss {
        length,
        reason: None,
        tokens: tokens as u64,
        bytes,
        loss: nats / tokens as f64,
        bits_per_byte: bits_per_byte(nats, bytes),
        standard_error: standard_error(&sums),
        by_position: tally.finish(context),
    })
}

/// Why a length cannot be read: what a validation of that length would be refused for.
fn refusal(subject: &Subject, length: u32) -> Option<String> {
    let Subject { config, dataset, device, .. } = subject;
    let mut asked = serde_json::json!(config);
    asked["evaluation"]["context"] = length.into();
    let check = || -> Result<()> {
        // 0 would mean the model's own.
        if length == 0 {
            return dataset.check_context(config.model.context as usize, 0);
        }
        let asked: Config = config::parse(&asked)?;
        dataset.check_context(config.model.context as usize, length as usize)?;
        Plan::new(&asked, dataset.tokenizer.vocabulary_size(), device).map(|_| ())
    };
    match check() {
        Ok(()) => None,
        Err(Error::Refused(problems)) => problems.first().map(ToString::to_string),
        Err(error) => Some(error.to_string()),
    }
}

/// Lengths to look at where nobody names any: from 8 on in doublings, up to four times the trained one, which is among
/// them.
pub fn usual(context: u32) -> Vec<u32> {
    let below = (0..).map(|halvings| context >> halvings).take_while(|&length| length >= 8);
    let mut lengths: Vec<u32> = below.chain([context, 2 * context, 4 * context]).collect();
    lengths.sort();
    lengths.dedup();
    lengths
}
