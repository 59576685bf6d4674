//! `trainlab bench`: how fast this machine is, as tables or as JSON Lines.

mod attention;
mod sequence;

use std::rc::Rc;
use std::time::Instant;

use clap::Subcommand;
use indicatif::ProgressBar;
use serde_json::json;
use trainlab::config::Config;
use trainlab::data::Dataset;
use trainlab::engine::Device;
use trainlab::error::{Error, Result};
use trainlab::plan::Plan;
use trainlab::profile::{self, Ceiling, KernelTime};
use trainlab::trainer::Trainer;

use crate::input::{self, DeviceArg, RunArgs};
use crate::replicas::ReplicaArgs;
use crate::tilings;

#[derive(Subcommand)]
pub enum Bench {
    /// Time each kernel of a training step by itself, and each product with every tiling, beside the device's ceiling.
    Kernels(Measured),
    /// Time whole training steps, then say which kernels take their time.
    Step {
        #[command(flatten)]
        measured: Measured,
        /// Timed steps.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        steps: u32,
        /// Steps before them.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=100_000))]
        warmup: u32,
        #[command(flatten)]
        replicas: ReplicaArgs,
        /// Leave the kernels out.
        #[arg(long)]
        no_profile: bool,
    },
    /// Say what a longer context costs: steps and their parts, over contexts and widths with as many tokens a step.
    Sequence(sequence::SequenceArgs),
    /// Time attention that holds a tile of its matrix beside attention that stores it, by length.
    Attention(attention::AttentionArgs),
}

#[derive(clap::Args)]
pub struct Measured {
    #[command(flatten)]
    run: RunArgs,
    #[arg(long, value_enum, default_value_t = DeviceArg::Auto)]
    device: DeviceArg,
    /// Seconds spent on each figure.
    #[arg(long, default_value_t = 0.3, value_parser = budget)]
    budget: f64,
    /// Print a JSON object a line instead of tables.
    #[arg(long)]
    json: bool,
}

/// Seconds that can be spent on a figure.
fn budget(text: &str) -> std::result::Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (1e-3..=1e3).contains(seconds));
    seconds.ok_or_else(|| "0.001 to 1000 seconds are allowed".to_owned())
}

pub async fn bench(command: &Bench) -> Result<()> {
    match command {
        Bench::Sequence(args) => sequence::sequence(args).await,
        Bench::Attention(args) => attention::attention(args).await,
        Bench::Kernels(measured) => {
            let (config, dataset, device) = opened(measured).await?;
            kernels(measured, &Plan::for_dataset(&config, &dataset, &device)?, &device).await
        }
        Bench::Step { measured, steps, warmup, replicas, no_profile } => {
            replicas.prepare();
            let (config, dataset, device) = opened(measured).await?;
            let mut timed = config.clone();
            timed.training.steps = steps + warmup;
            let started = Instant::now();
            let trainer = replicas.trainer(&timed, Rc::clone(&dataset), &device, None).await?;
            step(measured, trainer, &device, started, [*steps, *warmup])?;
            if !no_profile {
                profile(measured, &Plan::for_dataset(&config, &dataset, &device)?, &device).await?;
            }
            Ok(())
        }
    }
}

async fn opened(measured: &Measured) -> Result<(Config, Rc<Dataset>, Device)> {
    let config = measured.run.config()?;
    let dataset = Rc::new(measured.run.dataset(&config)?);
    Ok((config, dataset, input::open(measured.device).await?))
}

async fn kernels(measured: &Measured, plan: &Plan, device: &Device) -> Result<()> {
    let ceiling = profile(measured, plan, device).await?;
    if let Device::Gpu(_) = device {
        heading(measured, "Every tiling of every product");
        let show = |time: &KernelTime| row(measured, time, ceiling);
        profile::tilings(plan, device, measured.budget, show).await?;
    }
    Ok(())
}

/// Prints the device's ceiling and each kernel of the step.
async fn profile(measured: &Measured, plan: &Plan, device: &Device) -> Result<Ceiling> {
    let ceiling = profile::ceiling(device, measured.budget).await?;
    if measured.json {
        println!("{}", json!({"device": device.name(), "ceiling": ceiling}));
    } else {
        println!("{}: at best {:.1} GFLOP/s and {:.1} GB/s", device.name(), ceiling.gflops, ceiling.gigabytes);
    }
    let bar = ProgressBar::new(0);
    let times = profile::profile(plan, device, measured.budget, async |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
        Ok(())
    });
    let times = times.await?;
    tilings::keep(device);
    bar.finish_and_clear();
    heading(measured, "Kernels of a step");
    times.iter().for_each(|time| row(measured, time, ceiling));
    Ok(ceiling)
}

fn heading(measured: &Measured, title: &str) {
    if !measured.json {
        println!("\n{title}\n  share  count        ms   GFLOP/s  of best      GB/s  of best");
    }
}

fn row(measured: &Measured, time: &KernelTime, ceiling: Ceiling) {
    if measured.json {
        return println!("{}", json!(time));
    }
    let percent = |part: f64| format!("{:.0} %", 100.0 * part);
    let optional = |text: &Option<String>| text.as_ref().map_or(String::new(), |text| format!("  {text}"));
    println!(
        "{:>7}  {:>5}  {:>8.3}  {:>8.2}  {:>7}  {:>8.2}  {:>7}  {} {}{}{}",
        if time.share > 0.0 { percent(time.share) } else { String::new() },
        time.count,
        time.milliseconds,
        time.gflops,
        percent(time.gflops / ceiling.gflops),
        time.gigabytes,
        percent(time.gigabytes / ceiling.gigabytes),
        time.kernel,
        time.label,
        optional(&time.shape),
        optional(&time.tiling),
    );
}

/// `started`: when the trainer began to be made.
fn step(
    measured: &Measured,
    mut trainer: Trainer,
    device: &Device,
    started: Instant,
    [steps, warmup]: [u32; 2],
) -> Result<()> {
    let tokens = trainer.plan.summary().tokens_per_step;
    let (mut losses, mut milliseconds) = (vec![], vec![]);
    // Some drivers compile a kernel when it is first played.
    let mut first = 0.0;
    let mut cpu = 0.0;
    for i in 0..steps + warmup {
        if i == warmup {
            cpu = cpu_seconds();
        }
        let begin = Instant::now();
        trainer.step()?;
        losses.extend(trainer.settle()?.iter().map(|metric| metric.loss));
        if i == 0 {
            first = started.elapsed().as_secs_f64();
        }
        if i >= warmup {
            milliseconds.push(begin.elapsed().as_secs_f64() * 1e3);
        }
    }
    if let Some(why) = trainer.workers_lost() {
        return Err(Error::Device(why.to_owned()));
    }
    let cpu = (cpu_seconds() - cpu) * 1e3 / f64::from(steps);
    let mut sorted = milliseconds.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    if measured.json {
        let device = device.name();
        println!(
            "{}",
            json!({"device": device, "first": first, "losses": losses, "milliseconds": milliseconds, "cpu": cpu})
        );
    } else {
        let rate = tokens as f64 / median * 1e3;
        let least = sorted[0];
        println!("{steps} steps of {tokens} tokens, each waited for: median {median:.1} ms, least {least:.1} ms, ");
        println!("{cpu:.0} CPU-ms; {rate:.0} tokens/s; kernels ready and the first step done after {first:.1} s\n");
    }
    Ok(())
}

/// Processor time of this process so far, in seconds; 0 where the system does not say it in Linux's way.
fn cpu_seconds() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The program's name, in parentheses, may hold anything; user and system time are the 14th and 15th field.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
}
