//! A copy of the model that makes the gradient of some sequences of each micro-batch.

use std::ops::Range;

use crate::config::Config;
use crate::data::{Part, Rows};
use crate::engine::{Device, Engine, ProgramId};
use crate::error::Result;
use crate::kernels::Step;
use crate::kernels::embedding::EmbedShape;
use crate::plan::{Plan, Uploader};
use crate::tuning;

/// Neighbouring sequences of every micro-batch; where a run trains on shorter ones, as many tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub first: u32,
    pub sequences: u32,
}

/// Words of an order before its rows: which pass, and the step's numbers.
const HEAD: usize = 1 + size_of::<Step>() / 4;

impl Shard {
    /// What [`Replica::play`] is given: a head, then of the shard's rows the tokens and, with documents apart, the first keys
    /// and the weights, each micro-batch by micro-batch. `rows` are those of the whole step, in micro-batches of `shape`;
    /// `context` is the whole one.
    pub(super) fn order(&self, pass: usize, step: &Step, rows: &Rows, shape: EmbedShape, context: usize) -> Vec<u32> {
        let each = context / shape.context;
        let [first, sequences] = [self.first, self.sequences].map(|n| n as usize * each);
        let micro_batches = rows.tokens.len() / shape.tokens_len();
        let of = |i: usize| i * shape.batch + first..i * shape.batch + first + sequences;
        let parts: Vec<Part> = (0..micro_batches).map(|i| rows.part(of(i), shape.context)).collect();

        let mut order = vec![pass as u32];
        order.extend(bytemuck::cast_slice::<Step, u32>(&[*step]));
        order.extend(parts.iter().flat_map(|part| part.tokens));
        order.extend(parts.iter().flat_map(|part| part.first_keys));
        order.extend(parts.iter().flat_map(|part| part.weights).map(|weight| weight.to_bits()));
        order
    }
}

pub struct Replica {
    plan: Plan,
    engine: Engine,
    /// Of each of the plan's passes: what plays, micro-batch by micro-batch.
    programs: Vec<Program>,
    /// Of the run's whole micro-batches (B·T), and of those before the shard in each.
    rows: usize,
    first_row: usize,
}

struct Program {
    id: ProgramId,
    rounds: Vec<Range<usize>>,
    uploader: Uploader,
}

impl Replica {
    /// One that makes the gradients of a shard of the config's batches; their scale is that of the whole batch.
    pub async fn new(config: &Config, vocabulary: usize, shard: Shard) -> Result<Self> {
        let mut plan = Plan::of_part(config, vocabulary, shard.sequences);
        let mut engine = Engine::new(&Device::Cpu, &plan.buffers, 1)?;
        tuning::choose(&mut engine, &Device::Cpu, &mut plan.recordings_mut()).await?;
        let mut programs = vec![];
        for pass in plan.passes() {
            let recording = pass.recording.gradients();
            let id = engine.add(&recording, &mut |_, _| ()).await?;
            programs.push(Program { id, rounds: recording.rounds().collect(), uploader: Uploader::new(pass.shape) });
        }
        let context = config.model.context;
        let [rows, first_row] = [config.training.micro_batch(), shard.first].map(|n| n as usize * context as usize);
        Ok(Self { plan, engine, programs, rows, first_row })
    }

    /// Makes the gradients that an order asks for, with these parameters.
    pub fn play(&mut self, order: &[u32], parameters: &[f32]) -> Result<()> {
        let (head, rows) = order.split_at(HEAD);
        let pass = self.plan.pass(head[0] as usize);
        let Program { id, rounds, uploader } = &mut self.programs[head[0] as usize];
        let step: Step = bytemuck::pod_read_unaligned(bytemuck::cast_slice(&head[1..]));
        self.engine.write(self.plan.weights, parameters);

        let EmbedShape { batch, context, .. } = pass.shape;
        let packed = if pass.batch.packed.is_some() { pass.shape.rows() } else { 0 };
        let (tokens, rest) = rows.split_at(rounds.len() * batch * (context + 1));
        let (first_keys, weights) = rest.split_at(rounds.len() * packed);
        for (i, ops) in rounds.iter().enumerate() {
            let part = Part {
                tokens: &tokens[i * batch * (context + 1)..][..batch * (context + 1)],
                first_keys: &first_keys[i * packed..][..packed],
                weights: bytemuck::cast_slice(&weights[i * packed..][..packed]),
            };
            uploader.upload(&mut self.engine, pass, part);
            let first_row = (i * self.rows + self.first_row) as u32;
            self.engine.run(*id, ops.clone(), &Step { first_row, ..step }, None)?;
        }
        Ok(())
    }

    /// As the order that was played last made them, laid out as the parameters.
    pub fn gradients(&self) -> &[f32] {
        self.engine.peek(self.plan.gradients).expect("a replica is on the CPU")
    }

    /// Of each of the shard's rows, over the micro-batches.
    pub fn losses(&self) -> &[f32] {
        self.engine.peek(self.plan.train.result).expect("a replica is on the CPU")
    }
}
