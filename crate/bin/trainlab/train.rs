//! `trainlab train`: a run from its first step, or from where a saved one stopped.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use trainlab::checkpoint::{self, Checkpoint};
use trainlab::data::Rows;
use trainlab::data::usage::BucketUse;
use trainlab::error::{Error, Result};
use trainlab::trainer::{Metric, Trainer};

use crate::files::{self, CHECKPOINT};
use crate::input::{self, DeviceArg, RunArgs};
use crate::inspect::saved_tokenizer;
use crate::replicas::ReplicaArgs;
use crate::saves::Saves;
use crate::tilings;

#[derive(clap::Args)]
pub struct TrainArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Where to train; auto takes the GPU if there is a real one.
    #[arg(long, value_enum, default_value_t = DeviceArg::Auto)]
    device: DeviceArg,
    #[command(flatten)]
    replicas: ReplicaArgs,
    /// Save the run's state in this folder: at each validation, every minute, at the end, and on Ctrl-C. Beside it, usage.json
    /// says how often the run has read documents of each length.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with the run saved in this folder, and save it there. Fields may be set, such as more steps.
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    resume: Option<PathBuf>,
    /// Begin with the parameters of the run saved in this folder, but as a new run of its config: from step 1, with a
    /// fresh optimizer. Fields may be set, such as a longer model.context with model.rope_interpolation.
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    init: Option<PathBuf>,
    /// Write init.safetensors (parameters before step 1) and batches.safetensors ("tokens", [N, B, T+1]; with documents
    /// apart also "first_keys" and "weights", [N, B, T]: the first token that each one sees, what its target counts for) to
    /// --out: all that another framework needs to repeat the first N steps.
    #[arg(long, value_name = "N", requires = "out")]
    export_batches: Option<u32>,
}

pub async fn train(args: &TrainArgs) -> Result<()> {
    args.replicas.prepare();
    let read = |folder: &PathBuf| files::read(&folder.join(CHECKPOINT));
    let saved = args.resume.as_ref().map(read).transpose()?;
    let init = args.init.as_ref().map(read).transpose()?;
    let config = match saved.as_ref().or(init.as_ref()) {
        Some(bytes) => args.run.config_over(json!(Checkpoint::header(bytes)?.config))?,
        None => args.run.config()?,
    };
    let text = args.run.files.text(&config)?;
    let tasks = args.run.files.tasks(&config, &text)?;
    let tokenizer = match saved.as_ref().or(init.as_ref()) {
        Some(bytes) => saved_tokenizer(bytes)?,
        None => args.run.files.tokenizer()?,
    };
    let dataset = input::tokenised(&config, &text, tokenizer)?;
    let device = input::open(args.device).await?;
    let mut trainer = args.replicas.trainer(&config, Rc::new(dataset), &device, saved.as_deref()).await?;
    if let Some(bytes) = &init {
        trainer.begin_with(bytes)?;
    }
    tilings::keep(&device);
    trainer.set_tasks(tasks, None)?;
    if saved.is_some() {
        eprintln!("going on after step {}", trainer.finished());
    }
    let folder = args.out.as_deref().or(args.resume.as_deref());
    if let Some(folder) = folder {
        files::make_folder(folder)?;
        files::replace(&folder.join("config.json"), json!(config).to_string().as_bytes())?;
        export(&mut trainer, folder, args.export_batches).await?;
    }
    greet(&trainer);
    let mut saves = Saves::new(folder, saved.is_some().then(|| trainer.finished()));
    let stop = stop_on_ctrl_c()?;
    let bar = ProgressBar::new(config.training.steps.into());
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {eta} {msg}").expect("the template is right"));
    let result = run(&mut trainer, &mut saves, &stop, &mut Printed(bar)).await;
    if let Err(Error::DeviceLost(_)) = &result {
        eprintln!("{}", saves.ways_on(trainer.finished()));
    }
    tell_usage(&trainer, folder)?;
    result
}

/// Who is told what a run shows.
pub trait Told {
    fn metric(&mut self, metric: &Metric) -> Result<()>;
    /// A validation, scores or a sample, under that name.
    fn look(&mut self, name: &str, found: Value) -> Result<()>;
}

/// All of it, on standard output.
struct Printed(ProgressBar);

impl Told for Printed {
    fn metric(&mut self, metric: &Metric) -> Result<()> {
        self.0.set_position(metric.at.step.into());
        self.0.set_message(format!("loss {:.3}, {:.0} tokens/s", metric.loss, metric.tokens_per_second));
        println!("{}", json!(metric));
        Ok(())
    }

    fn look(&mut self, name: &str, found: Value) -> Result<()> {
        println!("{}", json!({ name: found }));
        Ok(())
    }
}

/// Validates, scores, samples and saves where that is due, trains in between. Saves and ends where `stop` asks for it.
pub async fn run(trainer: &mut Trainer, saves: &mut Saves<'_>, stop: &AtomicBool, told: &mut dyn Told) -> Result<()> {
    let mut shared = trainer.workers() > 1;
    while !trainer.is_done() {
        if let Some(why) = trainer.workers_lost().filter(|_| shared) {
            eprintln!("{why}: the run goes on with one replica");
            shared = false;
        }
        look(trainer, saves, told).await?;
        // Steps up to the next look, or as many as may be under way, are started at once.
        while trainer.has_room() && !is_look(trainer) {
            trainer.step()?;
        }
        let metrics = trainer.settle();
        for metric in named(trainer, metrics).await? {
            told.metric(&metric)?;
        }
        let stopped = stop.load(Ordering::Relaxed);
        if stopped || saves.due() {
            saves.save(trainer).await?;
        }
        if stopped {
            return Err(Error::Stopped);
        }
    }
    look(trainer, saves, told).await
}

/// How often the text has been read.
fn tell_usage(trainer: &Trainer, folder: Option<&Path>) -> Result<()> {
    let usage = trainer.usage();
    let epochs = |bucket: &BucketUse| format!("{}–{} {:.2}", bucket.of.from, bucket.of.to, bucket.epochs);
    let buckets: Vec<String> = usage.buckets.iter().filter(|bucket| bucket.of.documents > 0).map(epochs).collect();
    eprintln!("the text was read {:.2} times; by the length of its documents: {}", usage.whole, buckets.join(", "));
    if let Some(warning) = &usage.warning {
        eprintln!("{warning}");
    }
    match folder {
        Some(folder) => files::replace(&folder.join("usage.json"), json!(usage).to_string().as_bytes()),
        None => Ok(()),
    }
}

fn greet(trainer: &Trainer) {
    let unigram = trainer.unigram_entropy();
    eprintln!(
        "{} parameters, {} dispatches a step; a unigram model reaches {:.3} nats per token, {:.3} bits per byte",
        trainer.plan.parameters.count(),
        trainer.plan.train.recording.dispatches(),
        unigram.nats_per_token,
        unigram.bits_per_byte,
    );
}

/// A first Ctrl-C asks the run to save and stop; a second one ends the program at once.
pub fn stop_on_ctrl_c() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .map_err(|error| Error::Device(format!("Ctrl-C cannot be listened to: {error}")))?;
    Ok(stop)
}

fn is_look(trainer: &Trainer) -> bool {
    trainer.evaluation_due() || trainer.sample_due() || trainer.scores_due()
}

async fn look(trainer: &mut Trainer, saves: &mut Saves<'_>, told: &mut dyn Told) -> Result<()> {
    if trainer.evaluation_due() {
        told.look("validation", json!(trainer.evaluate().await?))?;
        saves.save(trainer).await?;
    }
    if trainer.scores_due() {
        told.look("downstream", json!(trainer.score_tasks().await?))?;
    }
    if trainer.sample_due() {
        let sample = trainer.sample(&trainer.config.evaluation.clone()).await?;
        let mut line = json!(sample.beginning);
        line["text"] = json!(sample.text());
        told.look("sample", line)?;
    }
    Ok(())
}

async fn export(trainer: &mut Trainer, folder: &Path, batches: Option<u32>) -> Result<()> {
    let Some(count) = batches else { return Ok(()) };
    let weights = trainer.weights().await?;
    let parameters = checkpoint::tensors(&trainer.plan.parameters, "", &weights);
    files::replace(&folder.join("init.safetensors"), &checkpoint::serialize(parameters, None))?;
    let all: Vec<Rows> = trainer.first_rows(count)?;
    let [tokens, first_keys] = [(|rows: &Rows| &rows.tokens) as fn(&Rows) -> &Vec<u32>, |rows| &rows.first_keys]
        .map(|ids| all.iter().flat_map(ids).map(|&id| id as i32).collect::<Vec<i32>>());
    let weights: Vec<f32> = all.iter().flat_map(|rows| rows.weights.iter().copied()).collect();
    let context = trainer.plan.train.shape.context;
    let shape = |width| vec![count as usize, trainer.config.training.batch_size as usize, width];
    let mut tensors = vec![checkpoint::ids("tokens", shape(context + 1), &tokens)];
    if trainer.config.data.packing.is_packed() {
        tensors.push(checkpoint::ids("first_keys", shape(context), &first_keys));
        tensors.push(checkpoint::numbers("weights", shape(context), &weights));
    }
    files::replace(&folder.join("batches.safetensors"), &checkpoint::serialize(tensors, None))
}

/// Names the tensor where a run diverged.
async fn named<T>(trainer: &mut Trainer, result: Result<T>) -> Result<T> {
    match result {
        Err(Error::Diverged { step, .. }) => Err(Error::Diverged { step, tensor: trainer.find_bad_tensor().await? }),
        other => other,
    }
}
