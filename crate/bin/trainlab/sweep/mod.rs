//! `trainlab sweep`: many runs from one file, one after the other or some side by side, in a folder that it goes on from.

mod file;
mod folder;
mod metrics;
mod plan;
mod queue;
mod table;
mod texts;

use std::path::PathBuf;

use serde_json::json;
use trainlab::engine::Device;
use trainlab::error::{Error, Problem, Result};
use trainlab::sweep;

use crate::input::{self, DeviceArg, FileArgs};
use crate::train::stop_on_ctrl_c;
use folder::Folder;

/// After the options of `trainlab sweep --help`.
pub const HELP: &str = "\
The file is a sweep of Weights & Biases, as YAML or JSON. A parameter is a field of a config (`trainlab config --help` lists
them): a constant (`value`), several (`values`), or, with method random, a distribution.

    method: grid                        # all combinations; or random, with run_cap
    metric: {name: bits_per_byte}       # what groups are compared by; it is the default
    parameters:
      model.position: {values: [rope, learned]}
      training.seed: {values: [1, 2, 3]}
      budget.tokens: {value: 1000000}   # in place of training.steps; or .bytes, .flops, .seconds

Runs that differ in training.seed alone are one group: each figure is told with its mean over them and a 95 % interval.
docs/sweeps.md says all of it.

In the folder: sweep.yaml; runs/ID/ with config.json, metrics.jsonl and checkpoint.safetensors; results.jsonl, which is the
same however often the sweep was stopped; timings.jsonl. The same command again goes on where it stopped. Runs that diverge
are results; one that failed otherwise is tried once more at the next start.";

#[derive(clap::Args)]
pub struct SweepArgs {
    /// The sweep, as YAML or JSON.
    file: PathBuf,
    /// Keep runs and results in this folder, and go on from what it has.
    #[arg(long, value_name = "DIR", required_unless_present = "dry_run")]
    out: Option<PathBuf>,
    /// A config as JSON, for all fields that the file does not name.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set a field in all runs, whatever the file says; may be repeated.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Where to train; auto takes the GPU if there is a real one.
    #[arg(long, value_enum, default_value_t = DeviceArg::Auto)]
    device: DeviceArg,
    #[command(flatten)]
    files: FileArgs,
    /// How many runs go side by side on the CPU.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: u32,
    /// List the runs, what they take and how long that is where a folder's runs tell; train none.
    #[arg(long)]
    dry_run: bool,
}

pub fn sweep(args: &SweepArgs) -> Result<()> {
    let sweep = file::read(args)?;
    let runs = sweep::runs(&sweep)?;
    let inputs = file::inputs(args)?;
    let folder = args.out.as_deref().map(|path| Folder::open(path, &sweep, inputs, args.dry_run)).transpose()?;
    let device = pollster::block_on(input::open(args.device))?;
    if args.jobs > 1 && matches!(device, Device::Gpu(_)) {
        let advice = "Leave --jobs out, or train on --device cpu.";
        return Err(Error::refused(Problem::new(
            "--jobs",
            args.jobs,
            "1 on a GPU, which is busy with one run",
            advice,
        )));
    }
    let mut texts = texts::Texts::new(&args.files);
    if args.dry_run {
        let plans = plan::all(&runs, folder.as_ref(), &mut texts, &device, false)?;
        return plan::print(&plans, folder.as_ref());
    }
    let Some(folder) = folder else { return Ok(()) };
    let plans = plan::all(&runs, Some(&folder), &mut texts, &device, true)?;
    folder.write(&file::to_yaml(&sweep)?)?;
    let stop = stop_on_ctrl_c()?;
    let made = queue::make(args, &plans, &folder, &mut texts, &device, &stop);
    folder.write_results(&plans)?;
    if let Err(Error::Stopped) = made {
        eprintln!("stopped: {} of {} runs are done; the same command goes on", folder.done(&plans), plans.len());
    }
    made?;
    let table = table::Table::of(&sweep, &plans, &folder);
    eprint!("{table}");
    println!("{}", json!({ "comparison": table.comparison }));
    folder.verdict(&plans)
}
