//! `trainlab sample`: a saved run writes.

use std::io::Write;

use serde_json::json;
use trainlab::config::Config;
use trainlab::error::{Error, Result};

use crate::inspect::SavedArgs;

#[derive(clap::Args)]
pub struct SampleArgs {
    #[command(flatten)]
    saved: SavedArgs,
    /// Set a field of the run's config, such as `evaluation.top_k=40`; may be repeated.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// What to go on from: short for `--set evaluation.prompt=…`.
    #[arg(long)]
    prompt: Option<String>,
    /// Print one JSON object when the text is done: its tokens, their probabilities, and the likeliest in their place.
    #[arg(long)]
    json: bool,
}

impl SampleArgs {
    /// The run's own choices, with those set that the command line names.
    fn config(&self) -> Result<Config> {
        let mut set = self.set.clone();
        // Quoted: a prompt may look like a number.
        set.extend(self.prompt.as_ref().map(|prompt| format!("evaluation.prompt={}", json!(prompt))));
        self.saved.config_with(&set, "fields of `evaluation`", |_, _| ())
    }
}

pub async fn sample(args: &SampleArgs) -> Result<()> {
    let config = &args.config()?;
    let evaluation = &config.evaluation;
    let mut trainer = args.saved.load(config).await?;
    if args.json {
        let sample = trainer.sample(evaluation).await?;
        let mut line = json!(sample.beginning);
        line["text"] = json!(sample.text());
        line["pieces"] = json!(sample.pieces);
        println!("{line}");
        return Ok(());
    }
    print(&trainer.begin_sample(evaluation, None)?.prompt)?;
    loop {
        // Often enough to read along.
        let written = trainer.write_on(0.05).await?;
        for piece in &written.pieces {
            print(&piece.text)?;
        }
        if written.done {
            return print("\n");
        }
    }
}

/// Standard output keeps what it is given until the end of a line.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Error::File(format!("standard output: {error}")))
}
