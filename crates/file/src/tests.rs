//! The file registry against its promises.
