//! The file registry against its promises, on disks that forget, fail and fill up.

mod crash;
mod disk;
mod format;
mod script;
