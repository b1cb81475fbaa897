//! What a check says: fine, or what is wrong and what to change.

use serde::Serialize;
use serde_json::json;

use crate::output::{Exit, Report, counted, printable};

/// All findings, in the order in which they were made.
#[derive(Default)]
pub(crate) struct Findings {
    found: Vec<Finding>,
    left_out: Vec<&'static str>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// Which check, a stable name.
    pub(crate) check: &'static str,
    pub(crate) verdict: Verdict,
    /// One sentence: what was found.
    pub(crate) says: String,
    /// One sentence: what to change, unless all is well.
    pub(crate) change: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As it should be.
    Ok,
    /// Should be changed, or known.
    Warning,
    /// Breaks a promise.
    Fault,
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

impl Findings {
    /// All is well.
    pub(crate) fn ok(&mut self, check: &'static str, says: impl Into<String>) {
        self.add(Finding { check, verdict: Verdict::Ok, says: says.into(), change: None });
    }

    /// Something should be changed.
    pub(crate) fn warn(&mut self, check: &'static str, says: impl Into<String>, change: impl Into<String>) {
        let (says, change) = (says.into(), Some(change.into()));
        self.add(Finding { check, verdict: Verdict::Warning, says, change });
    }

    /// Something must be changed.
    pub(crate) fn fault(&mut self, check: &'static str, says: impl Into<String>, change: impl Into<String>) {
        let (says, change) = (says.into(), Some(change.into()));
        self.add(Finding { check, verdict: Verdict::Fault, says, change });
    }

    /// A finding of some check.
    pub(crate) fn add(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// What was found so far.
    #[cfg(test)]
    pub(crate) fn found(&self) -> &[Finding] {
        &self.found
    }

    /// Something was not looked at: what, and how to have it looked at.
    pub(crate) fn leave_out(&mut self, what: &'static str) {
        self.left_out.push(what);
    }

    /// The worst of them is the exit code.
    pub(crate) fn report(&self) -> Report {
        let worst = self.found.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok);
        let exit = match worst {
            Verdict::Ok => Exit::Done,
            Verdict::Warning => Exit::Warned,
            Verdict::Fault => Exit::Faulty,
        };
        let json = json!({ "worst": worst, "findings": self.found, "not_checked": self.left_out });
        Report { text: self.text(worst), json, exit }
    }

    fn text(&self, worst: Verdict) -> String {
        let mut text = String::new();
        for Finding { check, verdict, says, change } in &self.found {
            let line = format!("{:8}{check:20}{}\n", verdict.as_str(), printable(says));
            text.push_str(&line);
            if let Some(change) = change {
                let line = format!("{:28}-> {}\n", "", printable(change));
                text.push_str(&line);
            }
        }
        for what in &self.left_out {
            let line = format!("not checked: {what}\n");
            text.push_str(&line);
        }
        let of = |verdict| self.found.iter().filter(|finding| finding.verdict == verdict).count();
        let (faults, warnings) = (of(Verdict::Fault), of(Verdict::Warning));
        let sum = match worst {
            Verdict::Ok => format!("all well: {}\n", counted(self.found.len() as u64, "finding")),
            _ => format!("to mend: {faults}, to look at: {warnings}, findings: {}\n", self.found.len()),
        };
        text + &sum
    }
}
