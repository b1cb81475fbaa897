//! What must be refused: forged, changed, badly spelled and misused tokens.

mod differential;
mod forge;
mod mutations;
mod vectors;
