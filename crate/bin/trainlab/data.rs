//! `trainlab data`: is there enough long text? How long a text's documents are, and how often a run would read them.

use serde_json::json;
use trainlab::data::lengths::{Expected, Lengths, MOST_EPOCHS, Reading};
use trainlab::error::Result;

use crate::input::RunArgs;

#[derive(clap::Args)]
pub struct DataArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

pub fn data(args: &DataArgs) -> Result<()> {
    let config = args.run.config()?;
    let dataset = args.run.dataset(&config)?;
    let reading = Reading {
        sequences: u64::from(config.training.steps) * u64::from(config.training.batch_size),
        context: config.model.context as usize,
    };
    let lengths = dataset.lengths(reading);
    if args.json {
        println!("{}", json!(lengths));
        return Ok(());
    }
    summary(&lengths);
    println!();
    buckets(&lengths);
    println!(
        "\nEpochs: how often {} sequences of {} tokens read each token of such documents. Up to {MOST_EPOCHS} times text is \
         nearly as good as new (arXiv 2305.16264).\n",
        reading.sequences, lengths.context
    );
    println!("The longest documents, in tokens:");
    for longest in &lengths.longest {
        println!("{:>10}  {}", longest.tokens, longest.name);
    }
    Ok(())
}

fn summary(lengths: &Lengths) {
    let Lengths { documents, tokens, context, long_documents, long_share, mean, median, .. } = lengths;
    println!("{documents} documents of {tokens} tokens to train on; mean length {mean:.0}, median {median}");
    println!(
        "{long_documents} documents have {context} tokens (the context) or more: {:.1} % of all tokens",
        100.0 * long_share
    );
}

fn buckets(lengths: &Lengths) {
    let shown = |expected: &Expected| format!("{:>9}", expected.packing.name());
    let names: String = lengths.expected.iter().map(shown).collect();
    println!("{:>15} {:>9} {:>10} {:>6}  epochs:{names}", "length", "documents", "tokens", "share");
    for (i, bucket) in lengths.buckets.iter().enumerate() {
        let epochs: String = lengths.expected.iter().map(|expected| format!("{:>9.2}", expected.epochs[i])).collect();
        println!(
            "{:>15} {:>9} {:>10} {:>5.1}%         {epochs}",
            format!("{}–{}", bucket.from, bucket.to),
            bucket.documents,
            bucket.tokens,
            100.0 * bucket.tokens as f64 / lengths.tokens.max(1) as f64,
        );
    }
    for (name, value) in
        [("all of it", &(|e: &Expected| e.whole) as &dyn Fn(&Expected) -> f64), ("filled", &|e| e.filled)]
    {
        let values: String = lengths.expected.iter().map(|expected| format!("{:>9.2}", value(expected))).collect();
        println!("{name:>15} {:>36}{values}", "");
    }
}
