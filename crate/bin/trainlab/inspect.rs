//! Commands that look: at a plan, at a saved run, at this machine.

use std::path::PathBuf;
use std::rc::Rc;

use serde_json::json;
use trainlab::checkpoint::Checkpoint;
use trainlab::config::{self, Config};
use trainlab::context::Subject;
use trainlab::data::{Dataset, Subword};
use trainlab::downstream::score::Verdict;
use trainlab::downstream::{Exam, Row, TaskItems};
use trainlab::engine::{Device, DeviceChoice};
use trainlab::error::{Error, Problem, Result};
use trainlab::plan::Plan;
use trainlab::trainer::Trainer;

use crate::context;
use crate::files::{self, CHECKPOINT};
use crate::input::{self, DeviceArg, RunArgs};
use crate::print;

#[derive(clap::Args)]
pub struct SavedArgs {
    /// The folder of a run that was saved with `train --out`.
    folder: PathBuf,
    /// The text file that the run was trained on, if that was its own.
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = DeviceArg::Auto)]
    device: DeviceArg,
}

impl SavedArgs {
    fn bytes(&self) -> Result<Vec<u8>> {
        files::read(&self.folder.join(CHECKPOINT))
    }

    pub fn config(&self) -> Result<Config> {
        Ok(Checkpoint::header(&self.bytes()?)?.config)
    }

    /// The run's config with fields set that the command line names: those of `evaluation`, and others that `may` copies
    /// from the asked config into the run's, for they change no parameter.
    pub fn config_with(&self, set: &[String], allowed: &str, may: impl Fn(&Config, &mut Config)) -> Result<Config> {
        let saved = self.config()?;
        let mut asked = json!(saved);
        input::set_fields(&mut asked, set)?;
        let asked = config::parse(&asked)?;
        let mut meant = Config { evaluation: asked.evaluation.clone(), ..saved };
        may(&asked, &mut meant);
        if asked == meant {
            return Ok(asked);
        }
        let advice = "The rest is as the run was trained.";
        Err(Error::refused(Problem::new("--set", set.join(" "), allowed, advice)))
    }

    /// The run, as it was saved but with this config.
    pub async fn load(&self, config: &Config) -> Result<Trainer> {
        let text = input::text(config, self.text.as_deref())?;
        self.load_on(config, &text).await
    }

    async fn load_on(&self, config: &Config, text: &str) -> Result<Trainer> {
        let Opened { bytes, dataset, device } = self.open(config, text).await?;
        Trainer::resume(config, dataset, &device, &bytes, |_, _| ()).await
    }

    /// The run's model, to be looked at.
    pub async fn subject(&self, config: &Config) -> Result<Subject> {
        let text = input::text(config, self.text.as_deref())?;
        self.open(config, &text).await?.subject(config)
    }

    async fn open(&self, config: &Config, text: &str) -> Result<Opened> {
        let bytes = self.bytes()?;
        let dataset = Rc::new(input::tokenised(config, text, saved_tokenizer(&bytes)?)?);
        Ok(Opened { bytes, dataset, device: input::open(self.device).await? })
    }
}

/// A saved run, its text and where it is to be looked at.
struct Opened {
    bytes: Vec<u8>,
    dataset: Rc<Dataset>,
    device: Device,
}

impl Opened {
    fn subject(&self, config: &Config) -> Result<Subject> {
        Subject::of_checkpoint(config, Rc::clone(&self.dataset), &self.device, &self.bytes)
    }
}

/// The subword tokenizer that a saved run brings.
pub fn saved_tokenizer(checkpoint: &[u8]) -> Result<Option<Subword>> {
    Checkpoint::tokenizer(checkpoint)?.map(|json| Subword::load(json.as_bytes())).transpose()
}

#[derive(clap::Args)]
pub struct EvalArgs {
    #[command(flatten)]
    saved: SavedArgs,
    /// Set a field of `evaluation` or `downstream`, such as `evaluation.context=256`, or `model.rope_interpolation`; may be
    /// repeated.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Ask the downstream tasks too.
    #[arg(long)]
    downstream: bool,
    /// Ask your own downstream tasks too, from a file of JSON Lines.
    #[arg(long, value_name = "FILE")]
    tasks: Option<PathBuf>,
    /// Write each item that is asked to this file, a JSON object a line: the item, its candidates in tokens, which of these
    /// are scored, the log-probabilities (in nats) and what the model chose.
    #[arg(long, value_name = "FILE")]
    export_items: Option<PathBuf>,
    /// Show the loss by position in the context as a table too, on standard error.
    #[arg(long)]
    by_position: bool,
    /// Validate at these lengths too, in tokens, such as 32,64,128,256: the same held-out text, in pieces as long.
    #[arg(long, value_name = "TOKENS,…", value_delimiter = ',')]
    lengths: Vec<u32>,
    /// Measure induction too: random tokens that are told twice, and how much better they are predicted the second time.
    #[arg(long)]
    induction: bool,
}

pub async fn evaluate(args: &EvalArgs) -> Result<()> {
    let mut set = args.set.clone();
    if args.tasks.is_some() {
        let mut config = json!(args.saved.config()?);
        input::set_fields(&mut config, &set)?;
        input::add_own_tasks(&mut config);
        set.push(format!("downstream.tasks={}", config["downstream"]["tasks"]));
    }
    let allowed = "fields of `evaluation` and `downstream`, model.rope_interpolation";
    let config = args.saved.config_with(&set, allowed, |asked, meant| {
        meant.downstream = asked.downstream.clone();
        meant.model.rope_interpolation = asked.model.rope_interpolation;
    })?;
    let text = input::text(&config, args.saved.text.as_deref())?;
    let asks = args.downstream || args.tasks.is_some() || args.export_items.is_some();
    let tasks = if asks { input::tasks(&config, &text, args.tasks.as_deref())? } else { vec![] };
    if asks && tasks.is_empty() {
        let advice = "Name some with --set downstream.tasks=…, or your own with --tasks FILE.";
        let problem = Problem::new("downstream.tasks", "none for this text", "one task at least", advice);
        return Err(Error::refused(problem));
    }
    let opened = args.saved.open(&config, &text).await?;
    let mut trainer =
        Trainer::resume(&config, Rc::clone(&opened.dataset), &opened.device, &opened.bytes, |_, _| ()).await?;
    let evaluation = trainer.evaluate().await?;
    if args.by_position {
        context::show_positions(&evaluation.by_position);
    }
    let mut found = json!(evaluation);
    if !args.lengths.is_empty() {
        let lengths = context::lengths(&opened.subject(&config)?, &args.lengths, trainer.validation_bytes()).await?;
        found["lengths"] = json!(lengths);
    }
    if args.induction {
        found["induction"] = json!(context::induction(&opened.subject(&config)?).await?);
    }
    if asks {
        trainer.set_tasks(tasks, None)?;
        found["downstream"] = json!(trainer.score_tasks().await?);
    }
    if let (Some(path), Some((exam, verdicts))) = (&args.export_items, trainer.exam()) {
        files::replace(path, exported(exam, verdicts).as_bytes())?;
    }
    print(&found);
    Ok(())
}

/// All items as JSON Lines.
fn exported(exam: &Exam, verdicts: &[Verdict]) -> String {
    let mut rows = exam.rows.iter();
    let mut text = String::new();
    for (TaskItems { task, .. }, answers) in exam.answers(verdicts) {
        for answer in answers {
            let rows: Vec<&Row> = rows.by_ref().take(answer.item.choices.len()).collect();
            let mut line = json!(answer);
            line["task"] = json!(task);
            line["tokens"] = rows.iter().map(|row| json!(row.tokens)).collect();
            line["scored"] = rows.iter().map(|row| json!([row.candidate.start, row.candidate.end])).collect();
            text += &format!("{line}\n");
        }
    }
    text
}

pub async fn plan(run: &RunArgs, device: DeviceArg) -> Result<()> {
    let config = run.config()?;
    let dataset = run.dataset(&config)?;
    let device = input::open(device).await?;
    print(&Plan::for_dataset(&config, &dataset, &device)?.summary());
    Ok(())
}

/// Trains a few steps on each device and holds the losses against each other.
pub async fn doctor() -> Result<()> {
    let mut config = Config::default();
    (config.model.layers, config.training.steps, config.schedule.warmup_steps) = (1, 5, 0);
    (config.model.width, config.model.hidden, config.data.text_bytes) = (32, 64, 20_000);
    let cpu = losses(&config, &Device::Cpu).await?;
    println!("CPU: works; five steps take the loss from {:.4} to {:.4}", cpu[0], cpu[4]);
    let (device, _) = match Device::open(DeviceChoice::Gpu).await {
        Ok(opened) => opened,
        Err(error) => {
            println!("GPU: {error}");
            return Ok(());
        }
    };
    let Device::Gpu(gpu) = &device else { return Ok(()) };
    let speed = if gpu.software { ", which runs shaders on the CPU: the CPU device is faster" } else { "" };
    println!("GPU: {}{speed}; buffers of up to {} MiB", gpu.name, gpu.largest_binding() >> 20);
    let gpu = losses(&config, &device).await?;
    let difference = cpu.iter().zip(&gpu).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    if difference > 1e-3 {
        return Err(Error::Device(format!(
            "the GPU's losses differ from the CPU's by {difference:.2e}: its driver may be faulty; update it, and \
             train on the CPU device until then"
        )));
    }
    println!("GPU: works; the same five steps differ from the CPU's by at most {difference:.1e}");
    Ok(())
}

async fn losses(config: &Config, device: &Device) -> Result<Vec<f64>> {
    let dataset = input::dataset(config, None, None)?;
    let mut trainer = Trainer::new(config, Rc::new(dataset), device, |_, _| ()).await?;
    let mut losses = vec![];
    while !trainer.is_done() {
        while trainer.has_room() {
            trainer.step()?;
        }
        losses.extend(trainer.settle()?.into_iter().map(|metric| metric.loss));
    }
    Ok(losses)
}
