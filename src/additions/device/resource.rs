//! The data of managed resources. The operations are in [`managed`](super::managed).

use crate::kernel::Device;

/// The kind of a resource. The first argument of each is its key. Two resources of a kind may have the same key in two
/// cases: one buffer is mapped more than once, or the physical address of an unmapped buffer is the address of a mapped
/// one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResourceKind {
    /// A buffer: address, size, handle, flags.
    Buffer,
    /// A streaming map: handle, size, direction.
    Mapping,
    /// A block pool: its address.
    BlockPool,
}

/// The state of a resource in its device's list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ResourceState {
    /// The release of the device gives it back. Only in this state its key is counted in
    /// [`KeyCounts`](super::key_counts::KeyCounts).
    Managed,
    /// A plain call is giving it back.
    Claimed,
    /// A plain call gave it back. Only its place in the list is left.
    GivenBack,
}

/// The arguments that the release of a resource needs. Their meaning depends on its [`ResourceKind`].
pub type Arguments = [usize; 4];

/// Returns the key of a resource with these arguments.
pub(super) fn key_of(arguments: &Arguments) -> usize {
    let [key, ..] = *arguments;
    key
}

/// Releases a resource of the device. A thread calls it, once, with no lock held.
///
/// # Safety
/// The device exists. The arguments are those with which the resource was
/// [managed](super::managed::Reservation::manage). The resource has not been released, and the driver does not use it
/// any more.
pub type ReleaseFunction = unsafe fn(Device, Arguments);

/// A resource in its device's list.
pub(crate) struct Resource {
    pub(super) kind: ResourceKind,
    pub(super) state: ResourceState,
    pub(super) release: ReleaseFunction,
    pub(super) arguments: Arguments,
}

impl Resource {
    /// The content of a reserved place, which [`Reservation::manage`](super::managed::Reservation::manage) replaces
    /// before it adds the resource to the list.
    pub(super) const PLACEHOLDER: Resource =
        Resource { kind: ResourceKind::Buffer, state: ResourceState::Managed, release: |_, _| {}, arguments: [0; 4] };
}
