//! From a bundle's files to what they declare. Pure, so that it can run on any thread.

use crate::check;
use crate::manifest::{Bundle, code};
use crate::model::{BundleFiles, ConnectorName, Person, Place, Problem, TreeId};
use crate::planning::Declaration;

/// Raised when reading or checking changes its meaning: cached declarations of another level are read again.
pub(super) const READER_LEVEL: u32 = 4;

/// Reads one connector's folder. Fails with every problem that keeps it from being understood; what the check report
/// finds in a folder that can be understood is part of the declaration.
pub fn declare(folder: &str, tree: &TreeId, files: &BundleFiles) -> Result<Declaration, Vec<Problem>> {
    let manifest_path = format!("connectors/{folder}/connector.yaml");
    let name: ConnectorName = folder.parse().map_err(|error| {
        vec![Problem::error(code::FOLDER_NAME, Place::file(&manifest_path), format!("the folder's name is refused: {error}"))]
    })?;
    let bundle = Bundle::read(folder, files)?;
    let report = check::report(&bundle);
    let manifest = bundle.manifest;
    Ok(Declaration {
        name,
        tree: tree.clone(),
        digest: bundle.digest,
        title: manifest.title,
        kind: manifest.kind,
        version: manifest.version,
        status: manifest.status,
        owner: Person::new(manifest.owner),
        shared_with: manifest.shared_with.iter().map(Person::new).collect(),
        report,
    })
}
