//! Checkpoints: a safetensors file that holds the parameters by their names, the optimizer's moments beside them
//! (`optimizer.m.…`), a subword tokenizer's file (`tokenizer.json`, as bytes), and, as metadata, the config, the step and a fingerprint of the text.
//!
//! A run that goes on from a checkpoint is bitwise the run that never stopped: batches are a pure function of seed and
//! step, and nothing else has a memory. The format is Hugging Face's (<https://github.com/huggingface/safetensors>),
//! read by their crate, which checks every size before it is believed.

use std::borrow::Cow;

use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};

use crate::config::{self, Config};
use crate::error::{Error, Problem, Result};
use crate::parameters::{Parameter, Parameters};

/// The key of our metadata.
const KEY: &str = "trainlab";

/// What a checkpoint says beside its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub config: Config,
    /// Updates done.
    pub step: u32,
    /// Spent training.
    pub seconds: f64,
    /// Of the training tokens; a run goes on only with the text that it began with.
    pub text: String,
}

/// A run's state: one arena for the parameters and one for each moment, laid out by [`Parameters`].
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    pub header: Header,
    pub weights: Vec<f32>,
    /// By name, in the optimizer's order.
    pub moments: Vec<(String, Vec<f32>)>,
    /// The tokenizer.json of a subword tokenizer.
    pub tokenizer: Option<String>,
}

/// The name of the tensor that holds it, byte by byte.
const TOKENIZER: &str = "tokenizer.json";

impl Checkpoint {
    /// The file's bytes.
    pub fn to_bytes(&self, parameters: &Parameters) -> Vec<u8> {
        let mut tensors = tensors(parameters, "", &self.weights);
        for (name, arena) in &self.moments {
            tensors.extend(self::tensors(parameters, &moment_prefix(name), arena));
        }
        if let Some(json) = &self.tokenizer {
            let data = json.as_bytes();
            tensors.push(Entry { name: TOKENIZER.to_owned(), dtype: Dtype::U8, shape: vec![data.len()], data });
        }
        let header = serde_json::to_string(&self.header).expect("our types are JSON");
        serialize(tensors, Some(header))
    }

    /// The header alone: enough to prepare the run that goes on.
    ///
    /// # Errors
    /// Where the bytes are no checkpoint of ours, or hold a config that cannot be run.
    pub fn header(bytes: &[u8]) -> Result<Header> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(refused)?;
        // The config goes through the door that all configs go through.
        let text = metadata.metadata().as_ref().and_then(|all| all.get(KEY));
        let text = text.ok_or_else(|| refused("it has no `trainlab` metadata"))?;
        let json: serde_json::Value = serde_json::from_str(text).map_err(refused)?;
        config::parse(&json["config"])?;
        serde_json::from_value(json).map_err(refused)
    }

    /// The tokenizer.json that the run was made with, where it is one of subwords.
    ///
    /// # Errors
    /// Where the bytes are no safetensors file, or what it holds under that name is no text.
    pub fn tokenizer(bytes: &[u8]) -> Result<Option<String>> {
        tokenizer(&SafeTensors::deserialize(bytes).map_err(refused)?)
    }

    /// A checkpoint for `parameters` with moments of these names.
    ///
    /// # Errors
    /// Where the bytes are no such checkpoint: cut off, of another shape, or with numbers that are not finite.
    pub fn from_bytes(bytes: &[u8], parameters: &Parameters, moments: &[&str]) -> Result<Self> {
        let header = Self::header(bytes)?;
        let file = SafeTensors::deserialize(bytes).map_err(refused)?;
        let weights = arena(&file, parameters, "")?;
        let moments =
            moments.iter().map(|name| Ok(((*name).to_owned(), arena(&file, parameters, &moment_prefix(name))?)));
        Ok(Self { header, weights, moments: moments.collect::<Result<_>>()?, tokenizer: tokenizer(&file)? })
    }
}

fn tokenizer(file: &SafeTensors) -> Result<Option<String>> {
    let Ok(tensor) = file.tensor(TOKENIZER) else { return Ok(None) };
    let text = String::from_utf8(tensor.data().to_vec());
    text.map(Some).map_err(|_| refused(format!("`{TOKENIZER}` is no text")))
}

fn moment_prefix(name: &str) -> String {
    format!("optimizer.{name}.")
}

fn refused(why: impl std::fmt::Display) -> Error {
    Error::refused(Problem::new(
        "checkpoint",
        format!("unusable: {why}"),
        "a safetensors file that trainlab saved",
        "Choose another file, or start the run anew.",
    ))
}

/// A tensor on its way into a file.
pub struct Entry<'a> {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    data: &'a [u8],
}

impl View for &Entry<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.data.into()
    }

    fn data_len(&self) -> usize {
        self.data.len()
    }
}

/// The tensors of an arena, by name.
pub fn tensors<'a>(parameters: &Parameters, prefix: &str, arena: &'a [f32]) -> Vec<Entry<'a>> {
    let entry = |parameter: &Parameter| Entry {
        name: format!("{prefix}{}", parameter.name),
        dtype: Dtype::F32,
        shape: parameter.shape.clone(),
        data: bytemuck::cast_slice(&arena[parameter.range.clone()]),
    };
    parameters.list.iter().map(entry).collect()
}

/// Token ids as one tensor.
pub fn ids<'a>(name: &str, shape: Vec<usize>, data: &'a [i32]) -> Entry<'a> {
    Entry { name: name.to_owned(), dtype: Dtype::I32, shape, data: bytemuck::cast_slice(data) }
}

/// A safetensors file, with our metadata where there is a `header`.
pub fn serialize(entries: Vec<Entry>, header: Option<String>) -> Vec<u8> {
    let metadata = header.map(|header| [(KEY.to_owned(), header)].into_iter().collect());
    let entries = entries.iter().map(|entry| (entry.name.as_str(), entry));
    safetensors::serialize(entries, metadata).expect("names are unique and sizes true")
}

/// Reads every parameter's tensor, named with `prefix`, into an arena.
fn arena(file: &SafeTensors, parameters: &Parameters, prefix: &str) -> Result<Vec<f32>> {
    let mut arena = vec![0.0; parameters.len];
    for parameter in &parameters.list {
        let name = format!("{prefix}{}", parameter.name);
        let tensor = file.tensor(&name).map_err(|_| refused(format!("`{name}` is missing")))?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != parameter.shape {
            let (dtype, shape) = (tensor.dtype(), tensor.shape());
            let expected = &parameter.shape;
            return Err(refused(format!("`{name}` is {dtype:?} {shape:?}, not F32 {expected:?}")));
        }
        // The data may lie at any byte.
        for (to, from) in arena[parameter.range.clone()].iter_mut().zip(tensor.data().chunks_exact(4)) {
            *to = f32::from_le_bytes(from.try_into().expect("four bytes"));
        }
        if arena[parameter.range.clone()].iter().any(|value| !value.is_finite()) {
            return Err(refused(format!("`{name}` holds numbers that are not finite")));
        }
    }
    Ok(arena)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, Stream};

    fn example() -> (Parameters, Checkpoint) {
        let mut config = Config::default();
        (config.model.layers, config.model.width, config.model.hidden, config.model.heads) = (1, 8, 12, 2);
        config.model.context = 8;
        let parameters = Parameters::new(&config.model, 7);
        // As in a run: padding is zero.
        let arena = |seed: u32| {
            let mut random = Random::new(1, Stream::Other(seed));
            let mut arena = vec![0.0; parameters.len];
            for parameter in &parameters.list {
                arena[parameter.range.clone()].fill_with(|| random.normal());
            }
            arena
        };
        let header = Header { config, step: 17, seconds: 2.5, text: "abc".to_owned() };
        let moments = vec![("m".to_owned(), arena(1)), ("v".to_owned(), arena(2))];
        let tokenizer = Some("{\"é\": 1}".to_owned());
        let checkpoint = Checkpoint { header, weights: arena(0), moments, tokenizer };
        (parameters, checkpoint)
    }

    #[test]
    fn checkpoints_survive_their_file_bit_for_bit() {
        let (parameters, checkpoint) = example();
        let bytes = checkpoint.to_bytes(&parameters);
        assert_eq!(Checkpoint::from_bytes(&bytes, &parameters, &["m", "v"]).unwrap(), checkpoint);
        assert_eq!(bytes, checkpoint.to_bytes(&parameters), "the same state makes the same file");
        assert_eq!(Checkpoint::tokenizer(&bytes).unwrap(), checkpoint.tokenizer);
        let without = Checkpoint { tokenizer: None, ..checkpoint }.to_bytes(&parameters);
        assert_eq!(Checkpoint::tokenizer(&without).unwrap(), None);
    }

    #[test]
    fn a_file_cut_off_anywhere_is_refused() {
        let (parameters, checkpoint) = example();
        let bytes = checkpoint.to_bytes(&parameters);
        for i in 0..50 {
            let cut = bytes.len() * i / 50;
            let error = Checkpoint::from_bytes(&bytes[..cut], &parameters, &["m", "v"]).unwrap_err().to_string();
            assert!(error.starts_with("checkpoint is unusable"), "cut at {cut}: {error}");
        }
    }

    #[test]
    fn hostile_bytes_are_refused_and_never_panic() {
        let (parameters, checkpoint) = example();
        let bytes = checkpoint.to_bytes(&parameters);
        let header_end = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let mut random = Random::new(3, Stream::Other(0));
        let mut refusals = 0;
        for _ in 0..2000 {
            let mut bytes = bytes.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(header_end as u32) as usize;
                bytes[at] = random.next_u32() as u8;
            }
            refusals += u32::from(Checkpoint::from_bytes(&bytes, &parameters, &["m", "v"]).is_err());
        }
        assert!(refusals > 1000, "{refusals} of 2,000 broken headers were refused");
        for huge in [u64::MAX, 1 << 40, bytes.len() as u64] {
            let mut bytes = bytes.clone();
            bytes[..8].copy_from_slice(&huge.to_le_bytes());
            assert!(Checkpoint::header(&bytes).is_err());
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (parameters, mut checkpoint) = example();
        let bytes = checkpoint.to_bytes(&parameters);
        let error = Checkpoint::from_bytes(&bytes, &parameters, &["m", "v", "h"]).unwrap_err().to_string();
        assert!(error.contains("`optimizer.h.tok_emb.weight` is missing"), "{error}");

        let mut wider = checkpoint.header.config.clone();
        wider.model.hidden = 16;
        let wider = Parameters::new(&wider.model, 7);
        let error = Checkpoint::from_bytes(&bytes, &wider, &["m", "v"]).unwrap_err().to_string();
        assert!(error.contains("`blocks.0.mlp.up.weight` is F32 [12, 8], not F32 [16, 8]"), "{error}");

        checkpoint.weights[0] = f32::NAN;
        let bytes = checkpoint.to_bytes(&parameters);
        let error = Checkpoint::from_bytes(&bytes, &parameters, &["m", "v"]).unwrap_err().to_string();
        assert!(error.contains("`tok_emb.weight` holds numbers that are not finite"), "{error}");
    }
}
