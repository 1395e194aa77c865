//! Pure: a bundle into the completeness report; one file per family of rules.
