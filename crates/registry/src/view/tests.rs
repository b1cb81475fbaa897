//! The view against its rules.
