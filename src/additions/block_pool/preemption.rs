//! Where the unit tests interrupt the calls.

/// A point at which other cores and interrupts may change what a call reads. The unit tests run code there; elsewhere
/// it does nothing.
pub fn preemption_point() {
    #[cfg(test)]
    super::tests::preemption::preemption_point();
}
