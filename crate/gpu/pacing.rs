//! How much a submit holds and how much is asked for ahead, by measured speed: a desktop that shares the GPU stands
//! still while a submit is computed, a watchdog ends one that takes seconds, and Stop waits for what was asked for.
//!
//! Work is counted in units of about one floating-point operation; only their ratio to each other must be right, for
//! what a unit takes is measured. The order of the ops is not touched, so results do not depend on any of this.

use crate::tape::Op;

/// Seconds that a submit is expected to take at most.
const LONGEST_SUBMIT: f64 = 0.1;

/// Seconds of work under way from which on no other step is asked for.
const ENOUGH_AHEAD: f64 = 0.2;

/// Before anything is measured, in seconds: what a software adapter takes.
const UNIT_AT_FIRST: f64 = 1e-9;

/// How much of what was measured before counts beside a new measurement.
const MEMORY: f64 = 0.8;

/// The units of an op: its operations, its bytes, its start.
pub fn units(op: &Op) -> u64 {
    let elements: usize = op.tensors.iter().map(|tensor| tensor.len).sum();
    op.kernel.flops() + 32 * elements as u64 + 100_000
}

/// Times are seconds on any clock that runs forward.
pub struct Pacing {
    /// Units asked for so far, and of them those known to be done.
    asked: u64,
    done: u64,
    /// When the GPU began with what is not known to be done.
    since: f64,
    /// Units and the seconds they took, the old ones fading.
    units: f64,
    seconds: f64,
    pub longest_submit: f64,
}

impl Pacing {
    pub fn new() -> Self {
        let units = 1e6;
        let seconds = units * UNIT_AT_FIRST;
        Self { asked: 0, done: 0, since: 0.0, units, seconds, longest_submit: LONGEST_SUBMIT }
    }

    /// Seconds that a unit takes.
    fn unit(&self) -> f64 {
        self.seconds / self.units
    }

    /// How many of the next ops make up a submit; one at least, however long it takes.
    pub fn next_submit(&self, ops: impl Iterator<Item = u64>) -> usize {
        let most = self.longest_submit / self.unit();
        let mut sum = 0;
        let fitting = ops.take_while(|units| {
            sum += units;
            sum as f64 <= most
        });
        fitting.count().max(1)
    }

    /// Work was submitted. Returns its mark, by which `finished` knows it.
    pub fn submitted(&mut self, units: u64, now: f64) -> u64 {
        if self.asked == self.done {
            self.since = now;
        }
        self.asked += units;
        self.asked
    }

    /// The work up to a mark is done.
    pub fn finished(&mut self, mark: u64, now: f64) {
        if mark <= self.done {
            return;
        }
        // Whoever looks late sees a slow GPU, but not one that is slower than all that was under way can explain.
        let explained = 4.0 * self.unit() * (self.asked - self.done) as f64;
        let seconds = (now - self.since).clamp(0.0, explained);
        // Several that are found done together are counted together: the first takes the time, all give their units.
        self.units = MEMORY * self.units + (mark - self.done) as f64;
        self.seconds = MEMORY * self.seconds + seconds;
        (self.done, self.since) = (mark, now);
    }

    /// All that was asked for is done.
    pub fn all_finished(&mut self, now: f64) {
        self.finished(self.asked, now);
    }

    /// Whether more may be asked for.
    pub fn has_room(&self) -> bool {
        self.asked == self.done || (self.asked - self.done) as f64 * self.unit() < ENOUGH_AHEAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: [u64; 10] = [1_000_000; 10];

    /// Plays steps on a GPU that takes `unit` seconds a unit, up to `ahead` at a time; returns the submits of the last.
    fn play(pacing: &mut Pacing, clock: &mut f64, unit: f64, steps: usize, ahead: usize) -> usize {
        let mut submits = 0;
        for _ in 0..steps {
            let mut marks = vec![];
            while marks.is_empty() || (marks.len() < ahead && pacing.has_room()) {
                let mut rest = &STEP[..];
                submits = 0;
                let mut mark = 0;
                while !rest.is_empty() {
                    let (these, later) = rest.split_at(pacing.next_submit(rest.iter().copied()));
                    mark = pacing.submitted(these.iter().sum(), *clock);
                    (rest, submits) = (later, submits + 1);
                }
                marks.push(mark);
            }
            // As natively: one looks only when all of them are done.
            *clock += unit * (marks.len() as u64 * STEP.iter().sum::<u64>()) as f64;
            marks.into_iter().for_each(|mark| pacing.finished(mark, *clock));
        }
        submits
    }

    #[test]
    fn submits_follow_the_speed() {
        for ahead in [1, 8] {
            let (mut pacing, mut clock) = (Pacing::new(), 0.0);
            assert_eq!(play(&mut pacing, &mut clock, 1e-9, 20, ahead), 1, "10 ms a step");
            assert_eq!(play(&mut pacing, &mut clock, 4e-8, 40, ahead), 5, "40 ms an op, and 2 to a submit");
            assert!(!{
                pacing.submitted(STEP.iter().sum(), clock);
                pacing.has_room()
            });
            pacing.all_finished(clock + 0.5);
            assert_eq!(play(&mut pacing, &mut clock, 2.4e-8, 40, ahead), 3, "24 ms an op, and 4 to a submit");
            assert_eq!(play(&mut pacing, &mut clock, 1e-6, 40, ahead), 10, "an op is never split");
            assert_eq!(play(&mut pacing, &mut clock, 1e-11, 60, ahead), 1, "0.1 ms a step");
        }
    }

    #[test]
    fn a_late_look_is_forgotten_soon() {
        let (mut pacing, mut clock) = (Pacing::new(), 0.0);
        play(&mut pacing, &mut clock, 1e-9, 20, 1);
        let mark = pacing.submitted(STEP.iter().sum(), clock);
        clock += 60.0;
        pacing.finished(mark, clock);
        assert_eq!(play(&mut pacing, &mut clock, 1e-9, 3, 1), 1);
    }

    #[test]
    fn there_is_always_room_for_something() {
        let (mut pacing, mut clock) = (Pacing::new(), 0.0);
        play(&mut pacing, &mut clock, 1e-3, 60, 8);
        assert!(pacing.has_room());
        let mark = pacing.submitted(1, clock);
        pacing.submitted(u64::MAX / 2, clock);
        assert!(!pacing.has_room());
        pacing.finished(mark, clock);
        assert!(!pacing.has_room());
        pacing.all_finished(clock);
        assert!(pacing.has_room());
    }
}
