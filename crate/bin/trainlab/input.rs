//! What a command is given: a config, a text, a device.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Value, json};
use trainlab::config::{self, Config, Corpus};
use trainlab::data::{Dataset, check_text, tiny_tales};
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
    /// The text file that `data.corpus=own` trains on.
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
}

impl RunArgs {
    /// The defaults, with the file's and then the command line's fields set.
    pub fn config(&self) -> Result<Config> {
        match &self.config {
            None => self.config_over(json!({})),
            Some(path) => {
                let json = serde_json::from_str(&files::read_text(path)?)
                    .map_err(|error| Error::File(format!("{} is not JSON: {error}", path.display())))?;
                self.config_over(json)
            }
        }
    }

    /// `base`, with the command line's fields set.
    pub fn config_over(&self, base: Value) -> Result<Config> {
        // Checked before defaults fill the gaps, so that unknown names are caught.
        let mut whole = serde_json::to_value(config::parse_sections(&base)?).expect("configs are JSON");
        if self.text.is_some() {
            config::set(&mut whole, "data.corpus", "own")?;
        }
        set_fields(&mut whole, &self.set)?;
        config::parse(&whole)
    }
}

/// Sets the fields of a config that `--set` names.
pub fn set_fields(config: &mut Value, assignments: &[String]) -> Result<()> {
    for assignment in assignments {
        let (path, value) = assignment.split_once('=').ok_or_else(|| {
            Error::refused(Problem::new("--set", assignment, "PATH=VALUE", "Write, say, --set model.width=256."))
        })?;
        config::set(config, path, value)?;
    }
    Ok(())
}

/// The text of a config, tokenised and split.
pub fn dataset(config: &Config, text: Option<&Path>) -> Result<Dataset> {
    let text = match (config.data.corpus, text) {
        (Corpus::TinyTales, _) => tiny_tales(config.data.text_bytes as usize, config.training.seed.into()),
        (Corpus::MobyDick, _) => files::read_text(Path::new("www/public/corpora/moby-dick.txt"))
            .map_err(|error| Error::File(format!("{error}. `npm run corpus` fetches it.")))?,
        (Corpus::Own, Some(path)) => check_text(&files::read(path)?)?.to_owned(),
        (Corpus::Own, None) => {
            let advice = "Name the file with --text FILE.";
            return Err(Error::refused(Problem::new("data.corpus", "own", "own with a text", advice)));
        }
    };
    Dataset::new(&text, config.tokenizer.kind, config.data.held_out_fraction)
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
