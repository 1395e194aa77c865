//! What flows that run live may rely on in the network.

use std::path::PathBuf;

/// The flags of the network that flows reach live, each also a `SWITCHBOARD_*` variable.
#[derive(Debug, Clone, clap::Args)]
pub struct NetworkFlags {
    /// Trust the authorities whose certificates are in this file (PEM) beside those that this machine trusts
    #[arg(long, env = "SWITCHBOARD_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}
