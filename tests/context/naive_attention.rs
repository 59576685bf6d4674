//! Attention's weights of a model with one layer, from its parameters alone, in f64 and one loop a sum.

use trainlab::config::{ModelConfig, Norm, Position};
use trainlab::parameters::Parameters;

/// P (H, T, T).
pub fn naive_attention(model: &ModelConfig, parameters: &Parameters, weights: &[f32], tokens: &[u32]) -> Vec<f64> {
    let parameter = |name: &str| -> Vec<f64> {
        weights[parameters.get(name).range.clone()].iter().map(|&weight| f64::from(weight)).collect()
    };
    let (width, heads) = (model.width as usize, model.heads as usize);
    let (size, kv_heads) = (width / heads, model.key_value_heads() as usize);
    let embedding = parameter("tok_emb.weight");
    let qkv = parameter("blocks.0.attn.qkv.weight");
    let bias = parameter("blocks.0.attn.qkv.bias");
    let norm = parameter("blocks.0.norm1.weight");

    let mut queries = vec![];
    let mut keys = vec![];
    for (p, &token) in tokens.iter().enumerate() {
        let mut x = embedding[token as usize * width..][..width].to_vec();
        match model.position {
            Position::Learned => {
                let positions = parameter("pos_emb.weight");
                (0..width).for_each(|c| x[c] += positions[p * width + c]);
            }
            Position::Sinusoidal => (0..width).for_each(|c| {
                let angle = p as f64 / 10_000f64.powf((c / 2 * 2) as f64 / width as f64);
                x[c] += 0.02 * if c % 2 == 0 { angle.sin() } else { angle.cos() };
            }),
            _ => (),
        }
        let mean = if model.norm == Norm::RmsNorm { 0.0 } else { x.iter().sum::<f64>() / width as f64 };
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
        let shift = if model.norm == Norm::LayerNorm { parameter("blocks.0.norm1.bias") } else { vec![0.0; width] };
        let x: Vec<f64> = (0..width).map(|c| (x[c] - mean) / (variance + 1e-5).sqrt() * norm[c] + shift[c]).collect();
        let row = |r: usize| bias[r] + (0..width).map(|c| qkv[r * width + c] * x[c]).sum::<f64>();
        let head = |from: usize, gain: &str| {
            let mut head: Vec<f64> = (from..from + size).map(row).collect();
            if model.qk_norm {
                let gain = parameter(&format!("blocks.0.attn.{gain}_norm.weight"));
                let square = head.iter().map(|x| x * x).sum::<f64>() / size as f64;
                (0..size).for_each(|c| head[c] *= gain[c] / (square + 1e-5).sqrt());
            }
            if model.position == Position::Rope {
                for i in 0..size / 2 {
                    let angle =
                        p as f64 / model.rope_interpolation * model.rope_base.powf(-2.0 * i as f64 / size as f64);
                    let (a, b) = (head[i], head[i + size / 2]);
                    head[i] = a * angle.cos() - b * angle.sin();
                    head[i + size / 2] = a * angle.sin() + b * angle.cos();
                }
            }
            head
        };
        queries.push((0..heads).map(|h| head(h * size, "q")).collect::<Vec<_>>());
        keys.push((0..kv_heads).map(|h| head(width + h * size, "k")).collect::<Vec<_>>());
    }

    let count = tokens.len();
    let mut all = vec![0.0; heads * count * count];
    for h in 0..heads {
        // The slopes of two and four heads; of six, those of four and every other one of eight.
        let slopes = match heads {
            2 => vec![0.0625, 0.00390625],
            _ => [2, 4, 6, 8, 1, 3].map(|power| 0.5f64.powi(power)).to_vec(),
        };
        for i in 0..count {
            let score = |j: usize| {
                let product: f64 = (0..size).map(|c| queries[i][h][c] * keys[j][h / (heads / kv_heads)][c]).sum();
                let off = if model.position == Position::Alibi { slopes[h] * (i - j) as f64 } else { 0.0 };
                product / (size as f64).sqrt() - off
            };
            let sum: f64 = (0..=i).map(|j| score(j).exp()).sum();
            (0..=i).for_each(|j| all[(h * count + i) * count + j] = score(j).exp() / sum);
        }
    }
    all
}
