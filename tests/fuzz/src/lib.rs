//! Fuzzing of the whole C interface: calls and arguments are chosen by bytes, and a model checks what the library does.
//!
//! | file | content |
//! | --- | --- |
//! | `input` | the bytes from which everything is chosen |
//! | `memory`, `heap`, `machine`, `devices`, `firmware`, `own_table`, `port` | the machine below the library |
//! | `statics` | gives the library's statics their first values |
//! | `calls` | the calls, and the model of what they must do |
//! | `coverage` | which functions of the library were reached |
//! | `bin/fuzz.rs`, `bin/replay.rs` | libFuzzer's target; a program that runs inputs once more |

pub mod calls;
pub mod coverage;
pub mod devices;
pub mod firmware;
pub mod heap;
pub mod input;
pub mod machine;
pub mod memory;
pub mod own_table;
pub mod port;
pub mod statics;

/// Calls the library as the bytes state, from a machine that was switched on just now.
///
/// # Panics
/// If the library does something wrong.
pub fn run(bytes: &[u8]) {
    input::set(bytes);
    statics::reset();
    machine::reset();
    heap::free_all();
    own_table::reset();
    // Chooses the memory, the firmware and the devices by the bytes, so it also resets them.
    calls::begin();
    while !input::is_empty() {
        calls::step();
    }
    calls::finish();
    machine::assert_no_lock();
}
