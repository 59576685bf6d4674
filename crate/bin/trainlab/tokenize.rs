//! `trainlab tokenize`: how a text is split, and what that makes of the vocabulary.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::json;
use trainlab::data::{Encoded, Tokenizer, check_text};
use trainlab::error::{Error, Problem, Result};

use crate::files;
use crate::input::{self, RunArgs};

#[derive(clap::Args)]
pub struct TokenizeArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Split this text file instead of the text that the tokenizer is learned from.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Write a subword tokenizer to this file: a tokenizer.json of Hugging Face's format.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Print JSON Lines: a summary, then each token of the text.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Summary {
    tokenizer: String,
    vocabulary: usize,
    bytes: usize,
    tokens: usize,
    bytes_per_token: f64,
    tokens_per_byte: f64,
    /// Tokens of the vocabulary that occur in the text, and their share.
    used: usize,
    used_share: f64,
    /// Whether every text comes back from its tokens byte for byte.
    byte_complete: bool,
}

/// Shown without `--json`.
const FIRST: usize = 100;

pub fn tokenize(args: &TokenizeArgs) -> Result<()> {
    let config = args.run.config()?;
    let file = args.run.files.tokenizer()?;
    let text = args.run.files.text(&config)?;
    let tokenizer = input::tokenizer(&config, &text, file)?;
    if let Some(path) = &args.save {
        let Tokenizer::Subword(subword) = &tokenizer else {
            let kind = config.tokenizer.kind.name();
            let advice = "Characters and bytes need no file.";
            return Err(Error::refused(Problem::new("--save", kind, "a subword tokenizer", advice)));
        };
        files::replace(path, subword.json().as_bytes())?;
    }
    let text = match &args.input {
        Some(path) => read(path)?,
        None => text,
    };
    let Encoded { tokens, covered } = tokenizer.encode_covering(&text)?;
    let mut counts = vec![0u64; tokenizer.vocabulary_size()];
    tokens.iter().for_each(|&id| counts[id as usize] += 1);
    let used = counts.iter().filter(|&&count| count > 0).count();
    let summary = Summary {
        tokenizer: match &tokenizer {
            Tokenizer::Subword(subword) => subword.name(),
            _ => config.tokenizer.kind.name(),
        },
        vocabulary: counts.len(),
        bytes: text.len(),
        tokens: tokens.len(),
        bytes_per_token: text.len() as f64 / tokens.len().max(1) as f64,
        tokens_per_byte: tokens.len() as f64 / text.len().max(1) as f64,
        used,
        used_share: used as f64 / counts.len() as f64,
        byte_complete: match &tokenizer {
            Tokenizer::Subword(subword) => subword.byte_complete(),
            _ => tokenizer.decode(&tokens) == text,
        },
    };
    if args.json {
        println!("{}", json!(summary));
        for (i, &token) in tokens.iter().enumerate() {
            let bytes = covered.as_ref().map_or_else(|| tokenizer.token_bytes(token), |covered| covered[i]);
            println!("{}", json!({"token": token, "label": tokenizer.token_text(token), "bytes": bytes}));
        }
        return Ok(());
    }
    let labels: Vec<String> = tokens.iter().take(FIRST).map(|&id| tokenizer.token_text(id)).collect();
    let more = if tokens.len() > FIRST { format!(" … {} more", tokens.len() - FIRST) } else { String::new() };
    println!("{}{more}\n", labels.join(" "));
    println!("{}: {} bytes are {} tokens", summary.tokenizer, summary.bytes, summary.tokens);
    println!("{:.3} bytes a token, {:.3} tokens a byte", summary.bytes_per_token, summary.tokens_per_byte);
    println!("{used} of {} tokens occur, {:.1} %", summary.vocabulary, 100.0 * summary.used_share);
    if !summary.byte_complete {
        println!("not every text comes back from it byte for byte");
    }
    Ok(())
}

/// A text to be looked at may be short.
fn read(path: &std::path::Path) -> Result<String> {
    let bytes = files::read(path)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => check_text(error.as_bytes()).map(str::to_owned),
    }
}
