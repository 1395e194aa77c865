//! The few styles there are. They are always written; the way out takes them away where no terminal reads them.

use owo_colors::Style;

use crate::model::Stage;

/// What went well.
pub const GOOD: Style = Style::new().green();
/// What went wrong.
pub const BAD: Style = Style::new().red().bold();
/// What to look out for.
pub const WARN: Style = Style::new().yellow();
/// What is the case beside the point.
pub const FAINT: Style = Style::new().dimmed();
/// What to do.
pub const HINT: Style = Style::new().cyan();
/// What the eye looks for first.
pub const STRONG: Style = Style::new().bold();

/// The style of a stage.
pub fn stage(stage: Stage) -> Style {
    match stage {
        Stage::Editing => Style::new(),
        Stage::PrePublished => HINT,
        Stage::InReview => WARN,
        Stage::Rejected => BAD,
        Stage::Published => GOOD,
    }
}
