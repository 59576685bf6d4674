//! Text and what becomes of it on the way to the model:
//!
//! corpus (which text, and is it usable) → tokenizer (text to numbers) → dataset (training part and held-out
//! part) → batches (what one step reads).
//!
//! - [`tinytales`] writes the default corpus: children's stories whose ground truth is known
//! - [`practice`] writes exercises that may stand between the stories
//! - [`corpus`] names the texts to choose from and refuses what cannot be trained on
//! - [`tokenizer`] holds the tokenizers, one file each
//! - [`dataset`] splits a text, tokenises it and knows the bytes behind every token
//! - [`documents`] says where one document ends and the next begins, [`lengths`] how long they are
//! - [`vocabulary`] counts what a text uses of a vocabulary, and shows how texts are split
//! - [`by_position`] tells a loss by how much of its window a token has before it
//! - [`batches`] draws the rows of a step, [`packing`] lays them out, [`usage`] counts what was read
//!
//! Nothing here knows the GPU, the model or JavaScript.

pub mod batches;
pub mod by_position;
pub mod corpus;
pub mod dataset;
pub mod documents;
pub mod lengths;
pub mod packing;
pub mod practice;
mod task;
pub mod tinytales;
pub mod tokenizer;
pub mod usage;
pub mod vocabulary;

pub use batches::Batches;
pub use by_position::{ByPosition, Tally};
pub use corpus::{Corpus, TEXT_MAX_BYTES, TEXT_MIN_BYTES, check_text};
pub use dataset::{Dataset, Entropy, Origin, Window, bits_per_byte, split, standard_error};
pub use documents::Documents;
pub use packing::{Packing, Part, Rows};
pub use practice::Practice;
pub use task::Task;
pub use tinytales::{DOCUMENT_END, STORY_LIMIT, tiny_tales, tiny_tales_with};
pub use tokenizer::{Decoder, Encoded, Subword, Tokenizer, TokenizerKind};
pub use usage::Usage;
