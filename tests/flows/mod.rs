//! What the Open Workflow DSL says of every construct that is supported, as workflows that run through the front door: `flow run`, with
//! a service on loopback for every host they name. Each file is a list of cases, and each case a workflow with what must come of it.

mod case;
mod hostile;
mod stub;

use std::fs;
use std::path::Path;

use self::case::Case;

fn cases(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flows").join(file);
    serde_yaml::from_str(&fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn keeps_to_the_specification(file: &str) {
    let wrong: Vec<String> = cases(file).iter().flat_map(|case| case.run()).collect();
    assert!(wrong.is_empty(), "{file}:\n{}", wrong.join("\n"));
}

topics! {
    in "tests/flows", each keeps_to_the_specification:
    arguments
    authentication
    composite
    data_flow
    directives
    documents
    errors
    events
    expressions
    extensions
    fork
    functions
    http
    loops
    oauth2
    openapi
    refused
    schemas
    secrets
    switch
    timeouts
    tries
    uri_templates
}
