//! What an administrator should look at.

use countersign::Refusal;
use serde_json::json;

use crate::answer::{self, Answer};
use crate::console::Call;
use crate::query::Query;

pub(super) fn unusual(call: &Call<'_>) -> Result<Answer, Refusal> {
    Query::read(call.query(), &[])?;
    Ok(answer::json(&json!({ "unusual": call.shared().monitor.unusual() })))
}
