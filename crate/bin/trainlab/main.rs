//! The command line: the same runs as in the page. Progress goes to standard error, JSON Lines to standard output.
//!
//! Exit codes: 0 done, 1 the machine or a file failed, 2 refused, 3 diverged, 4 the GPU was lost, 130 stopped by Ctrl-C.

mod bench;
mod context;
mod data;
mod fields;
mod files;
mod input;
mod inspect;
mod replicas;
mod sample;
mod saves;
mod sweep;
mod tilings;
mod tokenize;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use input::{DeviceArg, RunArgs};
use trainlab::config;
use trainlab::error::{Error, Result};

/// A training lab: tiny GPTs, trained on your own GPU or CPU.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a model; print a JSON object for each step, validation, score of the downstream tasks and sample.
    Train(train::TrainArgs),
    /// Make many runs from one file, and say what they support; `sweep --help` explains the file.
    #[command(after_long_help = sweep::HELP)]
    Sweep(sweep::SweepArgs),
    /// Print the whole effective config as JSON; `config --help` explains every field.
    #[command(after_long_help = fields::help())]
    Config {
        #[command(flatten)]
        run: RunArgs,
    },
    /// Print the JSON schema of configs.
    Schema,
    /// Print parameters, bytes by purpose, FLOPs and dispatches; nothing is run.
    Plan {
        #[command(flatten)]
        run: RunArgs,
        /// The device that the run would have to fit.
        #[arg(long, value_enum, default_value_t = DeviceArg::Auto)]
        device: DeviceArg,
    },
    /// Validate a saved run on the held-out text, and ask it the downstream tasks.
    Eval(inspect::EvalArgs),
    /// Say what each attention head of a saved run looks at while it reads a text, and how far back.
    Attention(context::AttentionArgs),
    /// Let a saved run write; print the text as it comes.
    Sample(sample::SampleArgs),
    /// Say how long a text's documents are, and how often a run would read those of each length; nothing is run.
    Data(data::DataArgs),
    /// Say how a text is split into tokens, and how much of the vocabulary it uses.
    Tokenize(tokenize::TokenizeArgs),
    /// Measure how fast this machine is.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Say which devices there are and whether a short run works on each.
    Doctor,
}

fn main() -> ExitCode {
    end_with_the_reader();
    let result = match Cli::parse().command {
        Command::Train(args) => pollster::block_on(train::train(&args)),
        Command::Sweep(args) => sweep::sweep(&args),
        Command::Config { run } => run.config().map(|config| print(&config)),
        Command::Schema => {
            print(&config::schema());
            Ok(())
        }
        Command::Plan { run, device } => pollster::block_on(inspect::plan(&run, device)),
        Command::Eval(args) => pollster::block_on(inspect::evaluate(&args)),
        Command::Attention(args) => pollster::block_on(context::attention(&args)),
        Command::Sample(args) => pollster::block_on(sample::sample(&args)),
        Command::Data(args) => data::data(&args),
        Command::Tokenize(args) => tokenize::tokenize(&args),
        Command::Bench(command) => pollster::block_on(bench::bench(&command)),
        Command::Doctor => pollster::block_on(inspect::doctor()),
    };
    exit_code(result)
}

/// Where output goes to `head`, the program ends once that has read enough, as others do; Rust would panic.
fn end_with_the_reader() {
    #[cfg(unix)]
    // SAFETY: nothing else has been started, and the handler is the system's own.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

fn exit_code(result: Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("trainlab: {error}");
    match error {
        Error::Refused(_) => ExitCode::from(2),
        Error::Diverged { .. } => ExitCode::from(3),
        Error::DeviceLost(_) => ExitCode::from(4),
        Error::Stopped => ExitCode::from(130),
        _ => ExitCode::FAILURE,
    }
}

fn print(value: &impl serde::Serialize) {
    println!("{}", serde_json::to_string_pretty(value).expect("our types are JSON"));
}
