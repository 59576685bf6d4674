//! Data parallelism on the CPU: every worker has a replica of the model and makes the gradient of its shard of each batch.
//!
//! The run's own engine keeps the parameters and what the optimizer keeps. For each pass it hands the parameters and their
//! rows to the replicas and makes the gradient of the first shard itself; once all have answered it adds the gradients up,
//! always in the order of the shards, and goes on as any run does. So a run is the same bits each time with as many shards;
//! with more or fewer of them, sums are rounded in another order.
//!
//! No memory is shared: what goes to a worker and comes back is copied (the parameters out, as many gradients in), which a
//! batch of a few hundred tokens outweighs.

mod replica;
#[cfg(not(target_arch = "wasm32"))]
mod threads;

pub use replica::{Replica, Shard};
#[cfg(not(target_arch = "wasm32"))]
pub use threads::Threads;

use crate::config::Config;
use crate::data::Rows;
use crate::error::Result;
use crate::kernels::Step;
use crate::kernels::embedding::EmbedShape;
use crate::plan::{Bytes, Plan};
use crate::tape::Recording;

/// Where the replicas live, beside the first: threads natively, in the page web workers. Each is asked one thing at a time.
pub trait Workers {
    fn count(&self) -> usize;

    /// Has a worker make its replica, of [`Replica::new`].
    fn prepare(&mut self, worker: usize, config: &Config, vocabulary: usize, shard: Shard);

    /// Has its replica play [`Replica::play`]. Never waits.
    fn send(&mut self, worker: usize, order: &[u32], parameters: &[f32]);

    /// What came first of what has come. Never waits.
    ///
    /// # Errors
    /// Where a worker has ended, or cannot go on: none is asked any more.
    fn poll(&mut self) -> Result<Option<Answer>>;

    /// Waits until there is something to poll. A page's worker gives way instead.
    #[cfg(not(target_arch = "wasm32"))]
    fn wait(&mut self);
}

/// The gradients of a worker's replica, and behind them the losses of its rows.
pub struct Answer {
    pub worker: usize,
    pub numbers: Vec<f32>,
}

/// The gradient of a whole batch.
pub struct Sum {
    pub gradients: Vec<f32>,
    /// Of each row of a micro-batch (B·T), over the micro-batches.
    pub losses: Vec<f32>,
}

/// A run's replicas, as it sees them.
pub struct Replicas {
    workers: Box<dyn Workers>,
    first: Replica,
    shards: Vec<Shard>,
    /// The run's whole context.
    context: usize,
    /// What has come for the pass under way, by worker; nothing while none is.
    came: Option<Vec<Option<Vec<f32>>>>,
}

impl Replicas {
    /// As many as there are workers and one more, but none without a sequence; none at all where one would be alone.
    pub async fn new(config: &Config, vocabulary: usize, mut workers: Box<dyn Workers>) -> Result<Option<Self>> {
        let shards = shards(config, workers.count() + 1);
        let [first, others @ ..] = &shards[..] else { return Ok(None) };
        if others.is_empty() {
            return Ok(None);
        }
        for (worker, &shard) in others.iter().enumerate() {
            workers.prepare(worker, config, vocabulary, shard);
        }
        let first = Replica::new(config, vocabulary, *first).await?;
        Ok(Some(Self { workers, first, shards, context: config.model.context as usize, came: None }))
    }

    pub fn count(&self) -> usize {
        self.shards.len()
    }

    /// Whether a pass is under way.
    pub fn busy(&self) -> bool {
        self.came.is_some()
    }

    /// Begins one of the plan's passes over the `rows` of a step, of micro-batches of `shape`.
    pub fn scatter(
        &mut self,
        pass: usize,
        step: &Step,
        rows: &Rows,
        shape: EmbedShape,
        parameters: &[f32],
    ) -> Result<()> {
        assert!(self.came.is_none(), "one pass at a time");
        let order = |shard: &Shard| shard.order(pass, step, rows, shape, self.context);
        for (worker, shard) in self.shards[1..].iter().enumerate() {
            self.workers.send(worker, &order(shard), parameters);
        }
        self.came = Some(vec![None; self.shards.len() - 1]);
        self.first.play(&order(&self.shards[0]), parameters)
    }

    /// The sum, once all that it needs has come. Never waits.
    pub fn gather(&mut self) -> Result<Option<Sum>> {
        let Some(came) = &mut self.came else { return Ok(None) };
        while came.iter().any(Option::is_none) {
            let Some(Answer { worker, numbers }) = self.workers.poll()? else { return Ok(None) };
            came[worker] = Some(numbers);
        }
        let mut sum = Sum { gradients: self.first.gradients().to_vec(), losses: self.first.losses().to_vec() };
        for numbers in self.came.take().into_iter().flatten().flatten() {
            let (gradients, losses) = numbers.split_at(sum.gradients.len());
            sum.gradients.iter_mut().zip(gradients).for_each(|(sum, gradient)| *sum += gradient);
            sum.losses.extend(losses);
        }
        Ok(Some(sum))
    }

    /// Waits for the next answer.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn wait(&mut self) {
        self.workers.wait();
    }
}

/// Cuts each micro-batch into at most `count` shards, none empty, which differ by one sequence at most.
fn shards(config: &Config, count: usize) -> Vec<Shard> {
    let sequences = config.training.micro_batch();
    let count = sequences.min(count as u32);
    let begin = |i: u32| i * (sequences / count) + i.min(sequences % count);
    (0..count).map(|i| Shard { first: begin(i), sequences: begin(i + 1) - begin(i) }).collect()
}

/// What a run takes with so many workers beside its own, all replicas together.
pub fn bytes(config: &Config, vocabulary: usize, plan: &Plan, workers: usize) -> Bytes {
    let shards = shards(config, workers + 1);
    if shards.len() < 2 {
        return plan.bytes;
    }
    let of_shard = |shard: Shard| {
        let part = Plan::of_part(config, vocabulary, shard.sequences);
        let gradients: Vec<Recording> = part.passes().map(|pass| pass.recording.gradients()).collect();
        // What is exchanged: the parameters, in whose place the gradients come back. A browser copies them on the way.
        let exchanged = 4 * (part.parameters.len + part.train.result.len) as u64;
        Bytes::of_recordings(&part, &gradients.iter().collect::<Vec<_>>()).total + exchanged
    };
    // The run itself plays the end of its steps, validates and writes.
    let ends: Vec<Recording> = plan.passes().map(|pass| pass.recording.end()).collect();
    let own: Vec<&Recording> = ends.iter().chain([&plan.validate.recording, &plan.decode.recording]).collect();
    // Shards are of two sizes at most.
    let alike = shards.chunk_by(|a, b| a.sequences == b.sequences);
    let replicas = alike.map(|shards| shards.len() as u64 * of_shard(shards[0])).sum();
    Bytes::of_recordings(plan, &own).with_replicas(replicas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_cover_each_micro_batch_once() {
        let mut config = Config::default();
        for (batch_size, accumulation, count, expected) in [
            (8, 1, 2, vec![4, 4]),
            (8, 1, 3, vec![3, 3, 2]),
            (8, 4, 4, vec![1, 1]),
            (7, 1, 4, vec![2, 2, 2, 1]),
            (1, 1, 4, vec![1]),
        ] {
            (config.training.batch_size, config.training.accumulation) = (batch_size, accumulation);
            let shards = shards(&config, count);
            assert_eq!(shards.iter().map(|shard| shard.sequences).collect::<Vec<_>>(), expected);
            let ends: Vec<u32> = shards.iter().map(|shard| shard.first + shard.sequences).collect();
            assert_eq!(ends.last(), Some(&config.training.micro_batch()));
            assert!(shards.iter().skip(1).map(|shard| shard.first).eq(ends[..ends.len() - 1].iter().copied()));
        }
    }
}
