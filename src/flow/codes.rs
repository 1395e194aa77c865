//! The catalogue of problem codes of this room, SB301 to SB399: what `switchboard explain` tells of each.

use crate::manifest::Code;

macro_rules! codes {
    ($($name:ident $id:literal $title:literal $explanation:literal $fix:literal)*) => {
        $(pub(crate) const $name: &str = $id;)*

        /// Every code of this room, in order.
        pub const CODES: &[Code] = &[$(Code { id: $id, title: $title, explanation: $explanation, fix: $fix }),*];
    };
}

codes! {
    SHAPE "SB301" "not a flow"
        "A flow is a list of tasks; each is a map with one key, the task's name, and under it exactly one of the keys that say what the task does."
        "Write `- nameOfTheTask: { set: … }` and so on, as the Open Workflow DSL 1.0 describes."
    UNKNOWN_KEY "SB302" "unknown key in a flow"
        "The Open Workflow DSL knows no such key at this place, so nothing would read it."
        "Correct the key, or remove it."
    NOT_YET "SB303" "not yet supported"
        "The Open Workflow DSL has this, and a later version of Switchboard will run it."
        "Write the flow without it for now."
    NEVER "SB304" "not supported"
        "A connector's flow talks HTTP to the hosts of its connection, and to nothing else. Tasks that wait for events, run programs or speak other protocols are refused."
        "Use `call: request` or `call: http`; listen to a service with a trigger."
    MISSING_KEY "SB305" "key missing in a flow"
        "The task cannot be run without this key."
        "Add the key."
    VALUE "SB306" "value not allowed in a flow"
        "The value at this place is not one that the Open Workflow DSL, or `call: request`, allows there."
        "Write one of the values that the message names."
    EXPRESSION_SYNTAX "SB310" "expression cannot be read"
        "Expressions are jq. This one breaks jq's grammar at the slice that the message shows."
        "Correct the expression. Outside `if`, `when`, `from` and `as`, an expression stands in `${ … }`."
    UNKNOWN_NAME "SB311" "unknown name in an expression"
        "The expression calls a function or reads a variable that does not exist. Functions that reach out of the expression, or end the process, are left out."
        "Correct the name. The variables are $context, $input, $output, $task, $workflow, $runtime and $connection."
    EXPRESSION_TOO_BIG "SB312" "expression is too big"
        "The length, the nesting and the number of operators of one expression are bounded, so that reading it always is quick and safe."
        "Split it over several `set` tasks."
    UNKNOWN_PROPERTY "SB313" "unknown connection property"
        "The expression reads a property from $connection that `connection.properties` does not declare, so it would always be null."
        "Declare the property, or correct its name."
    TARGET "SB320" "no such task to go to"
        "A `then` names a task of the same list, or one of `continue`, `exit` and `end`. Tasks of other lists cannot be reached."
        "Name a task of the same list."
    DUPLICATE_TASK "SB321" "task name given twice"
        "Tasks of one list are told apart by their names: in `then`, in errors and in reports."
        "Give one of them another name."
    UNKNOWN_ERROR "SB322" "undeclared error"
        "A flow raises errors that the manifest declares under `errors`, or describes them in place with `type` and `status`."
        "Declare the error, or correct its name."
    UNKNOWN_FUNCTION "SB323" "unknown function"
        "`call` names `http`, `request`, or an action of the same connector."
        "Correct the name."
    HOST "SB324" "host not allowed"
        "A connector's flows may reach the hosts that `connection.hosts` lists, and no others."
        "Add the host to `connection.hosts`, or correct the address."
    EMIT "SB325" "event emitted outside a trigger"
        "An action returns its output alone; events are what triggers emit."
        "Return the data as the action's output, or make it a trigger."
    DOCUMENT "SB330" "not a workflow document"
        "A stand-alone workflow is a map with `document` (dsl, namespace, name, version) and `do`."
        "Add what is missing, as the Open Workflow DSL 1.0 describes."
}
