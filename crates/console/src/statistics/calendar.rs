//! Days and months of UTC, in the proleptic Gregorian calendar.

use countersign::Timestamp;

/// `2026-11-27`.
pub(super) fn day(at: Timestamp) -> String {
    let (year, month, day) = civil(at.as_secs() / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-11`.
pub(super) fn month(at: Timestamp) -> String {
    let (year, month, _) = civil(at.as_secs() / 86_400);
    format!("{year:04}-{month:02}")
}

/// Year, month and day of a number of days since 1970, counted from March so that a leap day comes last.
fn civil(days: u64) -> (u64, u64, u64) {
    let since = days + 719_468; // days from 0000-03-01 to 1970-01-01
    let (era, of_era) = (since / 146_097, since % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}
