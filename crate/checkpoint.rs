//! Checkpoints: a safetensors file that holds the parameters by their names, what the optimizer keeps of them beside them
//! (`optimizer.m.…`; 8-bit codes as U8), a subword tokenizer's file (`tokenizer.json`, as bytes), and, as metadata, the
//! config, the step and a fingerprint of the text.
//!
//! A run that goes on from a checkpoint is bitwise the run that never stopped: batches are a pure function of seed and
//! step, and nothing else has a memory. The format is Hugging Face's (<https://github.com/huggingface/safetensors>),
//! read by their crate, which checks every size before it is believed.

use std::borrow::Cow;

use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};

use crate::config::{self, Config, ModelConfig, Position};
use crate::error::{Error, Problem, Result};
use crate::optimizer::{Arena, Piece};
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

/// A run's state: the parameters' arena, laid out by [`Parameters`], and those of the optimizer.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    pub header: Header,
    pub weights: Vec<f32>,
    /// The elements of each arena as they lie there: numbers by their bits, or four codes each.
    pub state: Vec<(Arena, Vec<u32>)>,
    /// The tokenizer.json of a subword tokenizer.
    pub tokenizer: Option<String>,
}

/// The name of the tensor that holds it, byte by byte.
const TOKENIZER: &str = "tokenizer.json";

impl Header {
    /// Refuses a text that the run did not begin with, by its [`crate::data::Dataset::fingerprint`].
    pub fn check_text(&self, fingerprint: &str) -> Result<()> {
        if self.text == fingerprint {
            return Ok(());
        }
        Err(Error::refused(Problem::new(
            "checkpoint",
            "of a run on another text",
            "one of a run on this text",
            "Choose the text that the run began with.",
        )))
    }
}

impl Checkpoint {
    /// The file's bytes.
    pub fn to_bytes(&self, parameters: &Parameters) -> Vec<u8> {
        let mut tensors = tensors(parameters, "", &self.weights);
        for (arena, words) in &self.state {
            tensors.extend(arena.pieces.iter().map(|piece| Entry {
                name: name_of(arena, piece),
                dtype: dtype(arena),
                shape: piece.shape.clone(),
                data: &bytemuck::cast_slice(&words[piece.range.clone()])[..bytes_of(arena, piece)],
            }));
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
        let mut json: serde_json::Value = serde_json::from_str(text).map_err(refused)?;
        json["config"] = serde_json::json!(config::parse(&json["config"])?);
        serde_json::from_value(json).map_err(refused)
    }

    /// The tokenizer.json that the run was made with, where it is one of subwords.
    ///
    /// # Errors
    /// Where the bytes are no safetensors file, or what it holds under that name is no text.
    pub fn tokenizer(bytes: &[u8]) -> Result<Option<String>> {
        tokenizer(&SafeTensors::deserialize(bytes).map_err(refused)?)
    }

    /// Parameters to begin another run with, as a model with the config of `model` lays them out: those of the same names
    /// and shapes, but of learned positions the first ones.
    ///
    /// # Errors
    /// Where the bytes are no checkpoint of such a model, or its learned positions are fewer.
    pub fn parameters(bytes: &[u8], model: &ModelConfig, parameters: &Parameters) -> Result<Vec<f32>> {
        let theirs = Self::header(bytes)?.config.model;
        if model.position == Position::Learned && theirs.position == model.position && theirs.context < model.context {
            return Err(Error::refused(Problem::new(
                "model.context",
                model.context,
                format!("at most {} with learned positions, as the parameters have", theirs.context),
                "Shorten it: positions that nobody trained say nothing. rope, alibi, sinusoidal and none can go on.",
            )));
        }
        weights(&SafeTensors::deserialize(bytes).map_err(refused)?, parameters, &["pos_emb.weight"])
    }

    /// A checkpoint for `parameters` with state in these arenas.
    ///
    /// # Errors
    /// Where the bytes are no such checkpoint: cut off, of another shape, or with numbers that are not finite.
    pub fn from_bytes<'a>(
        bytes: &[u8],
        parameters: &Parameters,
        arenas: impl IntoIterator<Item = &'a Arena>,
    ) -> Result<Self> {
        let header = Self::header(bytes)?;
        let file = SafeTensors::deserialize(bytes).map_err(refused)?;
        let weights = weights(&file, parameters, &[])?;
        let mut state = vec![];
        for arena in arenas {
            let mut words = vec![0; arena.len];
            for piece in &arena.pieces {
                let words = &mut words[piece.range.clone()];
                read(&file, &name_of(arena, piece), dtype(arena), &piece.shape, words)?;
            }
            state.push((arena.clone(), words));
        }
        Ok(Self { header, weights, state, tokenizer: tokenizer(&file)? })
    }
}

/// The arena of `parameters` from a file's tensors. Where those under the names in `longer` have more rows than the
/// model, it takes the first ones.
fn weights(file: &SafeTensors, parameters: &Parameters, longer: &[&str]) -> Result<Vec<f32>> {
    let mut weights = vec![0; parameters.len];
    for Parameter { name, shape, range, .. } in &parameters.list {
        let words = &mut weights[range.clone()];
        match file.tensor(name) {
            Ok(tensor) if longer.contains(&name.as_str()) && has_rows(tensor.shape(), shape) => {
                let mut all = vec![0; tensor.shape().iter().product()];
                read(file, name, Dtype::F32, tensor.shape(), &mut all)?;
                words.copy_from_slice(&all[..words.len()]);
            }
            _ => read(file, name, Dtype::F32, shape, words)?,
        }
    }
    Ok(weights.into_iter().map(f32::from_bits).collect())
}

/// Whether a matrix has the columns of another, and at least as many rows.
fn has_rows(shape: &[usize], wanted: &[usize]) -> bool {
    matches!((shape, wanted), (&[rows, columns], &[least, of]) if rows >= least && columns == of)
}

fn name_of(arena: &Arena, piece: &Piece) -> String {
    format!("optimizer.{}.{}", arena.name, piece.name)
}

fn dtype(arena: &Arena) -> Dtype {
    if arena.codes { Dtype::U8 } else { Dtype::F32 }
}

fn bytes_of(arena: &Arena, piece: &Piece) -> usize {
    piece.shape.iter().product::<usize>() * if arena.codes { 1 } else { 4 }
}

fn tokenizer(file: &SafeTensors) -> Result<Option<String>> {
    let Ok(tensor) = file.tensor(TOKENIZER) else { return Ok(None) };
    let text = String::from_utf8(tensor.data().to_vec());
    text.map(Some).map_err(|_| refused(format!("`{TOKENIZER}` is no text")))
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

/// Numbers as one tensor.
pub fn numbers<'a>(name: &str, shape: Vec<usize>, data: &'a [f32]) -> Entry<'a> {
    Entry { name: name.to_owned(), dtype: Dtype::F32, shape, data: bytemuck::cast_slice(data) }
}

/// A safetensors file, with our metadata where there is a `header`.
pub fn serialize(entries: Vec<Entry>, header: Option<String>) -> Vec<u8> {
    let metadata = header.map(|header| [(KEY.to_owned(), header)].into_iter().collect());
    let entries = entries.iter().map(|entry| (entry.name.as_str(), entry));
    safetensors::serialize(entries, metadata).expect("names are unique and sizes true")
}

/// Reads a tensor's bytes into 4-byte elements; those that it does not fill stay as they are.
fn read(file: &SafeTensors, name: &str, dtype: Dtype, shape: &[usize], words: &mut [u32]) -> Result<()> {
    let tensor = file.tensor(name).map_err(|_| refused(format!("`{name}` is missing")))?;
    if tensor.dtype() != dtype || tensor.shape() != shape {
        let (is, has) = (tensor.dtype(), tensor.shape());
        return Err(refused(format!("`{name}` is {is:?} {has:?}, not {dtype:?} {shape:?}")));
    }
    bytemuck::cast_slice_mut(words)[..tensor.data().len()].copy_from_slice(tensor.data());
    if dtype == Dtype::F32 && words.iter().any(|&bits| !f32::from_bits(bits).is_finite()) {
        return Err(refused(format!("`{name}` holds numbers that are not finite")));
    }
    Ok(())
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
        let words = |seed| arena(seed).into_iter().map(f32::to_bits).collect::<Vec<u32>>();
        let large = || parameters.list.iter().filter(|parameter| parameter.range.len() > 90);
        let codes = Arena::of("m", true, large());
        // The last of an odd number of codes shares its element with padding.
        let mut bytes = vec![0; codes.len];
        for piece in &codes.pieces {
            bytes[piece.range.clone()].fill(0x0403_0201);
        }
        let mut state = vec![(codes, bytes)];
        state.extend([(Arena::of("v", false, &parameters.list), words(2))]);
        let tokenizer = Some("{\"é\": 1}".to_owned());
        let checkpoint = Checkpoint { header, weights: arena(0), state, tokenizer };
        (parameters, checkpoint)
    }

    fn read_back(bytes: &[u8], parameters: &Parameters, like: &Checkpoint) -> Result<Checkpoint> {
        Checkpoint::from_bytes(bytes, parameters, like.state.iter().map(|(arena, _)| arena))
    }

    #[test]
    fn checkpoints_survive_their_file_bit_for_bit() {
        let (parameters, checkpoint) = example();
        let bytes = checkpoint.to_bytes(&parameters);
        assert_eq!(read_back(&bytes, &parameters, &checkpoint).unwrap(), checkpoint);
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
            let error = read_back(&bytes[..cut], &parameters, &checkpoint).unwrap_err().to_string();
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
            refusals += u32::from(read_back(&bytes, &parameters, &checkpoint).is_err());
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
        let arenas = [Arena::of("h", false, &parameters.list)];
        let error = Checkpoint::from_bytes(&bytes, &parameters, &arenas).unwrap_err().to_string();
        assert!(error.contains("`optimizer.h.tok_emb.weight` is missing"), "{error}");
        let arenas = [Arena::of("v", true, &parameters.list)];
        let error = Checkpoint::from_bytes(&bytes, &parameters, &arenas).unwrap_err().to_string();
        assert!(error.contains("`optimizer.v.tok_emb.weight` is F32 [7, 8], not U8 [7, 8]"), "{error}");

        let mut wider = checkpoint.header.config.clone();
        wider.model.hidden = 16;
        let wider = Parameters::new(&wider.model, 7);
        let error = read_back(&bytes, &wider, &checkpoint).unwrap_err().to_string();
        assert!(error.contains("`blocks.0.mlp.up.weight` is F32 [12, 8], not F32 [16, 8]"), "{error}");

        checkpoint.weights[0] = f32::NAN;
        let bytes = checkpoint.to_bytes(&parameters);
        let error = read_back(&bytes, &parameters, &checkpoint).unwrap_err().to_string();
        assert!(error.contains("`tok_emb.weight` holds numbers that are not finite"), "{error}");
    }
}
