//! `trainlab bench sequence`: what a longer context costs, as tables in Markdown or as JSON.

use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use trainlab::cost::Part;
use trainlab::engine::{Clock, Device};
use trainlab::error::Result;
use trainlab::sequence::published::{self, Published};
use trainlab::sequence::{self, Cell, Crossover, Experiment, Report};

use super::budget;
use crate::input::{self, DeviceArg, RunArgs};
use crate::tilings;

#[derive(Args)]
pub struct SequenceArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Contexts, each longer than the one before; they divide the tokens.
    #[arg(long, value_delimiter = ',', default_values_t = [64, 128, 256, 512, 1024, 2048])]
    lengths: Vec<u32>,
    /// Widths of the model. Heads keep their size and the MLP its ratio.
    #[arg(long, value_delimiter = ',', default_values_t = [32, 64, 128, 256])]
    widths: Vec<u32>,
    /// Tokens of every step.
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    tokens: u32,
    #[arg(long, value_enum, default_value_t = DeviceArg::Auto)]
    device: DeviceArg,
    /// Seconds spent on the steps of each cell; a kernel gets a tenth.
    #[arg(long, default_value_t = 1.0, value_parser = budget)]
    budget: f64,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

pub async fn sequence(args: &SequenceArgs) -> Result<()> {
    let base = args.run.config_or(json!({"model": sequence::usual_model()}))?;
    let vocabulary = args.run.dataset(&base)?.tokenizer.vocabulary_size();
    let (lengths, widths) = (args.lengths.clone(), args.widths.clone());
    let experiment = Experiment { base, lengths, widths, tokens: args.tokens, budget: args.budget };
    experiment.check()?;
    let device = input::open(args.device).await?;
    let bar = ProgressBar::new(1000);
    let cells = sequence::measure(&experiment, vocabulary, &device, async |share, _| {
        bar.set_position((1000.0 * share) as u64);
        Ok(())
    });
    let report = Report::new(&experiment, cells.await?)?;
    bar.finish_and_clear();
    tilings::keep(&device);
    let published = published::july_2023();
    if args.json {
        let clock = device.clock();
        println!("{}", json!({"device": device.name(), "clock": clock, "report": report, "published": published}));
    } else {
        print(&experiment, &device, &report, &published);
    }
    Ok(())
}

fn print(experiment: &Experiment, device: &Device, report: &Report, published: &[Published]) {
    let clock = match device.clock() {
        Clock::Cpu => "the program's clock",
        Clock::Timestamps => "the GPU's own clock (timestamp queries)",
        Clock::WallClock => "the program's clock, around a submit and the way back, less an empty one's",
    };
    let (model, tokens) = (&experiment.base.model, experiment.tokens);
    println!("{}: {} layers, heads of {}, {tokens} tokens a step.", device.name(), model.layers, model.head_size());
    println!("Steps are waited for and take turns, the median counts; kernels are timed alone, by {clock}.");
    rates(experiment, report);
    shares(experiment, report);
    predictions(experiment, report);
    crossovers(report);
    others(published);
}

/// A table with a row a width and a column a length.
fn grid<'a, T: 'a>(experiment: &Experiment, title: &str, cells: &'a [T], show: impl Fn(&'a T) -> String) {
    let lengths: Vec<String> = experiment.lengths.iter().map(u32::to_string).collect();
    println!("\n{title}\n\n| width | {} |\n|---{}|", lengths.join(" | "), "|---".repeat(lengths.len()));
    for (width, row) in experiment.widths.iter().zip(cells.chunks(lengths.len())) {
        let row: Vec<String> = row.iter().map(&show).collect();
        println!("| {width} | {} |", row.join(" | "));
    }
}

fn percent(share: f64) -> String {
    format!("{:.0}%", 100.0 * share)
}

fn signed(change: f64) -> String {
    format!("{:+.0}%", 100.0 * change)
}

fn rates(experiment: &Experiment, report: &Report) {
    let change = |cell: &Cell| {
        let of_cell = |doubling: &&sequence::Doubling| (doubling.width, doubling.to) == (cell.width, cell.length);
        report.doublings.iter().find(of_cell)
    };
    grid(experiment, "Tokens per second, and what the doubling before changed:", &report.cells, |cell| {
        let changed = change(cell).map_or(String::new(), |doubling| format!(" {}", signed(doubling.change)));
        format!("{:.0}{changed}", cell.tokens_per_second)
    });
    grid(experiment, "What the doubling changed, by the fastest steps:", &report.cells, |cell| {
        change(cell).map_or(String::new(), |doubling| signed(doubling.of_fastest))
    });
    grid(experiment, "What the doubling would change if every operation took as long:", &report.cells, |cell| {
        change(cell).map_or(String::new(), |doubling| signed(doubling.by_flops))
    });
    grid(experiment, "Milliseconds of a step: median, and its quartiles:", &report.cells, |cell| {
        let [low, high] = cell.quartiles.map(|seconds| seconds * 1e3);
        format!("{:.1} ({low:.1}–{high:.1})", cell.step_seconds * 1e3)
    });
    grid(experiment, "MiB planned:", &report.cells, |cell| format!("{:.1}", cell.bytes as f64 / 1048576.0));
}

fn shares(experiment: &Experiment, report: &Report) {
    for part in Part::ALL {
        let title = format!("{}: share of the kernels' time, and in brackets of their operations:", part.name());
        grid(experiment, &title, &report.cells, |cell| {
            let time = cell.part(part);
            format!("{} ({})", percent(time.share), percent(time.flops_share))
        });
    }
    let title = "Kernels' time added up, beside that of a step:";
    grid(experiment, title, &report.cells, |cell| {
        percent(cell.parts.iter().map(|time| time.seconds).sum::<f64>() / cell.step_seconds)
    });
}

fn predictions(experiment: &Experiment, report: &Report) {
    let title = "Tokens per second if each part kept its mean rate at every length, beside those measured:";
    let pairs: Vec<_> = report.predictions.iter().zip(&report.cells).collect();
    grid(experiment, title, &pairs, |(prediction, cell)| {
        let off = prediction.tokens_per_second / cell.tokens_per_second - 1.0;
        format!("{:.0} ({})", prediction.tokens_per_second, signed(off))
    });
    let title =
        "Attention's share of the kernels' time at these rates; in brackets T / (T* + T), the law's of a block:";
    grid(experiment, title, &pairs, |(prediction, _)| {
        format!("{} ({})", percent(prediction.attention_share), percent(prediction.law_share))
    });
}

fn crossovers(report: &Report) {
    println!(
        "\nThe context at which attention is as much as the blocks' other products (d: the width, N: the weights of L blocks):\n"
    );
    println!(
        "| width | law, whole matrix: N / 2Ld | law, causal: N / Ld | our kernels' operations | measured | measured, beside all else | attention, GFLOP/s | products, GFLOP/s |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for crossing in &report.crossovers {
        let Crossover { width, law, counted, attention_gflops, products_gflops, .. } = crossing;
        let measured = [crossing.beside_products, crossing.beside_all]
            .map(|found| format!("{:.0}{}", found.length, if found.beyond { " (beyond the grid)" } else { "" }));
        let [beside_products, beside_all] = measured;
        println!(
            "| {width} | {:.0} | {:.0} | {counted:.0} | {beside_products} | {beside_all} | {attention_gflops:.1} | {products_gflops:.1} |",
            law.full, law.causal
        );
    }
    println!(
        "\nWhere the measured context is not that of the operations, attention computes at another rate than products: the \
         quotient of the two rates is about that of the two contexts."
    );
}

/// Others' measurements: the same trend at widths a hundred times ours.
fn others(published: &[Published]) {
    println!(
        "\nMosaicML, llm-foundry, A100 80 GB, 2023-07-21: tokens per second and GPU, and what the doubling before changed:\n"
    );
    let lengths: Vec<u32> = (9..17).map(|power| 1 << power).collect();
    let names: Vec<String> = lengths.iter().map(u32::to_string).collect();
    println!("| model | {} |\n|---{}|", names.join(" | "), "|---".repeat(names.len()));
    for model in published.chunk_by(|a, b| a.model == b.model) {
        let of = |length: u32| model.iter().find(|line| line.length == length).map(|line| line.tokens_per_second);
        let row = lengths.iter().map(|&length| match (of(length), of(length / 2)) {
            (Some(rate), Some(before)) => format!("{rate:.0} {}", signed(rate / before - 1.0)),
            (Some(rate), None) => format!("{rate:.0}"),
            (None, _) => String::new(),
        });
        println!("| {} | {} |", model[0].model, row.collect::<Vec<_>>().join(" | "));
    }
}
