//! Training throughput by sequence length as MosaicML published it: MPT models in llm-foundry
//! (`scripts/train/benchmarking`, Apache-2.0), in two states of their tables.

use serde::Serialize;

/// A line of the tables.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Published {
    /// Date of the table's state.
    pub snapshot: &'static str,
    pub hardware: &'static str,
    /// By its size: `125m`, `30b`.
    pub model: &'static str,
    /// In tokens.
    pub length: u32,
    /// For each GPU.
    pub tokens_per_second: f64,
    /// Model FLOPs utilisation, in percent.
    pub mfu_percent: Option<f64>,
    pub checkpointing: bool,
}

const TABLE: &str = include_str!("../../bench/data/mosaicml-throughput.csv");

/// All lines, in the file's order.
pub fn all() -> Vec<Published> {
    TABLE.lines().skip(1).map(|line| line_of(line).unwrap_or_else(|| panic!("no line of the table: {line}"))).collect()
}

/// The table of July 2023 on A100s with 80 GB, by model and length.
pub fn july_2023() -> Vec<Published> {
    let of_table = |line: &Published| line.snapshot == "2023-07-21" && line.hardware == "A100 80GB";
    let mut lines: Vec<_> = all().into_iter().filter(of_table).collect();
    lines.sort_by_key(|line| (size(line.model), line.length));
    lines
}

fn line_of(line: &'static str) -> Option<Published> {
    let [snapshot, hardware, model, length, rate, mfu, checkpointing] =
        line.split(',').collect::<Vec<_>>().try_into().ok()?;
    Some(Published {
        snapshot,
        hardware,
        model,
        length: length.parse().ok()?,
        tokens_per_second: rate.parse().ok()?,
        mfu_percent: mfu.parse().ok(),
        checkpointing: checkpointing == "True",
    })
}

/// In millions of parameters.
fn size(model: &str) -> u32 {
    let (number, unit) = model.split_at(model.len() - 1);
    number.parse().unwrap_or(0) * if unit == "b" { 1000 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let lines = july_2023();
        assert!(all().len() > lines.len());
        let of = |model: &str, length: u32| {
            let mut rates = lines.iter().filter(|line| line.model == model && line.length == length);
            rates.next().map(|line| line.tokens_per_second)
        };
        assert_eq!(of("125m", 512), Some(165_628.0));
        assert_eq!([of("30b", 2048), of("30b", 4096)], [Some(788.0), Some(778.0)]);
        assert_eq!(lines[0].model, "125m");
    }
}
