//! Follows secrets from task to task, on every way that a flow could take.

use std::collections::{BTreeMap, BTreeSet};

use super::shade::Shade;
use super::{Analysis, End, Scene};
use crate::flow::model::{Act, Branch, DescribedError, Flow, For, Fork, Raise, Task, Then, Try};
use crate::flow::program::Target;
use crate::flow::template::Template;
use crate::manifest::escape;

/// What the data and the context of a flow can hold between two tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct State {
    data: Shade,
    context: Shade,
}

impl State {
    fn join(&mut self, other: &Self) -> bool {
        let data = self.data.join(&other.data);
        self.context.join(&other.context) | data
    }
}

/// The variables that tasks around give.
type Locals = BTreeMap<String, Shade>;

/// One flow while it is followed.
pub(super) struct Course<'f> {
    pub(super) target: &'f Target,
    /// Where its list of tasks stands in the manifest, without its `/do`.
    base: String,
    /// Its input.
    input: &'f Shade,
    /// All that its context could hold so far: an error may be caught at any time.
    contexts: Shade,
}

/// What a task gives.
struct Given {
    /// Nothing where it always fails.
    data: Option<Shade>,
    then: Vec<Then>,
}

impl Given {
    fn data(data: Shade) -> Self {
        Self { data: Some(data), then: Vec::new() }
    }

    /// What a list of tasks gave, which may have ended the flow as a whole.
    fn of(ended: Option<(State, bool)>, context: &mut Shade) -> Self {
        let Some((state, may_end)) = ended else { return Self { data: None, then: Vec::new() } };
        *context = state.context;
        Self { data: Some(state.data), then: if may_end { vec![Then::Continue, Then::End] } else { Vec::new() } }
    }
}

/// One task while it is followed.
pub(super) struct Moment<'m> {
    pub(super) pointer: String,
    raw_input: &'m Shade,
    pub(super) input: Shade,
    raw_output: Shade,
    output: Shade,
    context: Shade,
    pub(super) authorization: BTreeSet<Box<str>>,
    locals: &'m Locals,
}

impl<'p> Analysis<'p> {
    /// What the output of a flow can hold.
    pub(super) fn flow(&mut self, target: &Target, flow: &'p Flow, input: &Shade) -> Shade {
        let mut course = Course { target, base: base(target), input, contexts: input.clone() };
        let state = State { data: input.clone(), context: input.clone() };
        let ended = self.tasks(&flow.tasks, state, &Locals::new(), &mut course);
        ended.map(|(state, _)| state.data).unwrap_or_default()
    }

    /// A list of tasks: how it can end, and whether the whole flow can end in it; nothing where it always fails.
    fn tasks(&mut self, tasks: &'p [Task], state: State, locals: &Locals, course: &mut Course<'_>) -> Option<(State, bool)> {
        let mut entered: Vec<Option<State>> = vec![None; tasks.len() + 1];
        let mut may_end = false;
        entered[0] = Some(state);
        let mut waiting = BTreeSet::from([0]);
        while let Some(at) = waiting.pop_first() {
            let (Some(task), Some(state)) = (tasks.get(at), entered[at].clone()) else { continue };
            if !self.effort.step() {
                break;
            }
            for (then, state) in self.task(task, state, locals, course) {
                may_end |= then == Then::End;
                let next = match then {
                    Then::Continue => at + 1,
                    Then::Task(index) => index,
                    Then::Exit | Then::End => tasks.len(),
                };
                let is_new = entered[next].is_none();
                if entered[next].get_or_insert_default().join(&state) || is_new {
                    waiting.insert(next);
                }
            }
        }
        Some((entered.pop()??, may_end))
    }

    /// A task: where the flow can go on after it, and with what.
    fn task(&mut self, task: &'p Task, state: State, locals: &Locals, course: &mut Course<'_>) -> Vec<(Then, State)> {
        let mut ways = Vec::new();
        if task.condition.is_some() {
            ways.push((Then::Continue, state.clone()));
        }
        let mut moment = Moment {
            pointer: format!("{}{}", course.base, task.reference),
            raw_input: &state.data,
            input: Shade::default(),
            raw_output: Shade::default(),
            output: Shade::default(),
            context: state.context.clone(),
            authorization: BTreeSet::new(),
            locals,
        };
        moment.input = self.shaped(task.input.template.as_ref(), "input/from", &state.data, &moment, course);
        let given = self.act(&task.act, &mut moment, course);
        let Some(data) = given.data else { return ways };
        moment.raw_output = data;
        let output = self.shaped(task.output.template.as_ref(), "output/as", &moment.raw_output, &moment, course);
        moment.output = output.clone();
        let context = match &task.export.template {
            None => moment.context,
            Some(template) => {
                let context = self.at(template, "export/as", &output, &moment, course);
                course.contexts.join(&context);
                context
            }
        };
        let then = if given.then.is_empty() { vec![task.then] } else { given.then };
        // Whether `continue` was said or nothing at all makes a difference; here it may have been either.
        let also = then.contains(&Then::Continue).then_some(task.then);
        ways.extend(then.into_iter().chain(also).map(|then| (then, State { data: output.clone(), context: context.clone() })));
        ways
    }

    fn act(&mut self, act: &'p Act, moment: &mut Moment<'_>, course: &mut Course<'_>) -> Given {
        match act {
            Act::Set(template) => Given::data(self.at(template, "set", &moment.input, moment, course)),
            Act::Do(tasks) => {
                let state = State { data: moment.input.clone(), context: moment.context.clone() };
                let ended = self.tasks(tasks, state, moment.locals, course);
                Given::of(ended, &mut moment.context)
            }
            Act::Emit(event) => {
                let event = self.at(event, "emit/event/with", &moment.input, moment, course);
                if let Target::Trigger(name) = course.target {
                    self.reached(&event.all(), &End::Event(name.clone()));
                }
                Given::data(event)
            }
            Act::For(each) => self.loop_over(each, moment, course),
            Act::Fork(fork) => self.fork(fork, moment, course),
            Act::Raise(raise) => self.raise(raise, moment, course),
            Act::Switch(switch) => Given { data: Some(moment.input.clone()), then: ways(&switch.branches) },
            Act::Try(tried) => self.attempt(tried, moment, course),
            Act::Wait(_) => Given::data(moment.input.clone()),
            Act::Http(http) => Given::data(self.http(http, moment, course)),
            Act::OpenApi(call) => Given::data(self.openapi(call, moment, course)),
            Act::Action { name, with } => {
                let input = self.given(with.as_ref(), moment, course);
                Given::data(self.called.entry((name, input)).or_default().clone())
            }
            // Only documents of their own have functions, and they have no connection.
            Act::Function { with, .. } => Given::data(self.given(with.as_ref(), moment, course).flat()),
        }
    }

    fn loop_over(&mut self, each: &'p For, moment: &mut Moment<'_>, course: &mut Course<'_>) -> Given {
        let item = self.at(&each.list, "for/in", &moment.input, moment, course).item();
        let mut locals = moment.locals.clone();
        locals.insert(each.each.clone(), item);
        locals.insert(each.at.clone(), Shade::default());
        let mut state = State { data: moment.input.clone(), context: moment.context.clone() };
        let mut may_end = false;
        while let Some((turned, ends)) = self.tasks(&each.tasks, state.clone(), &locals, course) {
            may_end |= ends;
            if !state.join(&turned) || self.effort.is_spent() {
                break;
            }
        }
        Given::of(Some((state, may_end)), &mut moment.context)
    }

    fn fork(&mut self, fork: &'p Fork, moment: &mut Moment<'_>, course: &mut Course<'_>) -> Given {
        let mut outputs = Shade::default();
        let mut then = Vec::new();
        // Branches see what others make of the context.
        loop {
            let mut is_new = false;
            for branch in &fork.branches {
                let state = State { data: moment.input.clone(), context: moment.context.clone() };
                for (way, ended) in self.task(branch, state, moment.locals, course) {
                    is_new |= moment.context.join(&ended.context);
                    outputs.join(&ended.data);
                    then = if way == Then::End { vec![Then::Continue, Then::End] } else { then };
                }
            }
            if !is_new || self.effort.is_spent() {
                break;
            }
        }
        Given { data: Some(if fork.compete { outputs.or(Some(&moment.input)) } else { Shade::list(outputs) }), then }
    }

    fn attempt(&mut self, tried: &'p Try, moment: &mut Moment<'_>, course: &mut Course<'_>) -> Given {
        let catch = &tried.catch;
        let mut before = State { data: moment.input.clone(), context: moment.context.clone() };
        let mut ended = self.tasks(&tried.tasks, before.clone(), moment.locals, course);
        while before.context.join(&course.contexts) && catch.retry.is_some() && !self.effort.is_spent() {
            ended = self.tasks(&tried.tasks, before.clone(), moment.locals, course);
        }
        let mut given = Given::of(ended, &mut moment.context);
        // What an error tells was redacted when it arose.
        let mut locals = moment.locals.clone();
        locals.insert(catch.variable.clone(), Shade::default());
        let handled = match &catch.tasks {
            Some(tasks) => {
                let ended = self.tasks(tasks, before.clone(), &locals, course);
                Given::of(ended, &mut before.context)
            }
            None => Given::data(moment.input.clone()),
        };
        moment.context.join(&before.context);
        given.data = match (given.data, handled.data) {
            (Some(data), handled) => Some(data.or(handled.as_ref())),
            (None, handled) => handled,
        };
        given.then.extend(handled.then);
        given.then.extend(catch.then.iter().flat_map(|then| [Then::Continue, *then]));
        given
    }

    fn raise(&mut self, raise: &Raise, moment: &Moment<'_>, course: &Course<'_>) -> Given {
        if let Raise::Described(error) = raise {
            let DescribedError { kind, status, title, detail, instance } = &**error;
            let members = [
                (Some(kind), "type"),
                (Some(status), "status"),
                (title.as_ref(), "title"),
                (detail.as_ref(), "detail"),
                (instance.as_ref(), "instance"),
            ];
            for (template, key) in members {
                if let Some(template) = template {
                    let told = self.at(template, &format!("raise/error/{key}"), &moment.input, moment, course);
                    self.reached(&told.all(), &End::Error(course.target.to_string()));
                }
            }
        }
        Given { data: None, then: Vec::new() }
    }

    fn given(&mut self, with: Option<&Template>, moment: &Moment<'_>, course: &Course<'_>) -> Shade {
        with.map_or_else(|| moment.input.clone(), |with| self.at(with, "with", &moment.input, moment, course))
    }

    fn shaped(&mut self, template: Option<&Template>, key: &str, data: &Shade, moment: &Moment<'_>, course: &Course<'_>) -> Shade {
        template.map_or_else(|| data.clone(), |template| self.at(template, key, data, moment, course))
    }

    /// A value as written under a key of the task.
    pub(super) fn at(&mut self, template: &Template, key: &str, data: &Shade, moment: &Moment<'_>, course: &Course<'_>) -> Shade {
        let pointer = format!("{}/{key}", moment.pointer);
        self.scene(moment, course, |analysis, scene| analysis.template(template, &pointer, data, scene))
    }

    /// The variables at this point of a task.
    pub(super) fn scene(&mut self, moment: &Moment<'_>, course: &Course<'_>, look: impl FnOnce(&mut Self, Scene<'_>) -> Shade) -> Shade {
        let variables = |name: &str| match name {
            "$context" => moment.context.clone(),
            "$input" => moment.input.clone(),
            "$output" => moment.output.clone(),
            "$task" => Shade::member("input", moment.raw_input.clone()).or(Some(&Shade::member("output", moment.raw_output.clone()))),
            "$workflow" => Shade::member("input", course.input.clone()),
            name => moment.locals.get(name).cloned().unwrap_or_default(),
        };
        look(self, Scene { variables: &variables, authorization: &moment.authorization })
    }
}

/// Where a `switch` can lead: on, where no case has to fit.
fn ways(branches: &[Branch]) -> Vec<Then> {
    let on = branches.iter().all(|Branch { when, .. }| when.is_some()).then_some(Then::Continue);
    branches.iter().map(|branch| branch.then).chain(on).collect()
}

/// Where a flow stands in the manifest, without its `/do`.
fn base(target: &Target) -> String {
    match target {
        Target::Action(name) => format!("/actions/{}", escape(name)),
        Target::Trigger(name) => format!("/triggers/{}", escape(name)),
        Target::Subscribe(name) => format!("/triggers/{}/on/webhook/subscribe", escape(name)),
        Target::Unsubscribe(name) => format!("/triggers/{}/on/webhook/unsubscribe", escape(name)),
        Target::TestConnection => "/connection/test".to_owned(),
    }
}
