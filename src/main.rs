//! Parses arguments, runs, exits with the right code.

fn main() {}
