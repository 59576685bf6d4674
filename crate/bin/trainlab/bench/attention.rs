//! `trainlab bench attention`: with and without the T × T matrix.

use clap::Args;
use serde_json::json;
use trainlab::error::{Error, Problem, Result};
use trainlab::sequence::stored::{self, Beside};

use super::budget;
use crate::input::{self, DeviceArg};

#[derive(Args)]
pub struct AttentionArgs {
    /// Contexts, each longer than the one before.
    #[arg(long, value_delimiter = ',', default_values_t = [64, 128, 256, 512, 1024, 2048])]
    lengths: Vec<u32>,
    /// Heads of each sequence.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    heads: u32,
    /// Channels of a head, a multiple of 4.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(4..=256))]
    head_size: u32,
    /// Tokens at once: a longer context is fewer sequences.
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    tokens: u32,
    #[arg(long, value_enum, default_value_t = DeviceArg::Auto)]
    device: DeviceArg,
    /// Seconds spent on each kernel.
    #[arg(long, default_value_t = 0.3, value_parser = budget)]
    budget: f64,
    /// Print a JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
}

pub async fn attention(args: &AttentionArgs) -> Result<()> {
    check(args)?;
    let device = input::open(args.device).await?;
    let lengths: Vec<usize> = args.lengths.iter().map(|&length| length as usize).collect();
    let [heads, head_size, tokens] = [args.heads, args.head_size, args.tokens].map(|n| n as usize);
    if !args.json {
        println!("{}: {heads} heads of {head_size}, {tokens} tokens at once, forward\n", device.name());
        println!(
            "| length | tiled, ms | stored, ms | stored / tiled | matrix stored, MiB | kept by the tiled one, KiB |"
        );
        println!("|---|---|---|---|---|---|");
    }
    let mut rows = vec![];
    stored::beside(&device, &lengths, [heads, head_size], tokens, args.budget, |row| {
        if args.json {
            println!("{}", json!(row))
        } else {
            print_row(&row)
        }
        rows.push(row);
    })
    .await?;
    if !args.json {
        println!("\n{}", verdict(&rows));
    }
    Ok(())
}

fn check(args: &AttentionArgs) -> Result<()> {
    if !args.head_size.is_multiple_of(4) {
        let advice = "Kernels read four channels at a time.";
        return Err(Error::refused(Problem::new("--head-size", args.head_size, "a multiple of 4", advice)));
    }
    let in_order = args.lengths.is_sorted_by(|a, b| a < b);
    if !in_order || !args.lengths.iter().all(|length| (1..=16_384).contains(length)) {
        let value = format!("{:?}", args.lengths);
        let problem = Problem::new("--lengths", value, "numbers from 1 to 16384, in order", "Change them.");
        return Err(Error::refused(problem));
    }
    Ok(())
}

fn print_row(row: &Beside) {
    let tiled = row.tiled_seconds * 1e3;
    let [stored, quotient] = match row.stored_seconds {
        Some(stored) => [format!("{:.3}", stored * 1e3), format!("{:.2}", stored * 1e3 / tiled)],
        None => ["does not fit".to_owned(), String::new()],
    };
    let [matrix, kept] = [row.stored_bytes as f64 / 1048576.0, row.tiled_bytes as f64 / 1024.0];
    println!("| {} | {tiled:.3} | {stored} | {quotient} | {matrix:.1} | {kept:.0} |", row.length);
}

fn verdict(rows: &[Beside]) -> String {
    match stored::wins_from(rows) {
        Some(length) => format!("The tiled one is faster from {length} tokens on, as far as was measured."),
        None => "At the longest length that was measured, the stored one is faster.".to_owned(),
    }
}
