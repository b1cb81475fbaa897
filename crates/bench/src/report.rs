//! Rows: a figure, what it is held against, the goal, and whether it is met; as a table and as JSON.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::Outcome;
use crate::measure::Series;

/// One row for one goal.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    /// The same figure of what it is compared with, measured in the same run.
    baseline: Option<f64>,
    /// The median of the rounds' ratios of value to baseline.
    ratio: Option<f64>,
    goal: Option<String>,
    met: Option<bool>,
    /// A tenth of the rounds had a ratio below this; far from `ratio` on a noisy machine.
    #[serde(skip)]
    p10: Option<f64>,
}

/// What a row has to reach.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// The ratio, at most.
    Ratio(f64),
    /// The ratio, at least.
    RatioAtLeast(f64),
    /// The value, at most.
    Value(f64),
    /// The value, at least.
    ValueAtLeast(f64),
}

impl Row {
    /// A figure.
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, baseline: None, ratio: None, goal: None, met: None, p10: None }
    }

    /// The medians of two lanes that took turns.
    pub(crate) fn of(name: impl Into<String>, unit: &'static str, value: &Series, baseline: &Series) -> Self {
        let ratios = value.over(baseline);
        let row = Self::new(name, value.median(), unit).against(baseline.median(), ratios.median());
        Self { p10: Some(ratios.quantile(0.1)), ..row }
    }

    /// Compared with something.
    pub(crate) fn against(self, baseline: f64, ratio: f64) -> Self {
        Self { baseline: Some(baseline), ratio: Some(ratio), ..self }
    }

    /// Held to a goal. A figure that is no number meets none.
    pub(crate) fn goal(self, goal: Goal) -> Self {
        let ratio = self.ratio.unwrap_or(f64::NAN);
        let met = match goal {
            Goal::Ratio(most) => ratio <= most,
            Goal::RatioAtLeast(least) => ratio >= least,
            Goal::Value(most) => self.value <= most,
            Goal::ValueAtLeast(least) => self.value >= least,
        };
        let goal = match goal {
            Goal::Value(_) | Goal::ValueAtLeast(_) => format!("{goal} {}", self.unit),
            _ => goal.to_string(),
        };
        Self { goal: Some(goal), met: Some(met), ..self }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ratio(most) => write!(f, "<= {most} x"),
            Self::RatioAtLeast(least) => write!(f, ">= {least} x"),
            Self::Value(most) => write!(f, "<= {most}"),
            Self::ValueAtLeast(least) => write!(f, ">= {least}"),
        }
    }
}

/// The head of the table.
pub(crate) fn head() -> String {
    let [value, baseline, ratio, p10] = ["value", "baseline", "ratio", "p10"];
    format!("{:<34}{value:>12} {:<8}{baseline:>12}{ratio:>9}{p10:>9}  {:<16}met", "name", "unit", "goal")
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figure = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
        };
        write!(f, "{:<34}{:>12.1} {:<8}", self.name, self.value, self.unit)?;
        write!(f, "{:>12}{:>9}{:>9}", figure(self.baseline, 1), figure(self.ratio, 3), figure(self.p10, 3))?;
        let met = self.met.map_or("-", |met| if met { "yes" } else { "NO" });
        write!(f, "  {:<16}{met}", self.goal.as_deref().unwrap_or("-"))
    }
}

/// Writes the rows as a JSON list.
pub(crate) fn write(rows: &[Row], file: &Path) -> Outcome<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(file, serde_json::to_string_pretty(rows)? + "\n")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(goal: Goal, value: f64, ratio: f64, expect: bool) {
        assert_eq!(Row::new("row", value, "ns").against(1.0, ratio).goal(goal).met, Some(expect), "{goal}");
    }

    #[test]
    fn goals_have_a_direction() {
        check(Goal::Ratio(1.05), 9.0, 1.05, true);
        check(Goal::Ratio(1.05), 0.0, 1.06, false);
        check(Goal::RatioAtLeast(0.97), 0.0, 0.97, true);
        check(Goal::RatioAtLeast(0.97), 9.0, 0.96, false);
        check(Goal::Value(10.0), 10.0, 99.0, true);
        check(Goal::Value(10.0), 10.1, 0.0, false);
        check(Goal::ValueAtLeast(300.0), 300.0, 0.0, true);
        check(Goal::ValueAtLeast(300.0), 299.0, 999.0, false);
    }

    #[test]
    fn what_was_not_measured_meets_no_goal() {
        check(Goal::Ratio(1.0), f64::NAN, f64::NAN, false);
        check(Goal::ValueAtLeast(1.0), f64::NAN, 2.0, false);
    }

    #[test]
    fn the_file_names_seven_members() {
        let row = Row::new("mint_hs256", 800.0, "ns").against(400.0, 2.0).goal(Goal::Ratio(2.8));
        let json = serde_json::to_string(&row).unwrap();
        let expect = r#"{"name":"mint_hs256","value":800.0,"unit":"ns","baseline":400.0,"ratio":2.0,"goal":"<= 2.8 x","met":true}"#;
        assert_eq!(json, expect);
    }
}
