//! The command line: the same runs as in the page. Progress goes to standard error, JSON Lines to standard output.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use clap::{Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use trainlab::config::{self, Config, Corpus};
use trainlab::data::{Dataset, check_text, tiny_tales};
use trainlab::engine::{Device, DeviceChoice};
use trainlab::error::{Error, Problem, Result};
use trainlab::plan::Plan;
use trainlab::trainer::Trainer;

/// A training lab: tiny GPTs, trained on your own GPU or CPU.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a model; print a JSON object for each step, validation and sample.
    Train {
        #[command(flatten)]
        run: RunArgs,
        /// Where to train; auto takes the GPU if there is a real one.
        #[arg(long, value_enum, default_value_t = DeviceArg::Auto)]
        device: DeviceArg,
    },
    /// Print the whole effective config as JSON.
    Config {
        #[command(flatten)]
        run: RunArgs,
    },
    /// Print the JSON schema of configs.
    Schema,
    /// Print parameters, bytes by purpose, FLOPs and dispatches; nothing is run.
    Plan {
        #[command(flatten)]
        run: RunArgs,
    },
    /// Time each kernel of a training step by itself; print a JSON object for each.
    Profile {
        #[command(flatten)]
        run: RunArgs,
        #[arg(long, value_enum, default_value_t = DeviceArg::Auto)]
        device: DeviceArg,
        /// Seconds spent on each kernel.
        #[arg(long, default_value_t = 0.5)]
        budget: f64,
    },
}

#[derive(clap::Args)]
struct RunArgs {
    /// A config as JSON; what it leaves out takes the defaults.
    config: Option<PathBuf>,
    /// Set a field, such as `model.width=256`; may be repeated.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// The text file that `data.corpus=own` trains on.
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum DeviceArg {
    Auto,
    Gpu,
    Cpu,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train { run, device } => pollster::block_on(train(&run, device)),
        Command::Config { run } => run.config().map(|config| print(&config)),
        Command::Schema => {
            print(&config::schema());
            Ok(())
        }
        Command::Plan { run } => plan(&run),
        Command::Profile { run, device, budget } => pollster::block_on(profile(&run, device, budget)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trainlab: {error}");
            match error {
                Error::Refused(_) => ExitCode::from(2),
                Error::Diverged { .. } => ExitCode::from(3),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn print(value: &impl serde::Serialize) {
    println!("{}", serde_json::to_string_pretty(value).expect("our types are JSON"));
}

impl RunArgs {
    fn config(&self) -> Result<Config> {
        let given = match &self.config {
            None => json!({}),
            Some(path) => serde_json::from_str(&read(path)?)
                .map_err(|error| Error::File(format!("{} is not JSON: {error}", path.display())))?,
        };
        // Checked before defaults fill the gaps, so that unknown names are caught.
        let mut whole: Value = serde_json::to_value(config::parse_sections(&given)?).expect("configs are JSON");
        if self.text.is_some() {
            config::set(&mut whole, "data.corpus", "own")?;
        }
        for assignment in &self.set {
            let (path, value) = assignment.split_once('=').ok_or_else(|| {
                Error::refused(Problem::new("--set", assignment, "PATH=VALUE", "Write, say, --set model.width=256."))
            })?;
            config::set(&mut whole, path, value)?;
        }
        config::parse(&whole)
    }

    fn dataset(&self, config: &Config) -> Result<Dataset> {
        let text = match (config.data.corpus, &self.text) {
            (Corpus::TinyTales, _) => tiny_tales(config.data.text_bytes as usize, config.training.seed.into()),
            (Corpus::MobyDick, _) => read(Path::new("www/public/corpora/moby-dick.txt"))
                .map_err(|error| Error::File(format!("{error}. `npm run corpus` fetches it.")))?,
            (Corpus::Own, Some(path)) => {
                let bytes = std::fs::read(path).map_err(|error| Error::File(format!("{}: {error}", path.display())))?;
                check_text(&bytes)?.to_owned()
            }
            (Corpus::Own, None) => {
                let advice = "Name the file with --text FILE.";
                return Err(Error::refused(Problem::new("data.corpus", "own", "own with a text", advice)));
            }
        };
        Dataset::new(&text, config.tokenizer.kind, config.data.held_out_fraction)
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Error::File(format!("{}: {error}", path.display())))
}

fn plan(run: &RunArgs) -> Result<()> {
    let config = run.config()?;
    let dataset = run.dataset(&config)?;
    print(&Plan::for_dataset(&config, &dataset, &Device::Cpu)?.summary());
    Ok(())
}

async fn open(device: DeviceArg) -> Result<Device> {
    let choice = match device {
        DeviceArg::Auto => DeviceChoice::Auto,
        DeviceArg::Gpu => DeviceChoice::Gpu,
        DeviceArg::Cpu => DeviceChoice::Cpu,
    };
    let (device, note) = Device::open(choice).await?;
    eprintln!("device: {}{}", device.name(), note.map_or(String::new(), |note| format!(" ({note})")));
    Ok(device)
}

async fn profile(run: &RunArgs, device: DeviceArg, budget: f64) -> Result<()> {
    let config = run.config()?;
    let dataset = run.dataset(&config)?;
    let device = open(device).await?;
    let plan = Plan::for_dataset(&config, &dataset, &device)?;
    for time in trainlab::profile::profile(&plan, &device, budget).await? {
        println!("{}", json!(time));
    }
    Ok(())
}

async fn train(run: &RunArgs, device: DeviceArg) -> Result<()> {
    let config = run.config()?;
    let dataset = run.dataset(&config)?;
    let device = open(device).await?;
    let mut trainer = Trainer::new(&config, Rc::new(dataset), &device, |_, _| ()).await?;
    let unigram = trainer.unigram_entropy();
    eprintln!(
        "{} parameters, {} dispatches a step; a unigram model reaches {:.3} nats per token, {:.3} bits per byte",
        trainer.plan.parameters.count(),
        trainer.plan.train.recording.ops.len(),
        unigram.nats_per_token,
        unigram.bits_per_byte,
    );

    let bar = ProgressBar::new(config.training.steps.into());
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {eta} {msg}").expect("the template is right"));
    while !trainer.is_done() {
        look(&mut trainer, &config).await?;
        // Steps up to the next look, or as many as may be under way, are started at once.
        while trainer.has_room() && !is_look(&trainer) {
            trainer.step()?;
        }
        let metrics = trainer.settle();
        for metric in named(&mut trainer, metrics).await? {
            bar.set_position(metric.step.into());
            bar.set_message(format!("loss {:.3}, {:.0} tokens/s", metric.loss, metric.tokens_per_second));
            println!("{}", json!(metric));
        }
    }
    look(&mut trainer, &config).await?;
    bar.finish();
    Ok(())
}

fn is_look(trainer: &Trainer) -> bool {
    trainer.evaluation_due() || trainer.sample_due()
}

/// Validates and samples where that is due.
async fn look(trainer: &mut Trainer, config: &Config) -> Result<()> {
    if trainer.evaluation_due() {
        println!("{}", json!({ "validation": trainer.evaluate().await? }));
    }
    if trainer.sample_due() {
        let sample = trainer.sample(&config.evaluation.prompt, config.evaluation.temperature as f32).await?;
        println!("{}", json!({ "sample": sample }));
    }
    Ok(())
}

/// Names the tensor where a run diverged.
async fn named<T>(trainer: &mut Trainer, result: Result<T>) -> Result<T> {
    match result {
        Err(Error::Diverged { step, .. }) => Err(Error::Diverged { step, tensor: trainer.find_bad_tensor().await? }),
        other => other,
    }
}
