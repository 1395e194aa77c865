//! The methods of HTTP that a flow can send: those of IANA's registry, RFC 9110, section 16.1.1, but for `CONNECT` and `PRI`, which are
//! no requests to a resource.

/// In the order of how often they are meant.
pub(crate) const KNOWN: [&str; 38] = [
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "head",
    "options",
    "trace",
    "query",
    "search",
    "propfind",
    "proppatch",
    "report",
    "mkcol",
    "mkcalendar",
    "copy",
    "move",
    "lock",
    "unlock",
    "acl",
    "baseline-control",
    "bind",
    "checkin",
    "checkout",
    "label",
    "link",
    "merge",
    "mkactivity",
    "mkredirectref",
    "mkworkspace",
    "orderpatch",
    "rebind",
    "unbind",
    "uncheckout",
    "unlink",
    "update",
    "updateredirectref",
    "version-control",
];

/// What to do about a method that is not among them.
pub(crate) const INSTEAD: &str = "Write one that is registered, such as `get`, `post`, `put`, `patch`, `delete`, `query` or `propfind`.";

/// Those that change nothing, so that they may be sent again: RFC 9110, section 9.2.1, and the registry.
const SAFE: [&str; 8] = ["get", "head", "options", "propfind", "query", "report", "search", "trace"];

/// Whether it is one of them, in any case.
pub(crate) fn is_sendable(method: &str) -> bool {
    KNOWN.iter().any(|known| known.eq_ignore_ascii_case(method))
}

/// Whether sending it twice does no more than sending it once, RFC 9110, section 9.2.2; of those of extensions only the safe ones count,
/// since a second `MKCOL` or `MOVE` is answered with an error.
pub(crate) fn is_idempotent(method: &str) -> bool {
    SAFE.iter().chain(&["put", "delete"]).any(|known| known.eq_ignore_ascii_case(method))
}
