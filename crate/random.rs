//! Random numbers that are a pure function of (seed, stream, counter), so that any draw of a run can be
//! made again without replaying the ones before it.
//!
//! The generator is PCG-XSH-RR 64/32 (O'Neill 2014, <https://www.pcg-random.org>), one stream a purpose.

/// What a stream of random numbers is for. Streams with the same seed are independent.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// Initial parameters; one stream a tensor.
    Parameter(u32),
    /// The windows of one training batch; one stream a step.
    Batch(u32),
    /// Generated text; one stream a story.
    Text(u32),
    /// Documents between the stories that practise something; one stream each.
    Practice(u32),
    /// What a model is asked; one stream an item.
    Item(u32),
    /// Anything else, numbered by its user.
    Other(u32),
}

pub struct Random {
    state: u64,
    increment: u64,
}

impl Random {
    pub fn new(seed: u64, stream: Stream) -> Self {
        let (kind, index) = match stream {
            Stream::Parameter(i) => (1u64, i),
            Stream::Batch(i) => (2, i),
            Stream::Text(i) => (3, i),
            Stream::Other(i) => (4, i),
            Stream::Practice(i) => (5, i),
            Stream::Item(i) => (6, i),
        };
        let mut random = Self { state: 0, increment: (kind << 32 | u64::from(index)) << 1 | 1 };
        random.next_u32();
        random.state = random.state.wrapping_add(mix(seed));
        random.next_u32();
        random
    }

    pub fn next_u32(&mut self) -> u32 {
        let old = self.state;
        self.state = old.wrapping_mul(6364136223846793005).wrapping_add(self.increment);
        let xorshifted = (((old >> 18) ^ old) >> 27) as u32;
        xorshifted.rotate_right((old >> 59) as u32)
    }

    /// Uniform in [0, 1), with 24 random bits.
    pub fn uniform(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Uniform in 0..bound, without bias (Lemire 2019, arXiv 1805.10941). `bound` must not be zero.
    pub fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "an empty range has no elements to draw");
        loop {
            let product = u64::from(self.next_u32()) * u64::from(bound);
            if product as u32 >= bound.wrapping_neg() % bound {
                return (product >> 32) as u32;
            }
        }
    }

    /// Standard normal, by the Box-Muller transform.
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * f64::from(1.0 - self.uniform()).ln()).sqrt();
        let angle = std::f64::consts::TAU * f64::from(self.uniform());
        (radius * angle.cos()) as f32
    }

    pub fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u32) as usize]
    }
}

/// The finaliser of SplitMix64: spreads neighbouring seeds far apart.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e3779b97f4a7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
    z ^ (z >> 31)
}
