//! `/replay`: how recorded days are played; whoever knows the token sets it.

use crate::bearer;
use crate::problem::Problem;
use crate::provider::replay::{SPEED_PERCENT_MAX, SPEED_PERCENT_MIN};
use crate::provider::{PlayCommand, PlayState, ProviderError};
use crate::query;
use crate::routes;
use crate::server::Context;

/// Answers a GET.
pub(crate) async fn tell(context: &Context) -> routes::Answer {
    Ok(routes::json_response(&play(context, None).await?))
}

/// Answers a POST: `action` is `pause`, `resume`, `speed` (with `percent`) or `seek` (with `date`).
pub(crate) async fn set(query: &str, authorization: Option<&str>, context: &Context) -> routes::Answer {
    bearer::demand(context.control_token.as_ref(), authorization, "GAEMI_REPLAY_CONTROL_TOKEN")?;
    let command = parse_query(query)?;
    Ok(routes::json_response(&play(context, Some(command)).await?))
}

fn parse_query(query: &str) -> Result<PlayCommand, Problem> {
    let [action, percent, date] = query::read(query, ["action", "percent", "date"])?;
    let most = usize::try_from(SPEED_PERCENT_MAX).unwrap_or(usize::MAX);
    let percent = query::count("percent", percent, most)?.and_then(|percent| u32::try_from(percent).ok());
    let date = query::date("date", date)?;
    let required = |field| query::invalid(field, "required", "is required");
    match action.as_deref() {
        Some("pause") => Ok(PlayCommand::Pause),
        Some("resume") => Ok(PlayCommand::Resume),
        Some("speed") => {
            Ok(PlayCommand::Speed(percent.ok_or_else(|| required("percent"))?.max(SPEED_PERCENT_MIN)))
        }
        Some("seek") => Ok(PlayCommand::Seek(date.ok_or_else(|| required("date"))?)),
        _ => Err(query::invalid("action", "known", "must be pause, resume, speed or seek")),
    }
}

async fn play(context: &Context, command: Option<PlayCommand>) -> Result<PlayState, Problem> {
    for provider in &context.feed.providers {
        match provider.play(command).await {
            Ok(state) => return Ok(state),
            Err(ProviderError::Unsupported("a play")) => {}
            Err(error) => return Err(Problem::Unsupported(error.to_string())),
        }
    }
    Err(Problem::Unsupported("no recorded days are played".to_owned()))
}
