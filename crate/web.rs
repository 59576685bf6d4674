//! The page's view of the core. A worker calls it; see `www/worker.ts`. Subword tokenizers are not in it: they are a
//! module of their own (`web_tokenizers.rs`), and what they make is handed over.

mod compare;
mod context;
mod replicas;
mod run;
mod sequence;
mod sweep;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;
use wasm_bindgen::prelude::*;

use crate::checkpoint::Checkpoint;
use crate::config::{self, Config, Task};
use crate::data::lengths::Reading;
use crate::data::tokenizer::unprepared;
use crate::data::{Corpus, Dataset, Encoded, Origin, Subword, Tokenizer, check_text};
use crate::downstream::{self, OwnTasks, TaskItems};
use crate::engine::{Device, DeviceChoice};
use crate::error::{Error, Problem, Result};
use crate::hash::fnv1a_64;
use crate::js::{throw, to_js};
use crate::parameters::Parameters;
use crate::plan::{Bytes, Plan, Summary, fits_cpu};
use crate::profile;
use crate::trainer::Trainer;
use replicas::{Hired, Team};
use run::Run;

#[cfg(test)]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// The JSON schema of configs, from which the form is made.
#[wasm_bindgen]
pub fn schema() -> std::result::Result<JsValue, JsValue> {
    to_js(&config::schema())
}

#[wasm_bindgen]
pub fn default_config() -> std::result::Result<JsValue, JsValue> {
    to_js(&Config::default())
}

/// All that is wrong with a config: `Problem[]`.
#[wasm_bindgen]
pub fn check(config: JsValue) -> std::result::Result<JsValue, JsValue> {
    to_js(&match from_js(config) {
        Ok(json) => config::check(&json),
        Err(Error::Refused(problems)) => problems,
        Err(error) => return Err(throw(&error)),
    })
}

/// What a checkpoint says of itself: `{config, step, seconds, text}`. Throws where the bytes are none of ours.
#[wasm_bindgen]
pub fn checkpoint_header(bytes: &[u8]) -> std::result::Result<JsValue, JsValue> {
    to_js(&Checkpoint::header(bytes).map_err(|error| throw(&error))?)
}

/// The tokenizer.json of a checkpoint whose run had a subword tokenizer, for the module that knows these.
#[wasm_bindgen]
pub fn checkpoint_tokenizer(bytes: &[u8]) -> std::result::Result<Option<String>, JsValue> {
    Checkpoint::tokenizer(bytes).map_err(|error| throw(&error))
}

/// How many items a file of own tasks has. Throws what is wrong with it.
#[wasm_bindgen]
pub fn check_tasks(text: &str) -> std::result::Result<usize, JsValue> {
    OwnTasks::parse(text).map(|own| own.items.len()).map_err(|error| throw(&error))
}

/// The text of a corpus that the core makes itself.
#[wasm_bindgen]
pub fn corpus_text(config: JsValue) -> std::result::Result<String, JsValue> {
    let config = parse(config)?;
    match config.data.corpus {
        Corpus::TinyTales => Ok(config.data.tiny_tales()),
        Corpus::MobyDick | Corpus::Own => Err(throw(&Error::refused(Problem::new(
            "data.corpus",
            to_json(&config.data.corpus),
            "tiny_tales",
            "The page brings the other texts.",
        )))),
    }
}

/// A device that was opened.
#[wasm_bindgen]
pub struct Lab {
    device: Device,
    note: Option<String>,
    /// That share the batches of a run, on the CPU.
    workers: Cell<usize>,
    /// The text of the last plan, tokenised: a run on the same text need not do it again.
    dataset: RefCell<Option<(Config, u64, Rc<Dataset>)>>,
    /// What a subword tokenizer made of a text.
    prepared: RefCell<Option<(Origin, Rc<Dataset>)>>,
}

#[derive(Serialize)]
struct DeviceInfo {
    kind: &'static str,
    name: String,
    software: bool,
    /// That share the batches of a run; a GPU has one.
    workers: usize,
    note: Option<String>,
}

#[derive(Serialize)]
struct TextAndPlan {
    #[serde(flatten)]
    plan: Summary,
    vocabulary: usize,
    train_tokens: usize,
    held_out_tokens: usize,
    bytes_per_token: f64,
    /// Nats per token of a model that knows only how often each token occurs.
    unigram_loss: f64,
    unigram_bits_per_byte: f64,
}

#[wasm_bindgen]
impl Lab {
    /// Opens `auto`, `gpu` or `cpu`. Throws a message that says what is missing.
    pub async fn open(device: String) -> std::result::Result<Lab, JsValue> {
        let choice = match device.as_str() {
            "gpu" => DeviceChoice::Gpu,
            "cpu" => DeviceChoice::Cpu,
            _ => DeviceChoice::Auto,
        };
        // Browsers say by name only what wgpu does not pass on.
        let adapter = if choice == DeviceChoice::Cpu { None } else { adapter_name().await };
        let software = adapter.as_ref().is_some_and(|name| name.contains("swiftshader"));
        if choice == DeviceChoice::Auto && software {
            let note = "the browser's only WebGPU adapter runs shaders on the CPU; the CPU device is faster";
            return Ok(Self::on(Device::Cpu, Some(note.to_owned())));
        }
        let (mut device, note) = Device::open(choice).await.map_err(|error| throw(&error))?;
        if let Device::Gpu(gpu) = &mut device
            && let Some(gpu) = Rc::get_mut(gpu)
        {
            if software {
                gpu.software = true;
                gpu.tuning_budget.set(0.0);
            }
            if gpu.name.is_empty() {
                gpu.name = adapter.unwrap_or_else(|| "GPU".to_owned());
            }
        }
        Ok(Self::on(device, note))
    }

    fn on(device: Device, note: Option<String>) -> Self {
        Self { device, note, workers: Cell::new(1), dataset: RefCell::default(), prepared: RefCell::default() }
    }

    /// On the CPU, plans from now on count as many workers, the lab's own included: those that runs are started with.
    pub fn use_workers(&self, count: usize) {
        if matches!(self.device, Device::Cpu) {
            self.workers.set(count.max(1));
        }
    }

    pub fn device(&self) -> std::result::Result<JsValue, JsValue> {
        let (kind, software) = match &self.device {
            Device::Gpu(gpu) => ("gpu", gpu.software),
            Device::Cpu => ("cpu", false),
        };
        to_js(&DeviceInfo {
            kind,
            name: self.device.name().to_owned(),
            software,
            workers: self.workers.get(),
            note: self.note.clone(),
        })
    }

    /// Parameters, bytes, FLOPs, and what the text is like; nothing is allocated.
    pub fn plan(&self, config: JsValue, text: &str) -> std::result::Result<JsValue, JsValue> {
        let config = parse(config)?;
        let summary = self.summarise(&config, text).map_err(|error| throw(&error))?;
        to_js(&summary)
    }

    fn summarise(&self, config: &Config, text: &str) -> Result<TextAndPlan> {
        let dataset = self.dataset(config, text)?;
        let unigram = dataset.unigram_entropy();
        let vocabulary = dataset.tokenizer.vocabulary_size();
        let mut plan = Plan::for_dataset(config, &dataset, &self.device)?;
        plan.bytes = self.shared(config, vocabulary, &plan).unwrap_or(plan.bytes);
        Ok(TextAndPlan {
            plan: plan.summary(),
            vocabulary,
            train_tokens: dataset.train.len(),
            held_out_tokens: dataset.held_out.len(),
            bytes_per_token: dataset.bytes_per_token(),
            unigram_loss: unigram.nats_per_token,
            unigram_bits_per_byte: unigram.bits_per_byte,
        })
    }

    /// What a run takes whose batches are shared; None where they are not, for that is not worth it or does not fit.
    fn shared(&self, config: &Config, vocabulary: usize, plan: &Plan) -> Option<Bytes> {
        let shared = || crate::replicas::bytes(config, vocabulary, plan, self.workers.get() - 1);
        replicas::worth_it(plan).then(shared).filter(|&bytes| fits_cpu(bytes))
    }

    fn dataset(&self, config: &Config, text: &str) -> Result<Rc<Dataset>> {
        let hash = fnv1a_64(text.bytes());
        if let Some((of, of_text, dataset)) = &*self.dataset.borrow()
            && (&of.tokenizer, &of.data, *of_text) == (&config.tokenizer, &config.data, hash)
        {
            return Ok(Rc::clone(dataset));
        }
        let text = check_text(text.as_bytes())?;
        if config.tokenizer.kind.is_subword() {
            let dataset = self.prepared_for(config, text)?;
            dataset.find_documents(text, config.data.corpus);
            return Ok(dataset);
        }
        let dataset = Rc::new(Dataset::new(text, config.tokenizer.kind, config.data.held_out_fraction)?);
        dataset.find_documents(text, config.data.corpus);
        *self.dataset.borrow_mut() = Some((config.clone(), hash, Rc::clone(&dataset)));
        Ok(dataset)
    }

    /// What was handed over, if it is of this text and of the tokenizer that the config asks for.
    fn prepared_for(&self, config: &Config, text: &str) -> Result<Rc<Dataset>> {
        let needed = Origin::of(text, config.data.held_out_fraction)?;
        let (kind, vocabulary) = (config.tokenizer.kind, config.tokenizer.vocabulary as usize);
        match &*self.prepared.borrow() {
            Some((origin, dataset)) if origin.serves(&needed, kind, vocabulary) => Ok(Rc::clone(dataset)),
            _ => Err(unprepared(kind)),
        }
    }

    /// Hands over what plans and runs with a subword tokenizer are to use from now on, as the tokenizers' module made it:
    /// the tokenizer's file and table, and what its `encode_parts` gave (`of` is a plain object, `covered` and
    /// `train_covered` may be missing). Whoever asks for a run on another text, or with another tokenizer, is refused.
    #[allow(clippy::too_many_arguments, reason = "flat arrays cross into wasm in one copy")]
    pub fn use_tokens(
        &self,
        json: String,
        token_lengths: &[u32],
        token_bytes: Vec<u8>,
        train: Vec<u32>,
        held_out: Vec<u32>,
        of: JsValue,
        covered: Option<Vec<u32>>,
        train_covered: Option<Vec<u32>>,
    ) -> std::result::Result<(), JsValue> {
        let origin = from_js(of).and_then(|of| {
            serde_json::from_value(of).map_err(|error| {
                let allowed = "what encode_parts says its tokens are of";
                Error::refused(Problem::new("tokenizer.kind", error, allowed, "Prepare the tokenizer again."))
            })
        });
        let dataset = origin.and_then(|origin: Origin| {
            let tokenizer = Tokenizer::Subword(Subword::from_table(json, token_lengths, token_bytes)?);
            let train = Encoded { tokens: train, covered: train_covered };
            let held_out = Encoded { tokens: held_out, covered };
            let dataset = Dataset::of_tokens(tokenizer, train, held_out, &origin)?;
            Ok((origin, Rc::new(dataset)))
        });
        *self.prepared.borrow_mut() = Some(dataset.map_err(|error| throw(&error))?);
        Ok(())
    }

    /// Times each kernel of a training step, about `budget` seconds each: `{ceiling, kernels}`, see
    /// [`crate::profile`]. `progress` is called with a share from 0 to 1 and returns a promise, so that it may yield;
    /// `false` stops the profile, which then throws.
    pub async fn profile(
        &self,
        config: JsValue,
        text: String,
        budget: f64,
        progress: js_sys::Function,
    ) -> std::result::Result<JsValue, JsValue> {
        let config = parse(config)?;
        let work = async {
            let dataset = self.dataset(&config, &text)?;
            let plan = Plan::for_dataset(&config, &dataset, &self.device)?;
            let report = async |done: usize, all: usize| report(&progress, done, all).await;
            let kernels = profile::profile(&plan, &self.device, budget, report).await?;
            Ok((profile::ceiling(&self.device, budget).await?, kernels))
        };
        let (ceiling, kernels) = work.await.map_err(|error: Error| throw(&error))?;
        to_js(&serde_json::json!({ "ceiling": ceiling, "kernels": kernels }))
    }

    /// What the text makes of the vocabulary, and how `sample` is split: `{usage, parts, share}`, see
    /// [`crate::data::vocabulary`]; `share` is that of the parameters that grow with the vocabulary. `tokens` are the
    /// sample's, where the core has not the tokenizer itself.
    pub fn vocabulary_use(
        &self,
        config: JsValue,
        text: &str,
        sample: &str,
        tokens: Option<Vec<u32>>,
    ) -> std::result::Result<JsValue, JsValue> {
        let config = parse(config)?;
        let work = || {
            let dataset = self.dataset(&config, text)?;
            let tokens = tokens.map_or_else(|| dataset.tokenizer.encode(sample), Ok)?;
            Ok(dataset.vocabulary_use(&tokens))
        };
        let (usage, parts) = work().map_err(|error: Error| throw(&error))?;
        let parameters = Parameters::new(&config.model, usage.vocabulary);
        let share = parameters.of_vocabulary() as f64 / parameters.count() as f64;
        to_js(&serde_json::json!({ "usage": usage, "parts": parts, "share": share }))
    }

    /// How long the documents of the training text are, and how often the config's run would read those of each length with
    /// each packing: [`crate::data::lengths::Lengths`].
    pub fn document_lengths(&self, config: JsValue, text: &str) -> std::result::Result<JsValue, JsValue> {
        let config = parse(config)?;
        let dataset = self.dataset(&config, text).map_err(|error| throw(&error))?;
        let sequences = u64::from(config.training.steps) * u64::from(config.training.batch_size);
        to_js(&dataset.lengths(Reading { sequences, context: config.model.context as usize }))
    }

    /// The tilings that this device was measured with, as JSON, for [`Self::recall`] at another time.
    pub fn tilings(&self) -> Option<String> {
        let Device::Gpu(gpu) = &self.device else { return None };
        let tilings = gpu.tilings.borrow();
        (!tilings.is_empty()).then(|| to_json(&*tilings).to_string())
    }

    /// Takes up tilings that were measured before; what cannot be read is measured again.
    pub fn recall(&self, tilings: &str) {
        if let (Device::Gpu(gpu), Ok(known)) = (&self.device, serde_json::from_str(tilings)) {
            *gpu.tilings.borrow_mut() = known;
        }
    }

    /// Allocates a run and compiles its kernels. `progress` is called with a share from 0 to 1. `tasks`: the visitor's
    /// own, as [`check_tasks`] lets them through. `init`: a checkpoint whose parameters the run begins with. `team`: the workers
    /// that share its batches, on the CPU and where that is worth it.
    pub async fn start(
        &self,
        config: JsValue,
        text: String,
        progress: Option<js_sys::Function>,
        tasks: Option<String>,
        init: Option<Vec<u8>>,
        team: Option<Team>,
    ) -> std::result::Result<Run, JsValue> {
        let mut run = self.run(config, None, text, progress, tasks, team).await?;
        if let Some(bytes) = init {
            run.trainer.begin_with(&bytes).map_err(|error| throw(&error))?;
        }
        Ok(run)
    }

    /// Prepares a run that goes on from a checkpoint's bytes. `config` is that of [`checkpoint_header`], or one that
    /// differs in what a run may change on its way, such as more steps.
    pub async fn resume(
        &self,
        config: JsValue,
        bytes: Vec<u8>,
        text: String,
        progress: Option<js_sys::Function>,
        tasks: Option<String>,
        team: Option<Team>,
    ) -> std::result::Result<Run, JsValue> {
        self.run(config, Some(bytes), text, progress, tasks, team).await
    }

    async fn run(
        &self,
        config: JsValue,
        bytes: Option<Vec<u8>>,
        text: String,
        progress: Option<js_sys::Function>,
        tasks: Option<String>,
        team: Option<Team>,
    ) -> std::result::Result<Run, JsValue> {
        let mut team = team.map(Hired).filter(|_| matches!(self.device, Device::Cpu));
        let config = parse(config)?;
        let tasks = questions(&config, &text, tasks, bytes.is_some()).map_err(|error| throw(&error))?;
        let dataset = self.dataset(&config, &text).map_err(|error| throw(&error))?;
        if team.is_some() {
            let plan = Plan::for_dataset(&config, &dataset, &self.device).map_err(|error| throw(&error))?;
            let vocabulary = dataset.tokenizer.vocabulary_size();
            team = team.filter(|_| self.shared(&config, vocabulary, &plan).is_some());
        }
        let report = |done: usize, all: usize| {
            if let Some(progress) = &progress {
                // A listener that throws is the page's own affair.
                let _ = progress.call1(&JsValue::NULL, &(done as f64 / all as f64).into());
            }
        };
        let trainer = match (team, &bytes) {
            (None, None) => Trainer::new(&config, dataset, &self.device, report).await,
            (None, Some(bytes)) => Trainer::resume(&config, dataset, &self.device, bytes, report).await,
            (Some(team), _) => Trainer::replicated(&config, dataset, Box::new(team)).await.and_then(|mut trainer| {
                bytes.map_or(Ok(()), |bytes| trainer.restore(&bytes))?;
                Ok(trainer)
            }),
        };
        let trainer = trainer.map_err(|error| throw(&error))?;
        let elsewhere = matches!(trainer.dataset.tokenizer, Tokenizer::Subword(_));
        let mut run = Run { trainer, waiting: None, bad: None };
        if elsewhere {
            run.waiting = Some(tasks);
        } else {
            run.trainer.set_tasks(tasks, None).map_err(|error| throw(&error))?;
        }
        Ok(run)
    }
}

/// Tells the page how far work is, and what is new; it answers with a promise, so that it may yield.
///
/// # Errors
/// [`Error::Stopped`] where it says `false`.
async fn goes_on(progress: &js_sys::Function, share: f64, news: &JsValue) -> Result<()> {
    let promise = progress.call2(&JsValue::NULL, &share.into(), news);
    let answer = match promise.and_then(|promise| promise.dyn_into::<js_sys::Promise>()) {
        Ok(promise) => wasm_bindgen_futures::JsFuture::from(promise).await,
        Err(error) => Err(error),
    };
    if answer.is_ok_and(|answer| answer.is_falsy()) { Err(Error::Stopped) } else { Ok(()) }
}

/// What a run's model is asked. A run that goes on goes on without the visitor's own tasks where these are not there.
fn questions(config: &Config, text: &str, own: Option<String>, goes_on: bool) -> Result<Vec<TaskItems>> {
    let own = own.map(|own| OwnTasks::parse(&own)).transpose()?;
    let mut config = config.clone();
    config.downstream.tasks.retain(|&task| task != Task::Own || own.is_some() || !goes_on);
    downstream::items(&config, check_text(text.as_bytes())?, own.as_ref())
}

/// Tells `progress` a share and waits for its promise.
///
/// # Errors
/// [`Error::Stopped`] where it answers false.
async fn report(progress: &js_sys::Function, done: usize, all: usize) -> Result<()> {
    goes_on(progress, done as f64 / all as f64, &JsValue::NULL).await
}

/// What the browser calls its adapter, in lower case; None without WebGPU.
async fn adapter_name() -> Option<String> {
    let get = |of: &JsValue, name: &str| js_sys::Reflect::get(of, &name.into()).ok();
    let gpu = get(&get(&js_sys::global(), "navigator")?, "gpu")?;
    let request: js_sys::Function = get(&gpu, "requestAdapter")?.dyn_into().ok()?;
    let promise: js_sys::Promise = request.call0(&gpu).ok()?.dyn_into().ok()?;
    let adapter = wasm_bindgen_futures::JsFuture::from(promise).await.ok()?;
    let info = get(&adapter, "info")?;
    let words = ["vendor", "architecture", "description"].map(|name| get(&info, name)?.as_string());
    let words: Vec<String> = words.into_iter().flatten().filter(|word| !word.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(" ").to_lowercase())
}

fn parse(config: JsValue) -> std::result::Result<Config, JsValue> {
    from_js(config).and_then(|json| config::parse(&json)).map_err(|error| throw(&error))
}

/// What the page asks in a shape of its own.
fn read_as<T: serde::de::DeserializeOwned>(value: JsValue, name: &str) -> std::result::Result<T, JsValue> {
    let read = from_js(value).and_then(|json| {
        serde_json::from_value(json.clone()).map_err(|error| {
            Error::refused(Problem::new(name, json, error.to_string(), "Write it in the shape that is documented."))
        })
    });
    read.map_err(|error| throw(&error))
}

fn from_js(value: JsValue) -> Result<Value> {
    serde_wasm_bindgen::from_value(value).map_err(|error| {
        Error::refused(Problem::new("config", error, "a config that fits the schema", "Write it as plain JSON."))
    })
}

fn to_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("our types are JSON")
}
