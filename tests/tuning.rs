//! Tilings that were measured, on either kind of adapter, train as those of the rule do: bit for bit.

use std::rc::Rc;

use trainlab::engine::{Device, DeviceChoice};
use trainlab::gpu::Gpu;
use trainlab::trainer::Trainer;

use crate::common::lab::{SMALL, dataset, train};
use crate::common::tests;

tests![measured_tilings_change_no_bit, known_tilings_are_not_measured_again];

/// A GPU of the test's own, which it may take for hardware.
async fn gpu(software: bool) -> Rc<Gpu> {
    let (device, _) = Device::open(DeviceChoice::Gpu).await.unwrap();
    let Device::Gpu(mut gpu) = device else { panic!("a GPU was asked for") };
    Rc::get_mut(&mut gpu).expect("nobody else has it").software = software;
    gpu.tuning_budget.set(0.0);
    gpu
}

/// Losses and parameters after a few steps.
async fn outcome(gpu: &Rc<Gpu>) -> (Vec<f64>, Vec<f32>) {
    let mut config = SMALL[1].config();
    (config.training.steps, config.evaluation.every) = (3, 0);
    let device = Device::Gpu(Rc::clone(gpu));
    let mut trainer = Trainer::new(&config, Rc::new(dataset()), &device, |_, _| ()).await.unwrap();
    let metrics = train(&mut trainer, 3).await.unwrap();
    (metrics.into_iter().map(|metric| metric.loss).collect(), trainer.weights().await.unwrap())
}

async fn measured_tilings_change_no_bit() {
    for software in [true, false] {
        let gpu = gpu(software).await;
        let by_rule = outcome(&gpu).await;
        assert!(gpu.tilings.borrow().is_empty(), "nothing may be measured without a budget");
        // At least one product is measured, however slow the machine.
        gpu.tuning_budget.set(0.1);
        let measured = outcome(&gpu).await;
        assert!(!gpu.tilings.borrow().is_empty());
        assert_eq!(by_rule, measured, "software: {software}");
        // Never dropped: see `common::gpu`.
        std::mem::forget(gpu);
    }
}

async fn known_tilings_are_not_measured_again() {
    let gpu = gpu(true).await;
    gpu.tuning_budget.set(0.1);
    outcome(&gpu).await;
    let known = gpu.tilings.borrow().clone();
    let text = serde_json::to_string(&known).unwrap();
    *gpu.tilings.borrow_mut() = serde_json::from_str(&text).unwrap();
    assert_eq!(*gpu.tilings.borrow(), known, "what is kept in a file is read back");
    // Taken as they are, however fast another would be.
    gpu.tuning_budget.set(0.0);
    outcome(&gpu).await;
    assert_eq!(*gpu.tilings.borrow(), known);
    std::mem::forget(gpu);
}
