//! Text token by token with cached keys and values, against forward passes over the whole context.

use trainlab::config::{Config, TokenizerKind};
use trainlab::data::Dataset;
use trainlab::engine::{Device, Engine, ProgramId};
use trainlab::kernels::Step;
use trainlab::plan::Plan;
use trainlab::sampler::Sample;
use trainlab::trainer::Trainer;

use crate::common::lab::{SMALL, Small, attention_variants, dataset, train};
use crate::common::{assert_close, gpu, tests};

tests![
    cached_logits_are_those_of_a_whole_pass,
    likeliest_tokens_are_those_of_whole_passes,
    pieces_join_to_the_text,
    a_text_comes_in_parts,
];

/// Both ways to the logits of a text, on one device.
struct Ways {
    plan: Plan,
    engine: Engine,
    whole: ProgramId,
    decode: ProgramId,
}

impl Ways {
    async fn new(config: &Config, vocabulary: usize, device: &Device, weights: &[f32]) -> Self {
        let plan = Plan::new(config, vocabulary, &Device::Cpu).expect("the plan fits");
        let mut engine = Engine::new(device, &plan.buffers, 1).expect("the buffers fit");
        let mut programs = vec![];
        for recording in [&plan.validate.recording, &plan.decode.recording] {
            programs.push(engine.add(recording, &mut |_, _| {}).await.unwrap_or_else(|error| panic!("{error}")));
        }
        engine.write(plan.weights, weights);
        Self { plan, engine, whole: programs[0], decode: programs[1] }
    }

    /// Logits (T, V) of the first row of a batch that begins with these tokens.
    async fn whole(&mut self, tokens: &[u32]) -> Vec<f64> {
        let pass = &self.plan.validate;
        let mut batch = tokens.to_vec();
        batch.resize(pass.shape.tokens_len(), 0);
        self.engine.write_ids(pass.batch.tokens, &batch);
        let ops = &pass.recording.ops;
        self.engine.run(self.whole, 0..ops.len(), &Step::default(), None).expect("a forward pass");
        let head = ops.iter().find(|op| op.label == "head").expect("a head");
        let logits = self.engine.read(head.tensors[2]).await.expect("logits");
        logits[..pass.shape.context * pass.shape.vocabulary].iter().map(|&logit| logit.into()).collect()
    }

    /// Reads these tokens into the caches; the logits (V) after each.
    async fn decoded(&mut self, tokens: &[u32]) -> Vec<f64> {
        let decode = &self.plan.decode;
        let ops = &decode.recording.ops;
        assert_eq!(ops[decode.reading].label, "head");
        let logits = ops[decode.reading].tensors[2];
        self.engine.write_ids(decode.tokens, tokens);
        let mut all = vec![];
        for position in 0..tokens.len() {
            let step = Step { position: position as u32, ..Step::default() };
            self.engine.run(self.decode, 0..decode.reading + 1, &step, None).expect("one token's pass");
            all.extend(self.engine.read(logits).await.expect("logits").into_iter().map(f64::from));
        }
        all
    }
}

async fn cached_logits_are_those_of_a_whole_pass() {
    let dataset = dataset();
    let vocabulary = dataset.tokenizer.vocabulary_size();
    for config in SMALL.iter().map(Small::config).chain(attention_variants()) {
        let context = config.model.context as usize;
        let weights = Plan::new(&config, vocabulary, &Device::Cpu).expect("the plan fits").parameters.initial(&config);
        // Larger than a run begins with, so that attention has something to choose from.
        let weights: Vec<f32> = weights.into_iter().map(|weight| weight * 4.0).collect();
        for device in [&Device::Cpu, gpu().await] {
            let mut ways = Ways::new(&config, vocabulary, device, &weights).await;
            // The second text finds the first one's keys and values in the caches.
            for text in [&dataset.train[..context], &dataset.train[17..17 + context]] {
                let expected = ways.whole(text).await;
                let largest = expected.iter().fold(0.0, |largest: f64, logit| largest.max(logit.abs()));
                let what = format!("logits by {} of {:?}", device.name(), config.model);
                assert_close(&what, &ways.decoded(text).await, &expected, [0.0, 1e-5 * largest]);
            }
        }
    }
}

/// Beyond the context too, where the text goes on from the second half of what came before.
async fn likeliest_tokens_are_those_of_whole_passes() {
    let mut config = SMALL[0].config();
    let (context, dataset) = (config.model.context as usize, dataset());
    let vocabulary = dataset.tokenizer.vocabulary_size();
    config.evaluation.temperature = 0.0;
    config.evaluation.sample_tokens = 3 * config.model.context;
    for prompt in ["t", "the cat sat on the mat. the dog sat on what?"] {
        config.evaluation.prompt = prompt.to_owned();
        for device in [&Device::Cpu, gpu().await] {
            let mut trainer = trainer(&config, crate::common::lab::dataset(), device).await;
            train(&mut trainer, 20).await.expect("twenty steps");
            let weights = trainer.weights().await.expect("weights can be read");
            let actual = trainer.sample(&config.evaluation).await.expect("a sample");

            let mut ways = Ways::new(&config, vocabulary, device, &weights).await;
            let mut tokens = dataset.tokenizer.encode(prompt).unwrap();
            let keep_half =
                |tokens: &mut Vec<u32>| drop(tokens.drain(..tokens.len().saturating_sub(context.div_ceil(2))));
            keep_half(&mut tokens);
            let mut expected = vec![];
            for _ in 0..3 * context {
                if tokens.len() > context {
                    keep_half(&mut tokens);
                }
                let logits = ways.whole(&tokens).await;
                let row = &logits[(tokens.len() - 1) * vocabulary..][..vocabulary];
                let best = (0..vocabulary).max_by(|&a, &b| row[a].total_cmp(&row[b])).expect("a vocabulary");
                tokens.push(best as u32);
                expected.push(best as u32);
            }
            let actual: Vec<u32> = actual.pieces.iter().map(|piece| piece.token).collect();
            assert_eq!(actual, expected, "{prompt:?} on {}", device.name());
        }
    }
}

async fn trainer(config: &Config, dataset: Dataset, device: &Device) -> Trainer {
    Trainer::new(config, dataset.into(), device, |_, _| {}).await.unwrap_or_else(|error| panic!("{error}"))
}

/// Letters of one to four bytes from a model that has learnt nothing: most of what it writes is no UTF-8.
async fn pieces_join_to_the_text() {
    let mut config = SMALL[0].config();
    config.tokenizer.kind = TokenizerKind::Bytes;
    config.evaluation.prompt = "né 🙂".to_owned();
    config.evaluation.sample_tokens = 100;
    (config.evaluation.temperature, config.evaluation.top_p) = (2.0, 0.9);
    let text = "né 🙂 从前有一只猫。".repeat(50);
    for device in [&Device::Cpu, gpu().await] {
        let dataset = Dataset::new(&text, TokenizerKind::Bytes, 0.4).expect("a good text");
        let mut trainer = trainer(&config, dataset, device).await;
        let (mut texts, mut cut) = (vec![], 0);
        for (seed, length) in [(1, 100), (2, 100), (3, 100), (3, 99), (3, 98), (3, 97), (3, 96), (3, 95)] {
            (config.evaluation.sample_seed, config.evaluation.sample_tokens) = (seed, length);
            let sample = trainer.sample(&config.evaluation).await.expect("a sample");
            check_pieces(&sample);
            let tokens: Vec<u32> = sample.pieces.iter().map(|piece| piece.token).collect();
            assert_eq!(tokens.len(), length as usize);
            assert_eq!(sample.text(), trainer.dataset.tokenizer.decode(&tokens));
            let bytes: Vec<u8> = tokens.into_iter().map(|token| token as u8).collect();
            cut += bytes.utf8_chunks().last().map_or(0, |chunk| chunk.invalid().len());
            texts.push(sample.text());
        }
        assert!(texts[0] != texts[1] && texts[1] != texts[2], "the seed changes nothing");
        assert!(cut > 0, "a text that ends within a character is wanted");
    }
}

fn check_pieces(sample: &Sample) {
    for piece in &sample.pieces {
        let probabilities: Vec<f32> = piece.alternatives.iter().map(|other| other.probability).collect();
        assert_eq!(probabilities.len(), 5);
        assert!(probabilities.is_sorted_by(|a, b| a >= b), "{probabilities:?}");
        assert!(probabilities.iter().sum::<f32>() <= 1.0 + 1e-5, "{probabilities:?}");
        match piece.alternatives.iter().find(|other| other.token == piece.token) {
            Some(own) => assert_eq!((own.probability, &own.label), (piece.probability, &piece.label)),
            None => assert!(piece.probability <= probabilities[4]),
        }
    }
}

async fn a_text_comes_in_parts() {
    let mut config = SMALL[1].config();
    // Five contexts, a prompt that is longer than half of one.
    (config.evaluation.prompt, config.evaluation.sample_tokens) = ("the cat sat".to_owned(), 40);
    for device in [&Device::Cpu, gpu().await] {
        let mut trainer = trainer(&config, dataset(), device).await;
        let whole = trainer.sample(&config.evaluation).await.expect("a sample").text();
        assert_eq!(trainer.begin_sample(&config.evaluation, None).unwrap().prompt, "the cat sat");
        let (mut text, mut parts) = (String::new(), 0);
        loop {
            // No time at all: a token or nothing, where it only reads.
            let written = trainer.write_on(0.0).await.expect("a part");
            assert!(written.pieces.len() <= 1);
            text.extend(written.pieces.into_iter().map(|piece| piece.text));
            parts += 1;
            if written.done {
                break;
            }
        }
        assert_eq!(text, whole);
        assert!(parts > 40, "{parts} parts");
        assert!(trainer.write_on(0.0).await.expect("nothing").done, "nothing is left to write");
    }
}
