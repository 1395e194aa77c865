//! The catalogue of problem codes of this room, SB001 to SB099: what `switchboard explain` tells of each.

/// One kind of problem. Its id is stable; rooms above keep catalogues of their own in the same shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// `SB` and three digits.
    pub id: &'static str,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why it matters.
    pub explanation: &'static str,
    /// How to mend it.
    pub fix: &'static str,
}

/// The code of an id, in any case.
pub fn find(id: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.id.eq_ignore_ascii_case(id))
}

/// Declares a room's catalogue: a constant for each code, and `CODES` with all of them in order.
macro_rules! codes {
    ($($name:ident $id:literal $title:literal $explanation:literal $fix:literal)*) => {
        $(pub(crate) const $name: &str = $id;)*

        /// Every code of this room, in order.
        pub const CODES: &[$crate::manifest::Code] =
            &[$($crate::manifest::Code { id: $id, title: $title, explanation: $explanation, fix: $fix }),*];
    };
}
pub(crate) use codes;

codes! {
    NOT_UTF8 "SB001" "file is not UTF-8"
        "Every file of the repository that Switchboard reads is UTF-8 text. A byte at the given place belongs to another encoding."
        "Save the file as UTF-8."
    CONTROL_CHARACTER "SB002" "control character"
        "YAML allows no control characters but tab and line ends. One usually gets in by copying."
        "Delete the character, or write it as an escape in double quotes, such as \"\\u0000\"."
    EMPTY "SB003" "file is empty"
        "The file holds nothing, or only comments, so it declares nothing. The last good state is kept."
        "Write the file's content, or delete the file if it is not meant to be there."
    TOO_LARGE "SB004" "file is too large"
        "Files are read whole, so their size is limited: 1 MiB for each YAML file."
        "Move long texts to notes.md and split a test suite over several files."
    TOO_DEEP "SB005" "nested too deeply"
        "Maps and lists may be nested 64 levels deep, aliases included. Deeper files are refused before they cost time and memory."
        "Flatten the structure; name inner schemas under `types` and refer to them."
    TOO_MANY_VALUES "SB006" "too many values"
        "A file may hold 50,000 values and 4 MiB of text once every alias is expanded. A few lines of aliases can expand to billions."
        "Write fewer values, and use aliases for small things only."
    SEVERAL_DOCUMENTS "SB007" "more than one document"
        "A file declares one thing, so it holds one YAML document. A line `---` in the middle begins another."
        "Remove the `---` line, or move what follows it to a file of its own."
    DUPLICATE_KEY "SB008" "key given twice"
        "Only one of two equal keys could count, and readers disagree on which."
        "Remove one of the two."
    KEY_IS_NOT_TEXT "SB009" "key is not text"
        "Keys are text. YAML reads some keys as a number, a truth value, null, a list or a map."
        "Put the key in quotes."
    TAG "SB010" "tag"
        "YAML tags such as `!!binary` or `!include` change what a value means for some readers only, so they are refused."
        "Write the plain value; put it in quotes where it must be text."
    MERGE_KEY "SB011" "merge key"
        "The merge key `<<` belongs to YAML 1.1; readers of YAML 1.2 take it for an ordinary key."
        "Write the keys out, or refer to a schema under `types`."
    SYNTAX "SB012" "not YAML"
        "The file cannot be read as YAML 1.2 from the given place on. The mistake is there or shortly before."
        "See the hint of the problem: indentation, tabs and unclosed quotes or brackets are the usual causes."
    NUMBER "SB013" "number cannot be kept"
        "Numbers are those of JSON, so there is no infinity and no not-a-number, and whole numbers beyond 64 bits would lose digits."
        "Write the number in quotes where it is meant as text."
    ALIAS "SB014" "alias without a value"
        "An alias `*name` repeats the value that an anchor `&name` marked before it in the same file. This one repeats nothing, or itself."
        "Write the value itself, or add the anchor before the alias."
    ANCHORED_STATUS "SB015" "anchor on `status`"
        "The status is not part of a connector's content, so nothing else may be made of it."
        "Write `status` without an anchor, and the other value in full."
    HIDDEN_CHARACTER "SB016" "character that is not shown but obeyed"
        "Direction characters such as U+202E reorder the line they are in, and control characters move a terminal's cursor: a reviewer would approve something else than what was shown. They are refused in every file that people write, and as escapes in what people read."
        "Delete the character. The data of a test suite may have it as an escape in double quotes."
    UNKNOWN_KEY "SB020" "unknown key"
        "Keys that nobody reads are mistakes more often than not, so they are refused."
        "Correct the spelling, or remove the key."
    MISSING_KEY "SB021" "missing key"
        "Something that is always needed was not given."
        "Add the key."
    WRONG_TYPE "SB022" "value of the wrong type"
        "The value is text, a number, a list or a map where another of these belongs."
        "Write a value of the type that the problem names; quotes make text of anything."
    NOT_ALLOWED "SB023" "value not allowed"
        "Only certain values are understood here; the problem lists them."
        "Choose one of them."
    FORM "SB024" "text of the wrong form"
        "The text is not written the way it has to be; the problem says which way that is."
        "Write it in that form."
    KEY_FORM "SB025" "name of the wrong form"
        "Names have one form for each kind: kebab-case for connectors, actions, triggers, errors and environments; PascalCase for types; camelCase for connection properties."
        "Rename it."
    CHOICE "SB026" "not exactly one of several"
        "The keys here exclude each other, and one of them is needed."
        "Keep one of the keys that the problem names."
    LENGTH "SB027" "too short or too long"
        "The text or list has too few or too many characters or entries; the problem gives the bound."
        "Shorten or complete it."
    RANGE "SB028" "number out of range"
        "The number is smaller or larger than what makes sense here; the problem gives the bound."
        "Write a number within the bounds."
    UNREADABLE "SB029" "value cannot be read"
        "The file has the right shape, but a value in it cannot be taken for what it should be."
        "See the problem's message for what was expected."
    NAME_IS_NOT_FOLDER "SB030" "name differs from the folder"
        "A connector is found by its folder, so both names must be the same."
        "Rename the folder or change `name`."
    VERSION "SB031" "not a semantic version"
        "Versions compare by the rules of Semantic Versioning 2.0, so they have three whole numbers and nothing before them."
        "Write MAJOR.MINOR.PATCH, such as 1.2.0."
    NO_MANIFEST "SB032" "connector.yaml is missing"
        "Every folder under connectors/ declares one connector, in its connector.yaml."
        "Add connector.yaml, or delete the folder's other files to delete the connector."
    FOLDER_NAME "SB033" "folder's name is not a connector's name"
        "The folder's name is the connector's name: lowercase letters, digits and single hyphens, beginning with a letter, at most 63 characters."
        "Rename the folder, and `name` with it."
    ENVIRONMENTS "SB034" "environment missing"
        "Connectors are tested in a non-production environment and published to a production one, so at least one of each is needed."
        "Add the environment, with `production: true` or `production: false`."
    MISPLACED_RECORD "SB035" "release record in the wrong place"
        "A release record is found by its path, releases/<connector>/<version>.yaml, so its content must agree with it."
        "Restore the file as Switchboard wrote it."
    OUT_OF_PLACE "SB040" "entry out of place"
        "Only plain files and folders are read, each where it belongs. Links, submodules, files where folders belong and paths that leave their folder are refused, and so is what exceeds the limits: 500 files and 16 MiB for each connector."
        "Replace the link by what it leads to, or remove the entry."
    OBJECT_UNREADABLE "SB041" "cannot be read"
        "The repository or the disk failed to hand it over: an object is missing or corrupt, or access is denied. What was read before stays, and reading is tried again."
        "Check the repository with `git fsck`, fetch the missing objects from a good clone, or mend the file's permissions."
    NO_CONFIG "SB042" "switchboard.yaml is missing"
        "The file names the environments and the policy of reviews and deletions. The last one that could be read stands; where there never was one, the usual policy does."
        "Write it, with `apiVersion: switchboard/v1` at least."
    MORE "SB099" "more problems than are shown"
        "Only the first problems of a file are listed; more of them are usually due to the same mistake."
        "Mend the problems shown and validate again."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_ordered_and_in_this_rooms_range() {
        assert!(CODES.is_sorted_by(|a, b| a.id < b.id));
        assert!(CODES.iter().all(|code| ("SB001"..="SB099").contains(&code.id)));
    }

    #[test]
    fn codes_are_found_in_any_case() {
        assert_eq!(find("sb008").map(|code| code.id), Some("SB008"));
        assert_eq!(find("SB000"), None);
    }
}
