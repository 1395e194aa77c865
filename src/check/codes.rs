//! The catalogue of problem codes of this room, SB101 to SB299: what `switchboard explain` tells of each.

use crate::manifest::code::codes;

// Twenty numbers for each family, in the order of the files.
codes! {
    NOTHING_OFFERED "SB101" "neither action nor trigger"
        "A connector is there to do something or to listen to something. One that declares neither cannot be used. Needed to publish."
        "Add an action under `actions` or a trigger under `triggers`."
    NO_ICON "SB102" "icon not found"
        "The manifest names a picture that the connector's folder does not hold. Only files of that folder belong to the connector."
        "Add the file beside connector.yaml, or remove `icon`: a default picture stands in."
    NO_VERSION "SB103" "self-built connector without a version"
        "What people run on their own is told apart by its version, so a self-built connector needs one before it is pre-published."
        "Add `version: 0.1.0`, and raise it with each release."

    NO_TITLE "SB121" "title missing"
        "People choose actions and triggers by their titles. Private actions, which nobody sees, need none. Needed to publish."
        "Add `title:` with a few words that say what it does."
    NO_DESCRIPTION "SB122" "description missing"
        "The description says what the title leaves open: what happens, and when. Private actions need none. Needed to publish."
        "Add `description:` with a sentence or two."
    NO_INPUT "SB123" "input missing"
        "The input's schema is what forms, documentation and type checks are made from. Needed to publish."
        "Add `input:` with a JSON Schema; for one that takes nothing: `{ type: object, additionalProperties: false }`."
    NO_OUTPUT "SB124" "output missing"
        "The output's schema tells what one can rely on: what an action returns, what a trigger's events carry. Needed to publish."
        "Add `output:` with a JSON Schema, or a reference to one of the connector's types."
    NO_FLOW "SB125" "implementation missing"
        "Without a flow there is nothing to run. Needed to pre-publish."
        "Add `do:` with the tasks of the flow."

    NO_BASE_URL "SB141" "no base address"
        "`call: request` resolves its path against `connection.baseUrl`, and there is none."
        "Add `baseUrl` to the connection, such as `https://api.example.com`."
    NO_HOSTS "SB142" "no hosts allowed"
        "Flows reach the hosts that `connection.hosts` lists and no others. They send requests, but the list is empty."
        "List the hosts, such as `hosts: [api.example.com]`."
    HOST_NOT_ALLOWED "SB143" "base address outside the allowed hosts"
        "The base address leads to a host that `connection.hosts` does not list, so every request would be refused."
        "Add the host to `connection.hosts`, or correct the address."
    SECRET_WITH_DEFAULT "SB144" "secret with a default"
        "A default stands in git, where everybody who can read the repository can read it. That is no secret."
        "Remove the default. If the value was ever real, have it revoked: git keeps it."
    WRONG_DEFAULT "SB145" "default that the property does not take"
        "The default is not of the property's type, or not among the values it may take."
        "Correct the default, `type` or `enum`."
    UNKNOWN_VALUE "SB151" "value for an unknown connection property"
        "The connection's file gives a value to a property that the manifest does not declare, so no flow can use it."
        "Correct the name, declare the property under `connection.properties`, or remove the value."
    WRONG_VALUE "SB152" "value that the connection property does not take"
        "The value is not of the property's type, or not among the values it may take. What a variable or a file holds is read as that type."
        "Correct the value."
    MISSING_VALUE "SB153" "connection property without a value"
        "The property has no default, and the connection's file gives it no value, so no flow can run."
        "Add the value, or give the property a default in the manifest."
    OPEN_SECRET "SB154" "secret given openly"
        "The file is in git, or would be with the next `git add`, where everybody who can read the repository can read it. A secret is named there, and looked up where the flow runs."
        "Write `{ env: NAME }` or `{ file: PATH }` in its place. If the value was ever real, have it revoked: git keeps it."
    UNREADABLE_VALUE "SB155" "value that cannot be looked up"
        "The variable or the file that the connection's file names cannot be read, or may not be: variables of Switchboard itself, its state, the repository's git directory and what the kernel shows as files are no values of a connection. A path is absolute, or begins at the repository's root, so that it means the same wherever a command is started. A file of the repository may name the variables that begin with CONNECTION_ and the connector's name (two underscores for a hyphen), such as CONNECTION_CRM_TOKEN, files below the repository's connections/, and what whoever runs the command allows: anybody who commits could have other things sent to a host of their own."
        "Set the variable, or put the file there, for whoever runs the command or the server. What has another name, or is in another place, is allowed with `--secret-env` and `--secret-dir`. A file of your own, given with `--connection`, may name anything."

    REFERENCE_LEADS_OUT "SB161" "reference that leads out of the types"
        "Schemas refer to the connector's types as `#/types/Name`. Nothing else can be followed: no other part of the manifest, no file, no address."
        "Move the schema to `types` and refer to it there."
    UNKNOWN_TYPE "SB162" "unknown type"
        "The reference names a type, or a part of one, that the manifest does not declare."
        "Declare it under `types`, or correct the name."

    NO_SCHEMA "SB181" "not a JSON Schema"
        "Inputs, outputs and types are JSON Schemas, draft 2020-12. A keyword here has a value that the draft does not allow."
        "Correct the value, as the message says."

    UNKNOWN_TARGET "SB201" "case for something that is not there"
        "The case runs an action, a trigger or a test connection that the manifest does not declare."
        "Correct the name, or delete the case."
    UNKNOWN_PROPERTY "SB202" "unknown connection property"
        "The suite gives a value to a property that `connection.properties` does not declare, so no flow can use it."
        "Declare the property, correct its name, or remove it."
    NO_CASE "SB203" "not tested"
        "A connector is published on evidence. What no case runs, nothing is known of. Private actions are run by the actions that call them. Needed to publish."
        "Add a case to a suite in `tests/`."
    NOT_RUN "SB204" "run by no test that passed"
        "Evidence shows what the tests exercised. No case that passed ran this flow, so nothing is known of it. Private actions are run by the actions that call them."
        "Add a case that runs it to a suite in `tests/`, or mend the one that does."
    NOT_EXERCISED "SB205" "exercised by no test that passed"
        "The flow can go this way, and in no case that passed it did: a branch of a `switch`, one side of an `if`, an error that is caught or mapped, another page, or the last. What no test shows, nobody knows to be right. `switchboard test --coverage` lists all of it."
        "Add a case that goes this way, or take out what cannot be reached."
    NO_RECORDING "SB208" "recording that is not there"
        "The case says that its exchanges are in a recording, and there is no such file, so the case fails. Needed to pre-publish."
        "Write it with `switchboard test --record --environment NAME`, or give the case `exchanges` in its place."
    BAD_RECORDING "SB209" "recording that cannot be the case's"
        "A recording holds the exchanges of one run of one case: of a case without `exchanges`, rows, a sequence or several polls, and of no other case."
        "Write what belongs to several runs as `exchanges`, and name a file of its own for each case that is recorded."

    CONTRADICTION "SB211" "suite that contradicts itself"
        "Two things that a suite says cannot both be meant, so that one of them would say nothing: a test that passes then proves less than it seems to."
        "Remove one of them, as the message says."
    NO_SUCH_FILE "SB212" "file of an answer not found"
        "A mocked answer is to hold a file of the connector's folder, and there is no such file, so the case cannot be run."
        "Correct the path, which begins at the connector's folder, or add the file."

    SECRET_SHOWN "SB221" "secret that can reach what is shown"
        "Secrets of the connection may go into requests: their credentials, headers, query and body. On some way through the flows this one can reach an output, an event, an error, a cursor, a subscription or an answer. A run shows `[redacted]` there, so nothing gets out, but nothing useful either. What only tells something about a secret, such as a comparison or `length`, does not count, nor does what a service answers."
        "Give out the fields that are meant, such as `{ id: .id }`, instead of the whole; or take the secret out with `del(.token)` before."
    SECRETS_UNFOLLOWED "SB222" "flows too intertwined to follow secrets"
        "The check follows the connection's secrets from task to task and from action to action. Here that takes more steps than it may, so it cannot tell whether one of them can reach an output. A run redacts them all the same."
        "Let fewer actions call each other with different inputs, and split long expressions."

    NO_SUCH_VARIABLE "SB231" "path variable that the input does not have"
        "The path's `{name}` stands for a property of the task's input, which is the action's own here, and the action's `input` declares no such property. A request whose path lacks a value is not sent: `/items/{itemId}` would be the whole collection."
        "Correct the name, or declare the property in the action's `input`."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_ordered_and_in_this_rooms_range() {
        assert!(CODES.is_sorted_by(|a, b| a.id < b.id));
        assert!(CODES.iter().all(|code| ("SB101"..="SB299").contains(&code.id)));
    }
}
