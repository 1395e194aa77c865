//! One file per behaviour of a pass.
