//! `trainlab sample`: a saved run writes.

use std::io::Write;

use serde_json::json;
use trainlab::config::{self, Config, EvaluationConfig};
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

impl SampleArgs {
    /// The run's own choices, with those set that the command line names.
    fn evaluation(&self) -> Result<EvaluationConfig> {
        let saved = self.saved.config()?;
        let mut asked = json!(saved);
        input::set_fields(&mut asked, &self.set)?;
        if let Some(prompt) = &self.prompt {
            asked["evaluation"]["prompt"] = json!(prompt);
        }
        let asked = config::parse(&asked)?;
        let evaluation = asked.evaluation.clone();
        if asked == (Config { evaluation: evaluation.clone(), ..saved }) {
            return Ok(evaluation);
        }
        let advice = "The rest is as the run was trained.";
        Err(Error::refused(Problem::new("--set", self.set.join(" "), "fields of `evaluation`", advice)))
    }
}

pub async fn sample(args: &SampleArgs) -> Result<()> {
    let evaluation = &args.evaluation()?;
    let mut trainer = args.saved.load().await?;
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
