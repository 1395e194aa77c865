//! One file per behaviour of a pass: the rules 1 to 12 of the lifecycle, crashes, and a simulation of them all.

mod rule_01_level_triggered;
mod rule_02_pre_published_deploys_and_tests;
mod rule_03_review_needs_evidence;
mod rule_04_frozen_in_review;
mod rule_05_withdrawal;
mod rule_06_rejection;
mod rule_07_merged_record_publishes;
mod rule_08_published_versions_never_change;
mod rule_09_deletions;
mod rule_10_missing_data_never_deletes;
mod rule_11_one_bad_connector;
mod rule_12_state_can_be_lost;

mod crash_between_calls;
mod simulation;
