//! One file per command: output and exit code.

mod completions;
mod delete;
mod edit;
mod everywhere;
mod explain;
mod init;
mod new;
mod publish;
mod restore;
mod schema;
mod share;
mod validate;
