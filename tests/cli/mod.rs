//! One file per command: output and exit code.

mod apply;
mod completions;
mod contract;
mod delete;
mod demo;
mod edit;
mod environments;
mod everywhere;
mod explain;
mod faults;
mod flow;
mod init;
mod lifecycle;
mod list;
mod new;
mod plan;
mod publish;
mod rebuild;
mod restore;
mod review;
mod schema;
mod share;
mod state;
mod test;
mod validate;
mod watch;
