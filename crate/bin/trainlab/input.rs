//! What a command is given: a config, a text, a device.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use trainlab::config::{self, Config, Corpus};
use trainlab::data::{Dataset, Subword, Tokenizer, TokenizerKind, check_text};
use trainlab::downstream::{self, OwnTasks, TaskItems};
use trainlab::engine::{Device, DeviceChoice};
use trainlab::error::{Error, Problem, Result};

use crate::{files, tilings};

#[derive(clap::Args)]
pub struct RunArgs {
    /// A config as JSON; what it leaves out takes the defaults.
    config: Option<PathBuf>,
    /// Set a field, such as `model.width=256`; may be repeated. `trainlab config --help` lists all.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    pub files: FileArgs,
}

/// What a config may want beside itself.
#[derive(Clone, Default, clap::Args)]
pub struct FileArgs {
    /// The text file that `data.corpus=own` trains on.
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// The tokenizer file that `tokenizer.kind=file` takes: a tokenizer.json or a SentencePiece .model.
    #[arg(long, value_name = "FILE")]
    pub tokenizer: Option<PathBuf>,
    /// Your own downstream tasks, scored beside the others: JSON Lines,
    /// {"context": "Two and two make", "choices": [" four.", " five."], "answer": 0}.
    #[arg(long, value_name = "FILE")]
    pub tasks: Option<PathBuf>,
}

impl FileArgs {
    /// Whoever names a text or a tokenizer wants it used.
    pub fn choose(&self, config: &mut Value) -> Result<()> {
        if self.text.is_some() {
            config::set(config, "data.corpus", "own")?;
        }
        if self.tokenizer.is_some() {
            config::set(config, "tokenizer.kind", "file")?;
        }
        Ok(())
    }

    pub fn text(&self, config: &Config) -> Result<String> {
        text(config, self.text.as_deref())
    }

    /// The tokenizer that was named.
    pub fn tokenizer(&self) -> Result<Option<Subword>> {
        self.tokenizer.as_deref().map(load_tokenizer).transpose()
    }

    /// What the config's model is asked.
    pub fn tasks(&self, config: &Config, text: &str) -> Result<Vec<TaskItems>> {
        tasks(config, text, self.tasks.as_deref())
    }
}

impl RunArgs {
    /// The text of `config`, tokenised and split.
    pub fn dataset(&self, config: &Config) -> Result<Dataset> {
        tokenised(config, &self.files.text(config)?, self.files.tokenizer()?)
    }

    /// The defaults, with the file's and then the command line's fields set.
    pub fn config(&self) -> Result<Config> {
        self.config_over(base(self.config.as_deref())?)
    }

    /// The same, over `usual` in place of the defaults where no file is named.
    pub fn config_or(&self, usual: Value) -> Result<Config> {
        self.config_over(if self.config.is_some() { base(self.config.as_deref())? } else { usual })
    }

    /// `base`, with the command line's fields set.
    pub fn config_over(&self, base: Value) -> Result<Config> {
        // What is left out stays out: its defaults may depend on what is set.
        let mut config = base;
        config::parse_sections(&config)?;
        self.files.choose(&mut config)?;
        set_fields(&mut config, &self.set)?;
        if self.files.tasks.is_some() {
            add_own_tasks(&mut config);
        }
        config::parse(&config)
    }
}

/// A config's JSON: of a file, or nothing of it. What it leaves out stays out.
pub fn base(path: Option<&Path>) -> Result<Value> {
    let Some(path) = path else { return Ok(json!({})) };
    serde_json::from_str(&files::read_text(path)?)
        .map_err(|error| Error::File(format!("{} is not JSON: {error}", path.display())))
}

/// Sets the fields of a config that `--set` names.
pub fn set_fields(config: &mut Value, assignments: &[String]) -> Result<()> {
    let parts = assignments.iter().map(|assignment| {
        assignment.split_once('=').ok_or_else(|| {
            Error::refused(Problem::new("--set", assignment, "PATH=VALUE", "Write, say, --set model.width=256."))
        })
    });
    let mut parts = parts.collect::<Result<Vec<_>>>()?;
    config::decisive_first(&mut parts);
    parts.into_iter().try_for_each(|(path, value)| config::set(config, path, value))
}

/// Whoever names a file of tasks wants them scored.
pub fn add_own_tasks(config: &mut Value) {
    let usual = json!(Config::default().downstream.tasks);
    let tasks = &mut config["downstream"]["tasks"];
    if tasks.is_null() {
        *tasks = usual;
    }
    let own = json!("own");
    if let Some(tasks) = tasks.as_array_mut().filter(|tasks| !tasks.contains(&own)) {
        tasks.push(own);
    }
}

/// What a config's model is asked. `file`: the user's own tasks.
pub fn tasks(config: &Config, text: &str, file: Option<&Path>) -> Result<Vec<TaskItems>> {
    let own = file.map(|file| OwnTasks::parse(&files::read_text(file)?)).transpose()?;
    let tasks = downstream::items(config, text, own.as_ref())?;
    for TaskItems { task, items, dropped } in tasks.iter().filter(|task| task.dropped > 0) {
        let left = items.len();
        eprintln!("{}: {dropped} items occur in the training text and are left out; {left} are asked", task.name());
    }
    Ok(tasks)
}

/// The text of a config.
pub fn text(config: &Config, text: Option<&Path>) -> Result<String> {
    match (config.data.corpus, text) {
        (Corpus::TinyTales, _) => Ok(config.data.tiny_tales()),
        (Corpus::MobyDick, _) => files::read_text(Path::new("www/public/corpora/moby-dick.txt"))
            .map_err(|error| Error::File(format!("{error}. `npm run corpus` fetches it."))),
        (Corpus::Own, Some(path)) => Ok(check_text(&files::read(path)?)?.to_owned()),
        (Corpus::Own, None) => {
            let advice = "Name the file with --text FILE.";
            Err(Error::refused(Problem::new("data.corpus", "own", "own with a text", advice)))
        }
    }
}

/// The text of a config, tokenised and split. `file`: the subword tokenizer where it need not be learned first.
pub fn dataset(config: &Config, text: Option<&Path>, file: Option<Subword>) -> Result<Dataset> {
    tokenised(config, &self::text(config, text)?, file)
}

pub fn tokenised(config: &Config, text: &str, file: Option<Subword>) -> Result<Dataset> {
    let dataset = Dataset::with(text, tokenizer(config, text, file)?, config.data.held_out_fraction)?;
    dataset.find_documents(text, config.data.corpus);
    Ok(dataset)
}

/// The tokenizer of a config on its text.
pub fn tokenizer(config: &Config, text: &str, file: Option<Subword>) -> Result<Tokenizer> {
    let kind = config.tokenizer.kind;
    match (kind, file) {
        (TokenizerKind::Characters | TokenizerKind::Bytes, _) => Tokenizer::train(kind, text),
        (_, Some(subword)) => Ok(Tokenizer::Subword(subword)),
        (TokenizerKind::File, None) => {
            let advice = "Name the file with --tokenizer FILE.";
            Err(Error::refused(Problem::new("tokenizer.kind", "file", "file with a file", advice)))
        }
        _ => learn(config, text).map(Tokenizer::Subword),
    }
}

fn learn(config: &Config, text: &str) -> Result<Subword> {
    let bar = ProgressBar::new(100);
    bar.set_style(
        ProgressStyle::with_template("learning the tokenizer {bar:40} {eta}").expect("the template is right"),
    );
    let vocabulary = config.tokenizer.vocabulary as usize;
    let progress = &mut |share: f64| bar.set_position((100.0 * share) as u64);
    let subword = Subword::train(config.tokenizer.kind, vocabulary, text, progress);
    bar.finish_and_clear();
    let subword = subword?;
    eprintln!("tokenizer: {}", subword.name());
    Ok(subword)
}

/// A subword tokenizer's file.
pub fn load_tokenizer(path: &Path) -> Result<Subword> {
    let subword = Subword::load(&files::read(path)?)?;
    eprintln!("tokenizer: {}", subword.name());
    Ok(subword)
}

#[derive(Clone, Copy, ValueEnum)]
pub enum DeviceArg {
    Auto,
    Gpu,
    Cpu,
}

/// Opens a device and says on standard error which.
pub async fn open(device: DeviceArg) -> Result<Device> {
    let choice = match device {
        DeviceArg::Auto => DeviceChoice::Auto,
        DeviceArg::Gpu => DeviceChoice::Gpu,
        DeviceArg::Cpu => DeviceChoice::Cpu,
    };
    let (device, note) = Device::open(choice).await?;
    if let Device::Gpu(gpu) = &device {
        tilings::recall(gpu);
    }
    eprintln!("device: {}{}", device.name(), note.map_or(String::new(), |note| format!(" ({note})")));
    Ok(device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trainlab::config::{OptimizerConfig, OptimizerKind, Task};

    #[test]
    fn what_is_set_stays_whatever_the_order() {
        let usual = Config::default().optimizer.learning_rate;
        let rate = format!("optimizer.learning_rate={usual}");
        for order in [["optimizer.kind=lion", &rate], [&rate, "optimizer.kind=lion"]] {
            let set = order.map(str::to_owned).to_vec();
            let args = RunArgs { config: None, set, files: FileArgs::default() };
            let lion = OptimizerConfig::defaults(OptimizerKind::Lion);
            assert_eq!(args.config().unwrap().optimizer, OptimizerConfig { learning_rate: usual, ..lion });
        }
    }

    #[test]
    fn a_file_of_tasks_is_asked_beside_the_others() {
        let usual = Config::default().downstream.tasks;
        for (set, others) in [(vec![], usual), (vec!["downstream.tasks=copy,own".to_owned()], vec![Task::Copy])] {
            let files = FileArgs { tasks: Some("tasks.jsonl".into()), ..FileArgs::default() };
            let args = RunArgs { config: None, set, files };
            assert_eq!(args.config().unwrap().downstream.tasks, [others, vec![Task::Own]].concat());
        }
    }
}
