//! Generates a team's repository of any size: connectors of about 4 KB that read without problems, one suite with one case each.
//! Used by the benchmarks, and by a test that keeps what it generates valid.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use git2::{Buf, Oid, Repository, Signature, Time};
use switchboard::model::Status;

/// The branch that holds everything.
pub const BRANCH: &str = "refs/heads/main";

/// The name of one connector.
pub fn name(index: usize) -> String {
    format!("service-{index:05}")
}

/// The files of one connector by path within its folder. Another revision is other content under a higher version.
pub fn connector(index: usize, revision: u32, status: Status) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([
        ("connector.yaml".to_owned(), manifest(index, revision, status).into_bytes()),
        ("tests/orders.yaml".to_owned(), suite(index).into_bytes()),
    ])
}

/// Commits a repository of `count` connectors to a new bare repository. Objects go into one pack, as in a fresh clone.
pub fn commit(folder: &Path, count: usize, status: impl Fn(usize) -> Status) -> Result<Repository, git2::Error> {
    let repository = Repository::init_bare(folder)?;
    repository.set_head(BRANCH)?;
    let commit = {
        let odb = repository.odb()?;
        let pack = odb.add_new_mempack_backend(1000)?;
        let mut connectors = repository.treebuilder(None)?;
        for index in 0..count {
            let tree = folder_of(&repository, &connector(index, 0, status(index)))?;
            connectors.insert(name(index), tree, 0o040_000)?;
        }
        let mut root = repository.treebuilder(None)?;
        root.insert("connectors", connectors.write()?, 0o040_000)?;
        root.insert("switchboard.yaml", repository.blob(SETTINGS.as_bytes())?, 0o100_644)?;
        let tree = repository.find_tree(root.write()?)?;
        let author = author()?;
        let commit = repository.commit(None, &author, &author, "Add the connectors", &tree, &[])?;
        let mut bytes = Buf::new();
        pack.dump(&repository, &mut bytes)?;
        let mut writer = odb.packwriter()?;
        std::io::Write::write_all(&mut writer, &bytes).map_err(|error| git2::Error::from_str(&error.to_string()))?;
        writer.commit()?;
        commit
    };
    // Opened anew, so that nothing is left of the objects in memory.
    let repository = Repository::open(folder)?;
    repository.reference(BRANCH, commit, true, "generate")?;
    Ok(repository)
}

/// Commits another revision of one connector, and returns the commit.
pub fn change(repository: &Repository, index: usize, revision: u32, status: Status) -> Result<Oid, git2::Error> {
    let parent = repository.find_reference(BRANCH)?.peel_to_commit()?;
    let root = parent.tree()?;
    let connectors = root.get_path(Path::new("connectors"))?.to_object(repository)?.peel_to_tree()?;
    let mut connectors = repository.treebuilder(Some(&connectors))?;
    connectors.insert(name(index), folder_of(repository, &connector(index, revision, status))?, 0o040_000)?;
    let mut root = repository.treebuilder(Some(&root))?;
    root.insert("connectors", connectors.write()?, 0o040_000)?;
    let tree = repository.find_tree(root.write()?)?;
    let author = author()?;
    repository.commit(Some(BRANCH), &author, &author, "Change one connector", &tree, &[&parent])
}

/// Writes the same files to a folder, without git: for tools that read files.
pub fn write(folder: &Path, count: usize, status: impl Fn(usize) -> Status) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("switchboard.yaml"), SETTINGS)?;
    for index in 0..count {
        let home = folder.join("connectors").join(name(index));
        fs::create_dir_all(home.join("tests"))?;
        for (path, bytes) in connector(index, 0, status(index)) {
            fs::write(home.join(path), bytes)?;
        }
    }
    Ok(())
}

fn folder_of(repository: &Repository, files: &BTreeMap<String, Vec<u8>>) -> Result<Oid, git2::Error> {
    let mut folder = repository.treebuilder(None)?;
    let mut tests = repository.treebuilder(None)?;
    for (path, bytes) in files {
        let blob = repository.blob(bytes)?;
        match path.strip_prefix("tests/") {
            Some(suite) => tests.insert(suite, blob, 0o100_644)?,
            None => folder.insert(path, blob, 0o100_644)?,
        };
    }
    folder.insert("tests", tests.write()?, 0o040_000)?;
    folder.write()
}

fn author() -> Result<Signature<'static>, git2::Error> {
    Signature::new("Alice", "alice@example.com", &Time::new(1_767_225_600, 0))
}

/// The settings of a team that is content with what is usual.
pub const SETTINGS: &str = "apiVersion: switchboard/v1\n";

/// What an order is made of, beside its number: enough of it to make a manifest of about 4 KB.
const FIELDS: [(&str, &str); 13] = [
    ("customer", "Who ordered, by the number of the customer's account."),
    ("currency", "Three letters of ISO 4217, such as EUR."),
    ("total", "What is to be paid for everything, taxes and carriage included."),
    ("tax", "How much of the total is tax."),
    ("carriage", "How much of the total is carriage."),
    ("street", "Street and number where the parcel goes."),
    ("postcode", "The postcode of the place where the parcel goes."),
    ("place", "The place where the parcel goes."),
    ("country", "Two letters of ISO 3166-1 for the country where the parcel goes."),
    ("carrier", "Who carries the parcel, once it has left the warehouse."),
    ("parcel", "The carrier's number for the parcel, to follow it by."),
    ("remark", "What the customer wants us to know."),
    ("warehouse", "Which warehouse the parcel leaves from."),
];

fn manifest(index: usize, revision: u32, status: Status) -> String {
    let mut fields = String::new();
    for (field, meaning) in FIELDS {
        let title = field[..1].to_uppercase() + &field[1..];
        let _ = writeln!(fields, "      {field}:\n        title: {title}\n        description: {meaning}\n        type: string");
    }
    MANIFEST
        .replace("@NAME@", &name(index))
        .replace("@INDEX@", &index.to_string())
        .replace("@REVISION@", &revision.to_string())
        .replace("@STATUS@", &status.to_string())
        .replace("@FIELDS@", &fields)
}

fn suite(index: usize) -> String {
    SUITE.replace("@INDEX@", &index.to_string())
}

const MANIFEST: &str = r##"# Orders of service @INDEX@.
apiVersion: switchboard/v1
name: @NAME@
title: Service @INDEX@
description: Places orders with service @INDEX@ and tells how far they are.
kind: self-built
version: 1.@REVISION@.0
status: @STATUS@
owner: alice@example.com
sharedWith: [bob@example.com]

connection:
  hosts: [api-@INDEX@.example.com]
  baseUrl: https://api-@INDEX@.example.com/v1
  properties:
    token:
      title: Access token
      description: A token that may place orders.
      type: string
      secret: true
      example: a long random text
  authentication:
    bearer: { token: "${ $connection.token }" }

actions:
  place-order:
    title: Place an order
    description: Places an order and returns it as the service understood it.
    group: Orders
    input:
      type: object
      required: [customer, articles]
      additionalProperties: false
      properties:
        customer: { title: Customer, description: The number of the customer's account., type: string, minLength: 1 }
        articles:
          title: Articles
          description: What is ordered, at least one article.
          type: array
          minItems: 1
          items: { $ref: "#/types/Article" }
    output: { $ref: "#/types/Order" }
    errors: [unknown-customer]
    do:
      - place:
          call: request
          with:
            method: post
            path: /customers/{customer}/orders
            body: "${ { articles } }"
            errors:
              - { status: 404, raise: unknown-customer }
          output:
            as: "${ . + { service: @INDEX@ } }"

types:
  Article:
    title: Article
    type: object
    required: [number, count]
    properties:
      number: { title: Number, description: The number in the catalogue., type: string }
      count: { title: Count, description: How many of them., type: integer, minimum: 1 }
  Order:
    title: Order
    type: object
    required: [number, service]
    properties:
      number: { title: Number, description: The number of the order., type: string }
      service: { title: Service, description: The service that takes the order., type: integer }
@FIELDS@
errors:
  unknown-customer:
    status: 404
    title: No such customer
    description: The service has no account with this number.

docs:
  website: https://service-@INDEX@.example.com
  apiReference: https://service-@INDEX@.example.com/reference
"##;

const SUITE: &str = "title: Orders
connection: { token: a-token-for-tests }
cases:
  - title: An order is placed
    action: place-order
    input: { customer: c-7, articles: [{ number: a-1, count: 2 }] }
    exchanges:
      - request:
          method: post
          url: https://api-@INDEX@.example.com/v1/customers/c-7/orders
          headers: { authorization: Bearer a-token-for-tests }
          body: { articles: [{ number: a-1, count: 2 }] }
        response: { status: 201, body: { number: o-1 } }
    expect:
      output: { number: o-1, service: @INDEX@ }
";
