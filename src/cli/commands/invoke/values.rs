//! Which values the connection has, and which policy: those of an environment, of a file, or none but the defaults.

use std::collections::BTreeSet;
use std::path::Path;

use git2::{ErrorCode, Repository};
use serde_json::{Map, Value};

use crate::assemble::{GivenValues, Reach, SecretFiles, connection_values};
use crate::check::{self, OpenSecrets};
use crate::cli::failure::Failure;
use crate::cli::render::plan::listed;
use crate::cli::source::Source;
use crate::cli::{Door, given};
use crate::harness::live::Addresses;
use crate::manifest::{CONFIG, Config, ConnectionValues, Environment, LARGEST_FILE, Manifest, Ordered, Property, Validation, nearest};
use crate::settings::SecretFlags;
use crate::store::ConnectionName;

/// What the flags say of the connection.
pub(in crate::cli::commands) struct ConnectionChoice<'a> {
    /// The environment whose values it has.
    pub(in crate::cli::commands) environment: Option<&'a str>,
    /// The file that holds them.
    pub(in crate::cli::commands) file: Option<&'a Path>,
    /// What may be looked up for it.
    pub(in crate::cli::commands) secrets: &'a SecretFlags,
    /// Whether private addresses may be reached, whatever the environment says.
    pub(in crate::cli::commands) allow_private: bool,
}

/// What a run has of its connection.
pub(in crate::cli::commands) struct ChosenConnection {
    /// Tells this connection from others.
    pub(super) name: String,
    /// The same for what is kept of it.
    pub(super) connection: ConnectionName,
    /// The values, with defaults.
    pub(in crate::cli::commands) values: Map<String, Value>,
    /// Those of them that were looked up.
    pub(in crate::cli::commands) referenced: BTreeSet<String>,
    /// What becomes of an input or output that does not fit its schema.
    pub(super) validation: Validation,
    /// Which addresses may be reached.
    pub(in crate::cli::commands) addresses: Addresses,
}

/// A file of values.
struct ValuesFile {
    name: String,
    /// Nothing where there is none.
    bytes: Option<Vec<u8>>,
    open: OpenSecrets,
    /// Whose it is.
    source: ValuesSource,
}

impl ValuesFile {
    /// The properties whose values are only named in it.
    fn referenced(&self) -> BTreeSet<String> {
        let read = self.bytes.as_ref().and_then(|bytes| ConnectionValues::read(&self.name, bytes).ok());
        let values = read.iter().flat_map(|(values, _)| values.0.iter());
        values.filter(|(_, value)| value.0.is_object()).map(|(name, _)| name.to_owned()).collect()
    }
}

/// Whose a file of values is.
enum ValuesSource {
    /// The repository's, and so anybody's who commits.
    Repository,
    /// The user's own.
    User,
}

impl ChosenConnection {
    /// Finds what the flags choose.
    pub(in crate::cli::commands) async fn find(
        choice: &ConnectionChoice<'_>,
        manifest: &Manifest,
        source: &Source,
        door: &Door,
        attempt: &str,
    ) -> Result<Self, Failure> {
        let (environment, file) = match (choice.environment, choice.file) {
            (Some(name), _) => {
                let environment = environment(name, source, door, attempt).await?;
                let path = format!("connections/{name}/{}.yaml", manifest.name);
                let bytes = source.file(&path, attempt).await?;
                let file = ValuesFile { name: path, bytes, open: OpenSecrets::Refused, source: ValuesSource::Repository };
                (environment, Some(file))
            }
            (None, Some(path)) => {
                let whole = door.settings.current_folder.join(path);
                let bytes = given::file(&whole, LARGEST_FILE)?;
                let name = path.display().to_string();
                let file = ValuesFile { name, bytes: Some(bytes), open: open_secrets(&whole), source: ValuesSource::User };
                (Environment::default(), Some(file))
            }
            (None, None) => (Environment::default(), None),
        };
        let empty = Ordered::default();
        let properties = manifest.connection.as_ref().map_or(&empty, |connection| &connection.properties);
        let name = file.as_ref().map(|file| file.name.clone()).unwrap_or_default();
        let referenced = file.as_ref().map(ValuesFile::referenced).unwrap_or_default();
        let values = match file {
            Some(ValuesFile { name, bytes: Some(bytes), open, source }) => {
                let files = SecretFiles::of(&door.site(attempt)?, &door.settings.current_folder);
                let reach = match source {
                    ValuesSource::Repository => Reach::Allowed { connector: &manifest.name, flags: choice.secrets },
                    ValuesSource::User => Reach::Any,
                };
                let given = GivenValues { file: &name, bytes: &bytes, open, reach };
                connection_values(properties, given, &files).map_err(|found| door.refused(attempt, &found, None))?
            }
            Some(ValuesFile { name, bytes: None, .. }) => defaults(properties, attempt, &format!("there is no {name}, and "))?,
            None => defaults(properties, attempt, "")?,
        };
        let is_any = choice.allow_private || environment.allow_private_addresses;
        let addresses = if is_any { Addresses::Any } else { Addresses::Public };
        let connection = connection_name(choice, door)?;
        Ok(Self { name, connection, values, referenced, validation: environment.validation(), addresses })
    }

    /// The values that must never be shown.
    pub(super) fn secrets<'v>(&'v self, manifest: &'v Manifest) -> impl Iterator<Item = &'v Value> {
        let properties = manifest.connection.iter().flat_map(|connection| connection.properties.iter());
        properties.filter(|(_, property)| property.secret).filter_map(|(name, _)| self.values.get(name))
    }
}

/// Which of the connector's connections it is.
fn connection_name(choice: &ConnectionChoice<'_>, door: &Door) -> Result<ConnectionName, Failure> {
    Ok(match (choice.environment, choice.file) {
        (Some(name), _) => ConnectionName::Environment(name.parse().map_err(anyhow::Error::from)?),
        (None, Some(path)) => {
            let whole = door.settings.current_folder.join(path);
            ConnectionName::File(whole.canonicalize().unwrap_or(whole).display().to_string())
        }
        (None, None) => ConnectionName::Defaults,
    })
}

/// The values where none are given, if all have defaults.
fn defaults(properties: &Ordered<Property>, attempt: &str, because: &str) -> Result<Map<String, Value>, Failure> {
    let lacking: Vec<String> = check::lacking(properties, |_| false).map(|name| format!("`{name}`")).collect();
    if !lacking.is_empty() {
        let reason = format!("{because}the connection needs {}", lacking.join(", "));
        let hint = if because.is_empty() {
            "Give the values with --connection FILE, or --environment NAME where connections/NAME has them."
        } else {
            "Write that file; it gives a secret by reference, such as `token: { env: CONNECTION_… }`."
        };
        return Err(Failure::refused(attempt, reason).hint(hint));
    }
    let defaults = properties.iter().filter_map(|(name, property)| Some((name.to_owned(), property.default.clone()?)));
    Ok(defaults.collect())
}

/// The environment of a name.
pub(in crate::cli::commands) async fn environment(name: &str, source: &Source, door: &Door, attempt: &str) -> Result<Environment, Failure> {
    let config = match source.file(CONFIG, attempt).await? {
        Some(bytes) => Config::read(&bytes).map_err(|found| door.refused(attempt, &found, None))?,
        None => Config::default(),
    };
    config.environments.get(name).cloned().ok_or_else(|| {
        let known: Vec<&str> = config.environments.names().collect();
        let failure = Failure::usage(attempt, format!("there is no environment `{name}`"));
        match nearest(name, known.iter().copied()) {
            Some(meant) => failure.hint(format!("Did you mean `{meant}`?")),
            None => failure.hint(format!("{CONFIG} declares: {}.", listed(&known))),
        }
    })
}

/// Whether secrets may stand in a file as they are: not where git has it, or would take it with the next `git add`.
fn open_secrets(file: &Path) -> OpenSecrets {
    let Ok(file) = file.canonicalize() else { return OpenSecrets::Refused };
    let git = match Repository::discover(file.parent().unwrap_or(&file)) {
        Ok(git) => git,
        Err(error) if error.code() == ErrorCode::NotFound => return OpenSecrets::Allowed,
        Err(_) => return OpenSecrets::Refused,
    };
    let root = git.workdir().and_then(|root| root.canonicalize().ok());
    let Some(path) = root.and_then(|root| Some(file.strip_prefix(root).ok()?.to_owned())) else { return OpenSecrets::Allowed };
    let is_tracked = git.index().map_or(true, |index| index.get_path(&path, 0).is_some());
    match git.is_path_ignored(&path) {
        _ if is_tracked => OpenSecrets::Refused,
        Ok(true) => OpenSecrets::Allowed,
        Ok(false) | Err(_) => OpenSecrets::Unignored,
    }
}
