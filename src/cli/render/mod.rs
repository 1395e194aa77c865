//! Results as people read them: pure functions from data to styled text.

pub mod columns;
pub mod connectors;
pub mod coverage;
pub mod difference;
pub mod evidence;
pub mod facts;
pub mod paint;
pub mod plan;
pub mod problems;
pub mod reasons;
pub mod report;
pub mod trace;
