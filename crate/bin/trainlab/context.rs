//! What a saved run makes of its context: tables for `eval`, and `trainlab attention`.

use serde_json::json;
use trainlab::context::{self, Induction, LengthLoss, Subject, attention};
use trainlab::data::ByPosition;
use trainlab::error::Result;

use crate::inspect::SavedArgs;

#[derive(clap::Args)]
pub struct AttentionArgs {
    #[command(flatten)]
    saved: SavedArgs,
    /// The text that the model reads: its first 256 tokens, or as many as the context has. By default the run's prompt.
    #[arg(long)]
    prompt: Option<String>,
    /// Print JSON instead: figures of each head and, as nested arrays, its weights [query][key].
    #[arg(long)]
    json: bool,
}

pub async fn attention(args: &AttentionArgs) -> Result<()> {
    let config = args.saved.config()?;
    let subject = args.saved.subject(&config).await?;
    let prompt = args.prompt.as_ref().unwrap_or(&config.evaluation.prompt);
    let found = attention::look(&subject, &subject.dataset.tokenizer.encode(prompt)?).await?;
    if found.left_out > 0 {
        eprintln!("the last {} tokens do not fit and are left out", found.left_out);
    }
    if args.json {
        let count = found.tokens.len();
        let mut line = json!(found);
        let maps = found.weights.chunks_exact(count * count);
        let maps = maps.map(|map| map.chunks_exact(count).map(|row| json!(row)).collect::<Vec<_>>());
        line["weights"] = json!(maps.collect::<Vec<_>>());
        println!("{line}");
        return Ok(());
    }
    println!("layer  head  distance  on first  on previous  on itself");
    for head in &found.figures {
        let (layer, number) = (head.layer + 1, head.head + 1);
        let context::attention::HeadFigures { distance, on_first, on_previous, on_itself, .. } = head;
        println!("{layer:>5}  {number:>4}  {distance:>8.2}  {on_first:>8.3}  {on_previous:>11.3}  {on_itself:>9.3}");
    }
    println!(
        "distance in tokens, over {} of them; attending to all alike: {:.2}",
        found.tokens.len(),
        found.uniform_distance
    );
    Ok(())
}

/// Validates at each length, and shows a table on standard error.
pub async fn lengths(subject: &Subject, lengths: &[u32], bytes: usize) -> Result<Vec<LengthLoss>> {
    let found = context::lengths::at_lengths(subject, lengths, bytes, async |_, _| Ok(())).await?;
    eprintln!("{:>8}  bits per byte", "length");
    for length in &found {
        let figures = format!("{:.4} ± {:.4}", length.bits_per_byte, length.standard_error);
        eprintln!("{:>8}  {}", length.length, length.reason.as_ref().unwrap_or(&figures));
    }
    Ok(found)
}

/// Measures induction, and shows a table on standard error.
pub async fn induction(subject: &Subject) -> Result<Induction> {
    let found = context::induction::measure(subject, async |_, _| Ok(())).await?;
    eprintln!(
        "{:>8}  {:>10}  {:>11}  gain, nats per token (a uniform guess loses {:.3})",
        "distance", "first time", "second time", found.uniform
    );
    for at in &found.by_distance {
        let context::Repeated { distance, first, second, gain, standard_error, .. } = at;
        eprintln!("{distance:>8}  {first:>10.3}  {second:>11.3}  {gain:.3} ± {standard_error:.3}");
    }
    Ok(found)
}

/// The loss by position as a table on standard error.
pub fn show_positions(by: &ByPosition) {
    eprintln!("{:>11}  {:>8}  {:>15}  {:>17}  gain", "position", "tokens", "nats per token", "bits per byte");
    let mut from = 1;
    for (i, &last) in by.last.iter().enumerate() {
        let position = if from == last { last.to_string() } else { format!("{from}–{last}") };
        let loss = format!("{:.4} ± {:.4}", by.loss[i], by.loss_standard_error[i]);
        let bits = format!("{:.4} ± {:.4}", by.bits_per_byte[i], by.standard_error[i]);
        let gain = i.checked_sub(1).map(|at| format!("{:+.4} ± {:.4}", by.gain[at], by.gain_standard_error[at]));
        eprintln!("{position:>11}  {:>8}  {loss:>15}  {bits:>17}  {}", by.tokens[i], gain.unwrap_or_default());
        from = last + 1;
    }
}
