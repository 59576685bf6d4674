//! What can go wrong, said so that a reader knows what to change.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One thing that is wrong with a config or a text: which field, what it holds,
/// what is allowed there, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Dotted path of the field, such as `model.heads`.
    pub field: String,
    /// The value found there, as JSON.
    pub value: String,
    /// What is allowed, such as `a divisor of model.width (128)`.
    pub allowed: String,
    /// What to do about it, one imperative sentence.
    pub advice: String,
    /// Changes that mend it, each by itself.
    pub fixes: Vec<Fix>,
}

/// A value that would do for a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    pub field: String,
    pub value: Value,
}

impl Problem {
    pub fn new(
        field: impl Into<String>,
        value: impl fmt::Display,
        allowed: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            value: value.to_string(),
            allowed: allowed.into(),
            advice: advice.into(),
            fixes: vec![],
        }
    }

    /// Offers a change that mends it.
    pub fn or_set(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fixes.push(Fix { field: field.to_owned(), value: value.into() });
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} is {}; allowed: {}. {}", self.field, self.value, self.allowed, self.advice)
    }
}

#[derive(Clone, Debug)]
pub enum Error {
    /// The config or the text cannot be run; found before any work was done.
    Refused(Vec<Problem>),
    /// The loss or a gradient stopped being a finite number.
    Diverged { step: u32, tensor: String },
    /// No usable device, or the device refused something.
    Device(String),
    /// The device went away in the middle of a run.
    DeviceLost(String),
    /// A shader did not compile: its name, the compiler's message, the composed source.
    Shader { name: String, message: String, source: String },
    /// A file could not be read or written.
    File(String),
    /// The user asked the run to stop.
    Stopped,
}

impl Error {
    pub fn refused(problem: Problem) -> Self {
        Self::Refused(vec![problem])
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Refused(problems) => {
                let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
                write!(f, "{}", lines.join("\n"))
            }
            Self::Diverged { step, tensor } => write!(
                f,
                "the run diverged at step {step}: `{tensor}` is the first tensor that is not finite. \
                 Lower optimizer.learning_rate, lengthen schedule.warmup_steps, or clip more with optimizer.clip_norm."
            ),
            Self::Device(message) => write!(f, "{message}"),
            Self::DeviceLost(reason) => write!(f, "the GPU was lost ({reason})"),
            Self::Shader { name, message, source } => {
                writeln!(f, "the shader `{name}` did not compile: {message}")?;
                for (i, line) in source.lines().enumerate() {
                    writeln!(f, "{:4} {line}", i + 1)?;
                }
                Ok(())
            }
            Self::File(message) => write!(f, "{message}"),
            Self::Stopped => write!(f, "stopped; what was done so far is saved where --out or --resume say"),
        }
    }
}

impl std::error::Error for Error {}
