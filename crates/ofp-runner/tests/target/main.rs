//! A DP that is not ours: its file, the preflight, and scenarios against it. The reference DP plays the stranger, all by
//! itself, configured as a bank's would be.

mod doctor;
mod kit;
mod play;
