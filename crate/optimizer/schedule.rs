//! The learning rate's schedule.

use crate::config::{Config, ScheduleKind};

/// Linear warm-up to the peak, then the schedule's shape down to `final_fraction` of it at the last step.
pub fn learning_rate(config: &Config, step: u32) -> f64 {
    let (peak, schedule) = (config.optimizer.learning_rate, &config.schedule);
    if step < schedule.warmup_steps {
        return peak * f64::from(step) / f64::from(schedule.warmup_steps);
    }
    let length = f64::from((config.training.steps - schedule.warmup_steps).max(1));
    let done = (f64::from(step - schedule.warmup_steps) / length).min(1.0);
    let remaining = match schedule.kind {
        ScheduleKind::Constant => 1.0,
        ScheduleKind::Linear => 1.0 - done,
        ScheduleKind::Cosine => 0.5 + 0.5 * (std::f64::consts::PI * done).cos(),
    };
    peak * (schedule.final_fraction + (1.0 - schedule.final_fraction) * remaining)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(kind: ScheduleKind, at: u32) -> f64 {
        let mut config = Config::default();
        config.optimizer.learning_rate = 2.0;
        config.schedule.kind = kind;
        config.schedule.warmup_steps = 10;
        config.schedule.final_fraction = 0.1;
        config.training.steps = 110;
        learning_rate(&config, at)
    }

    #[test]
    fn schedules_pass_through_their_points() {
        for kind in [ScheduleKind::Cosine, ScheduleKind::Linear, ScheduleKind::Constant] {
            assert_eq!(rate(kind, 1), 0.2, "{kind:?}");
            assert_eq!(rate(kind, 10), 2.0, "{kind:?}");
        }
        assert!((rate(ScheduleKind::Cosine, 60) - 1.1).abs() < 1e-12);
        assert!((rate(ScheduleKind::Cosine, 35) - (0.2 + 1.8 * (0.5 + 0.125f64.sqrt()))).abs() < 1e-12);
        assert!((rate(ScheduleKind::Linear, 35) - 1.55).abs() < 1e-12);
        assert!((rate(ScheduleKind::Cosine, 110) - 0.2).abs() < 1e-12);
        assert!((rate(ScheduleKind::Linear, 110) - 0.2).abs() < 1e-12);
        assert_eq!(rate(ScheduleKind::Constant, 110), 2.0);
    }
}
