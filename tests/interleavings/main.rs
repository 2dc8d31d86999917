//! Many interleavings of calls on several cores, over the library's own code: shuttle chooses at every access of an
//! atomic, and at every lock, which core goes on.
//!
//! `ci/interleavings` runs it. A failure prints a schedule; `RT_DMA_SCHEDULE=... ci/interleavings NAME` runs it again.
//! `RT_DMA_SCHEDULES` is the number of schedules of each scenario.

mod block_pools;
mod devices;
mod kernel;
mod lending;
mod pools;

use std::sync::Arc;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, Runner};

/// Runs a scenario under many schedules, half of them random, half with few preemptions, and prints how many.
fn explore(name: &str, scenario: impl Fn() + Send + Sync + 'static) {
    if let Ok(schedule) = std::env::var("RT_DMA_SCHEDULE") {
        return run(ReplayScheduler::new_from_encoded(&schedule), scenario);
    }
    let schedules: usize = std::env::var("RT_DMA_SCHEDULES").map_or(10_000, |number| number.parse().unwrap());
    let scenario = Arc::new(scenario);
    let again = scenario.clone();
    run(RandomScheduler::new(schedules / 2), move || again());
    run(PctScheduler::new(3, schedules - schedules / 2), move || scenario());
    println!("interleavings: {name}: {schedules}");
}

/// Runs a scenario under the schedules of `scheduler`. On shuttle's own stacks of 60 KiB a scenario could not make the
/// records of streaming maps, whose atomics are larger under shuttle.
fn run(scheduler: impl Scheduler + 'static, scenario: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    config.stack_size = 128 << 10;
    Runner::new(scheduler, config).run(scenario);
}

/// What a core does.
type Call = Box<dyn FnOnce() + Send>;

/// Runs calls on cores of their own, at the same time, and waits for all.
fn at_once(calls: impl IntoIterator<Item = Call>) {
    let cores: Vec<_> = calls.into_iter().map(shuttle::thread::spawn).collect();
    cores.into_iter().for_each(|core| core.join().unwrap());
}

/// Makes a call for [`at_once`].
fn call(call: impl FnOnce() + Send + 'static) -> Call {
    Box::new(call)
}

/// Returns a value that is never freed.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
