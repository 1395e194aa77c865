//! The demo: a team's repository in a folder of its own, a daemon that serves it, and a walk through the lifecycle.

pub mod folder;
pub mod quickstart;
pub mod stage_hand;
pub mod walkthrough;
