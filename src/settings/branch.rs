//! Which branch of a repository on this machine is tracked where nobody has said so.

use super::SiteLocation;

/// `main` where there is one, else what HEAD names.
pub(super) fn usual(location: &SiteLocation) -> Option<String> {
    main(location).or_else(|| {
        let repository = local_repository(location)?;
        let head = repository.find_reference("HEAD").ok()?;
        Some(head.symbolic_target().ok().flatten()?.strip_prefix("refs/heads/")?.to_owned())
    })
}

/// `main`, where there is one.
pub(super) fn main(location: &SiteLocation) -> Option<String> {
    local_repository(location)?.find_reference("refs/heads/main").is_ok().then(|| "main".to_owned())
}

/// Whether a branch is known not to be there; of a remote nothing is known here.
pub(super) fn is_gone(location: &SiteLocation, branch: &str) -> bool {
    let found = local_repository(location).map(|repository| repository.find_reference(&format!("refs/heads/{branch}")).map(|_| ()));
    matches!(found, Some(Err(error)) if error.code() == git2::ErrorCode::NotFound)
}

fn local_repository(location: &SiteLocation) -> Option<git2::Repository> {
    match location {
        SiteLocation::Local { git, .. } => git2::Repository::open(git).ok(),
        SiteLocation::Remote { .. } => None,
    }
}
