//! A run's time: how long it has trained, and how fast it goes.

use std::collections::VecDeque;

use web_time::{Duration, Instant};

/// Training time: runs from the first step on, stands still in pauses.
#[derive(Default)]
pub struct Clock {
    before: Duration,
    since: Option<Instant>,
}

impl Clock {
    pub fn after(seconds: f64) -> Self {
        Self { before: Duration::try_from_secs_f64(seconds).unwrap_or_default(), since: None }
    }

    pub fn run(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    pub fn stop(&mut self) {
        if let Some(since) = self.since.take() {
            self.before += since.elapsed();
        }
    }

    pub fn seconds(&self) -> f64 {
        (self.before + self.since.map_or(Duration::ZERO, |since| since.elapsed())).as_secs_f64()
    }
}

/// Tokens per second over the last second, or the last two steps where those took longer.
#[derive(Default)]
pub struct Speed {
    points: VecDeque<(f64, u64)>,
}

impl Speed {
    pub fn update(&mut self, seconds: f64, tokens: u64) -> f64 {
        let first = self.points.front().copied().unwrap_or((0.0, 0));
        self.points.push_back((seconds, tokens));
        while self.points.len() > 2 && seconds - self.points[1].0 > 1.0 {
            self.points.pop_front();
        }
        let elapsed = seconds - first.0;
        if elapsed > 0.0 { (tokens - first.1) as f64 / elapsed } else { 0.0 }
    }
}
