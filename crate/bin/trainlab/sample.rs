//! `trainlab sample`: a saved run writes.

use std::io::Write;

use serde_json::json;
use trainlab::config::{self, Config};
use trainlab::error::{Error, Problem, Result};

use crate::input;
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

pub async fn sample(args: &SampleArgs) -> Result<()> {
    let mut trainer = args.saved.load().await?;
    let mut config = json!(trainer.config);
    input::set_fields(&mut config, &args.set)?;
    if let Some(prompt) = &args.prompt {
        config["evaluation"]["prompt"] = json!(prompt);
    }
    let asked = config::parse(&config)?;
    let evaluation = &asked.evaluation;
    if asked != (Config { evaluation: evaluation.clone(), ..trainer.config.clone() }) {
        let advice = "The rest is as the run was trained.";
        return Err(Error::refused(Problem::new("--set", args.set.join(" "), "fields of `evaluation`", advice)));
    }
    if args.json {
        let sample = trainer.sample(evaluation).await?;
        let mut line = json!(sample.beginning);
        line["text"] = json!(sample.text());
        line["pieces"] = json!(sample.pieces);
        println!("{line}");
        return Ok(());
    }
    print(&trainer.begin_sample(evaluation).prompt)?;
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
