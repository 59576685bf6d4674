//! A run's time: how long it has trained, and how fast it goes.

use std::collections::VecDeque;

use serde::Serialize;
use web_time::{Duration, Instant};

/// A stretch between two looks at the clock is time that the run did not have (the machine slept, or the page was
/// frozen) where it takes so many times as long as the work that was under way, and a second more. Work on a busy
/// machine stays below that: it counts in full, since being slow is part of a measurement.
const SLACK: u32 = 5;
const GRACE: Duration = Duration::from_secs(1);

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Moment {
    /// Steps so far.
    pub step: u32,
    /// Trained on so far: targets that count.
    pub tokens: u64,
    /// Spent training so far: pauses, validation, samples and time in which the machine slept left out.
    pub seconds: f64,
    pub flops: f64,
}

/// Training time: runs from the first step on, stands still in pauses and while the machine sleeps.
///
/// It is looked at before each step and whenever results are asked for. A stretch that is longer than can be counts for
/// as long as the work under way should have taken: asleep or not, steps that the GPU had been given were done.
#[derive(Default)]
pub struct Clock {
    spent: Duration,
    /// The last look; None while it stands.
    looked: Option<Instant>,
}

impl Clock {
    pub fn after(seconds: f64) -> Self {
        Self { spent: Duration::try_from_secs_f64(seconds).unwrap_or_default(), looked: None }
    }

    /// Begins to count, or goes on.
    pub fn run(&mut self, now: Instant) {
        self.looked.get_or_insert(now);
    }

    /// Counts what has passed since the last look. `work`: what was under way should have taken so long; None as long as
    /// nobody knows.
    pub fn look(&mut self, now: Instant, work: Option<Duration>) {
        if let Some(before) = &mut self.looked {
            self.spent += counted(now.saturating_duration_since(*before), work);
            *before = now;
        }
    }

    /// Stands still from the last look on.
    pub fn stop(&mut self) {
        self.looked = None;
    }

    /// Up to the last look.
    pub fn seconds(&self) -> f64 {
        self.spent.as_secs_f64()
    }
}

fn counted(stretch: Duration, work: Option<Duration>) -> Duration {
    match work {
        Some(work) if stretch > work * SLACK + GRACE => work,
        _ => stretch,
    }
}

/// Tokens per second over the last second, or the last two steps where those took longer.
#[derive(Default)]
pub struct Speed {
    points: VecDeque<(f64, u64)>,
    /// None before the first step.
    pub last: Option<f64>,
}

impl Speed {
    pub fn update(&mut self, seconds: f64, tokens: u64) -> f64 {
        let first = self.points.front().copied().unwrap_or((0.0, 0));
        self.points.push_back((seconds, tokens));
        while self.points.len() > 2 && seconds - self.points[1].0 > 1.0 {
            self.points.pop_front();
        }
        let elapsed = seconds - first.0;
        let speed = if elapsed > 0.0 { (tokens - first.1) as f64 / elapsed } else { 0.0 };
        self.last = Some(speed);
        speed
    }

    /// How long so many tokens should take.
    pub fn time_for(&self, tokens: u64) -> Option<Duration> {
        Duration::try_from_secs_f64(tokens as f64 / self.last?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const STEP: Duration = Duration::from_millis(200);

    /// A clock that has been looked at after each of `steps` steps, and the time then.
    fn trained(steps: u32) -> (Clock, Instant) {
        let (mut clock, mut now) = (Clock::default(), Instant::now());
        clock.run(now);
        for _ in 0..steps {
            now += STEP;
            clock.look(now, Some(STEP));
        }
        (clock, now)
    }

    #[test]
    fn steps_count_and_pauses_do_not() {
        let (mut clock, mut now) = trained(10);
        assert_eq!(clock.seconds(), 2.0);
        clock.stop();
        now += HOUR;
        clock.look(now, None);
        assert_eq!(clock.seconds(), 2.0, "it stands");
        clock.run(now);
        clock.run(now + HOUR);
        clock.look(now + STEP, Some(STEP));
        assert_eq!(clock.seconds(), 2.2, "it runs since the first call");
    }

    #[test]
    fn a_gap_counts_as_the_work_that_was_under_way() {
        for (work, counted) in [(Duration::ZERO, 0.0), (STEP, 0.2), (STEP * 8, 1.6)] {
            let (mut clock, now) = trained(10);
            clock.look(now + HOUR, Some(work));
            assert!((clock.seconds() - 2.0 - counted).abs() < 1e-9, "{work:?} under way");
            clock.look(now + HOUR + STEP, Some(STEP));
            assert!((clock.seconds() - 2.2 - counted).abs() < 1e-9, "it goes on");
        }
    }

    #[test]
    fn slow_steps_count_in_full() {
        // Four times as slow as expected, or a second late: a busy machine.
        for (stretch, work) in [(Duration::from_secs(40), Duration::from_secs(10)), (STEP * 5, Duration::ZERO)] {
            let (mut clock, now) = trained(10);
            clock.look(now + stretch, Some(work));
            assert_eq!(clock.seconds(), 2.0 + stretch.as_secs_f64());
        }
        // A first step has nothing to be compared with.
        let (mut clock, now) = trained(0);
        clock.look(now + HOUR, None);
        assert_eq!(clock.seconds(), 3600.0);
    }

    #[test]
    fn a_clock_that_is_turned_back_never_counts_down() {
        let (mut clock, now) = trained(10);
        clock.look(now - STEP, Some(STEP));
        assert_eq!(clock.seconds(), 2.0);
    }

    #[test]
    fn speed_is_of_the_last_second_and_says_how_long_work_takes() {
        let mut speed = Speed::default();
        assert_eq!(speed.time_for(100), None);
        for step in 1..=10u32 {
            speed.update(f64::from(step), 100 * u64::from(step));
        }
        assert_eq!(speed.last, Some(100.0));
        assert_eq!(speed.time_for(50), Some(Duration::from_millis(500)));
        assert_eq!(Speed { last: Some(0.0), ..Speed::default() }.time_for(100), None, "no speed says nothing");
    }
}
