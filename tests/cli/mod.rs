//! One file per command: output and exit code.
