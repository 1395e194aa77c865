//! Adapters against the real thing.

mod git;
mod git_remote;
mod live;
mod local_forge;
mod registry;
mod store;
mod watch;
mod work_tree;
mod workers;
