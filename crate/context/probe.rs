//! A model that is only read: its parameters on buffers of their own, and a forward pass of any length.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::checkpoint::{Checkpoint, Header};
use crate::config::Config;
use crate::data::Dataset;
use crate::engine::{Device, Engine, ProgramId};
use crate::error::Result;
use crate::kernels::Step;
use crate::kernels::embedding::EmbedShape;
use crate::kernels::position::Table;
use crate::layers::{Batch, Recorder};
use crate::model;
use crate::parameters::Parameters;
use crate::plan::LARGEST_CHUNK;
use crate::tape::{Buffers, Purpose, Recording, Tape, Tensor};
use crate::tuning;

/// A model to be looked at, its text, and where.
pub struct Subject {
    pub config: Config,
    pub dataset: Rc<Dataset>,
    pub device: Device,
    /// Updates behind the parameters.
    pub step: u32,
    parameters: Parameters,
    weights: Vec<f32>,
}

impl Subject {
    /// The model of a checkpoint's bytes. `config` is the run's, or one that differs in what changes no parameter.
    ///
    /// # Errors
    /// Where it is no checkpoint of this config's model on this text.
    pub fn of_checkpoint(config: &Config, dataset: Rc<Dataset>, device: &Device, bytes: &[u8]) -> Result<Self> {
        let parameters = Parameters::new(&config.model, dataset.tokenizer.vocabulary_size());
        let Checkpoint { header, weights, .. } = Checkpoint::from_bytes(bytes, &parameters, [])?;
        let Header { step, .. } = header;
        header.check_text(&dataset.fingerprint())?;
        Ok(Self { config: config.clone(), dataset, device: device.clone(), step, parameters, weights })
    }

    /// A forward pass over sequences of `context` tokens, `batch` at once. With `looks`, what attention sees is kept.
    pub async fn probe(&self, batch: usize, context: usize, looks: bool) -> Result<Probe> {
        Probe::new(self, batch, context, looks).await
    }

    /// Sequences of `context` tokens that make about as many tokens as a micro-batch of training, one at least.
    pub fn batch_for(&self, context: usize) -> usize {
        let tokens = (self.config.training.micro_batch() * self.config.model.context) as usize;
        (tokens / context).max(1)
    }
}

/// The recording of a forward pass on an engine of its own.
pub struct Probe {
    engine: Engine,
    program: ProgramId,
    ops: usize,
    shape: EmbedShape,
    /// (B, T+1)
    tokens: Tensor,
    /// (B·T)
    losses: Tensor,
    /// For each layer queries, keys and values (B·T, (H + 2 KV) D), normed and turned; none where nobody looks.
    pub(super) seen: Vec<Tensor>,
}

impl Probe {
    async fn new(subject: &Subject, batch: usize, context: usize, looks: bool) -> Result<Self> {
        let Subject { config, parameters, .. } = subject;
        let model = &config.model;
        let vocabulary = subject.dataset.tokenizer.vocabulary_size();
        let shape = EmbedShape { batch, context, vocabulary, width: model.width as usize };
        let mut buffers = Buffers::default();
        let weights = buffers.add("parameters", Purpose::Parameters, parameters.len);
        let tokens = buffers.add("tokens", Purpose::Traffic, shape.tokens_len());
        let losses = buffers.add("losses", Purpose::Traffic, shape.rows());
        let positions = Table::of(model, context).map(|table| buffers.add_table("positions", table));
        let names = (0..model.layers).filter(|_| looks).map(|i| format!("blocks.{i}.attn.qkv"));
        let kept: BTreeMap<String, Tensor> = names
            .map(|name| {
                let len = shape.rows() * model.qkv_width() as usize;
                (name.clone(), buffers.add(name, Purpose::Cache, len))
            })
            .collect();
        let seen = (0..model.layers).filter_map(|i| kept.get(&format!("blocks.{i}.attn.qkv")).copied()).collect();
        let mut recorder = Recorder {
            tape: Tape::new(),
            parameters,
            weights,
            gradients: None,
            decodes: false,
            // A forward pass asks for the tokens alone.
            batch: Batch { tokens, starts: tokens, order: tokens, packed: None },
            positions,
            shape,
            rows_of_step: shape.rows(),
            labels: None,
            margins: None,
            accumulate: false,
            checkpointing: false,
            largest: LARGEST_CHUNK,
            kept,
        };
        model::loss(&mut recorder, config, losses);
        let mut recording: Recording = recorder.tape.finish(&mut buffers);

        let mut engine = Engine::new(&subject.device, &buffers, 1)?;
        tuning::choose(&mut engine, &subject.device, &mut [&mut recording]).await?;
        engine.write(weights, &subject.weights);
        let program = engine.add(&recording, &mut |_, _| ()).await?;
        Ok(Self { engine, program, ops: recording.ops.len(), shape, tokens, losses, seen })
    }

    pub fn batch(&self) -> usize {
        self.shape.batch
    }

    pub fn context(&self) -> usize {
        self.shape.context
    }

    /// The losses (B·T), in nats, of at most B rows of at most T+1 tokens. Shorter rows are filled up at the end, which
    /// changes nothing before it; what the filling scores is for the caller to leave out.
    pub async fn losses(&mut self, rows: &[&[u32]]) -> Result<Vec<f32>> {
        let mut tokens = vec![0; self.shape.tokens_len()];
        for (row, tokens) in rows.iter().zip(tokens.chunks_exact_mut(self.shape.context + 1)) {
            tokens[..row.len()].copy_from_slice(row);
        }
        self.engine.write_ids(self.tokens, &tokens);
        self.engine.run(self.program, 0..self.ops, &Step::default(), None)?;
        self.engine.read(self.losses).await
    }

    /// Queries, keys and values of a layer in the rows that were played last.
    pub(super) async fn queries_keys_values(&mut self, layer: usize) -> Result<Vec<f32>> {
        self.engine.read(self.seen[layer]).await
    }
}
