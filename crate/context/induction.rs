//! Induction: random tokens that are told twice. Nothing but the first telling can help with the second, so what is
//! predicted better there was looked up in the context (Olsson et al. 2022, arXiv 2209.11895, "Induction heads").

use serde::Serialize;

use super::Subject;
use crate::error::Result;
use crate::random::{Random, Stream};

/// Sequences for each distance.
const SEQUENCES: u32 = 32;

/// The shortest sequence that is repeated.
const SHORTEST: usize = 4;

/// How well random sequences are predicted when they are told a second time.
#[derive(Clone, Debug, Serialize)]
pub struct Induction {
    /// After so many updates.
    pub step: u32,
    /// The loss of a uniform guess, in nats per token.
    pub uniform: f64,
    pub by_distance: Vec<Repeated>,
}

/// Random sequences of one length, each told twice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Repeated {
    /// Tokens of the sequence: so far back stands the token that is asked for.
    pub distance: u32,
    pub sequences: u32,
    /// Nats per token, of all but each telling's first.
    pub first: f64,
    pub second: f64,
    /// By how much the second time is better.
    pub gain: f64,
    /// Of the gain, over the sequences.
    pub standard_error: f64,
}

/// The distances that fit a context: 4, 8, 16, … and the longest, half of it.
pub fn distances(context: usize) -> Vec<usize> {
    let longest = context.div_ceil(2);
    let mut distances: Vec<usize> = (2..).map(|power| 1 << power).take_while(|&n| n <= longest).collect();
    if distances.last() != Some(&longest) && longest >= SHORTEST {
        distances.push(longest);
    }
    distances
}

/// Sequences (N, 2n) of random tokens below `vocabulary`, each told twice: the same for every model.
pub fn sequences(vocabulary: usize, distance: usize) -> Vec<Vec<u32>> {
    let sequence = |number: u32| {
        let mut random = Random::new(u64::from(number), Stream::Other(distance as u32));
        let once: Vec<u32> = (0..distance).map(|_| random.below(vocabulary as u32)).collect();
        once.repeat(2)
    };
    (0..SEQUENCES).map(sequence).collect()
}

/// What the losses of one sequence come to: means over the first telling and the second. Losses are those of the 2n − 1
/// tokens after the first. The tokens that begin a telling are left out: none of them can be known.
pub fn halves(losses: &[f32], distance: usize) -> [f64; 2] {
    [0, distance].map(|from| {
        let half = &losses[from..from + distance - 1];
        half.iter().map(|&loss| f64::from(loss)).sum::<f64>() / half.len() as f64
    })
}

/// Measures it at every distance that fits the model's context. `progress` is told (done, all).
pub async fn measure(
    subject: &Subject,
    mut progress: impl AsyncFnMut(usize, usize) -> Result<()>,
) -> Result<Induction> {
    let context = subject.config.model.context as usize;
    let vocabulary = subject.dataset.tokenizer.vocabulary_size();
    let mut probe = subject.probe(subject.batch_for(context), context, false).await?;
    let distances = distances(context);
    let mut by_distance = vec![];
    for (i, &distance) in distances.iter().enumerate() {
        let sequences = sequences(vocabulary, distance);
        let mut read = vec![];
        for (j, rows) in sequences.chunks(probe.batch()).enumerate() {
            progress(i * sequences.len() + j * probe.batch(), distances.len() * sequences.len()).await?;
            let rows: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
            let losses = probe.losses(&rows).await?;
            read.extend(losses.chunks_exact(context).take(rows.len()).map(|losses| halves(losses, distance)));
        }
        by_distance.push(repeated(distance, &read));
    }
    Ok(Induction { step: subject.step, uniform: (vocabulary as f64).ln(), by_distance })
}

fn repeated(distance: usize, read: &[[f64; 2]]) -> Repeated {
    let count = read.len() as f64;
    let [first, second] = [0, 1].map(|half| read.iter().map(|halves| halves[half]).sum::<f64>() / count);
    let gain = first - second;
    let squares: f64 = read.iter().map(|[first, second]| (first - second - gain).powi(2)).sum();
    let standard_error = (squares / (count - 1.0) / count).sqrt();
    Repeated { distance: distance as u32, sequences: read.len() as u32, first, second, gain, standard_error }
}
