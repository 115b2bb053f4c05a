//! Points in time as streams write them, and spans as people read them.

use std::time::UNIX_EPOCH;

/// Nanoseconds since 1970, never less than none.
pub(super) type Time = i64;

/// Nanoseconds.
pub(super) type Span = u64;

pub(super) const MILLISECOND: Span = 1_000_000;
const SECOND: Span = 1_000_000_000;

/// Reads RFC 3339, never before 1970. Daemons write UTC; what the client reports of itself has the offset
/// of its time zone.
pub(super) fn parse(text: &str) -> Option<Time> {
    let (utc, offset) = match text
        .len()
        .checked_sub(6)
        .map(|at| text.split_at_checked(at))
    {
        Some(Some((clock, zone))) if zone.starts_with(['+', '-']) => {
            (format!("{clock}Z"), offset(zone)?)
        }
        _ => (text.to_owned(), 0),
    };
    let since = humantime::parse_rfc3339(&utc).ok()?;
    let since = since.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    let time = i64::try_from(since).ok()?.checked_sub(offset)?;
    (time >= 0).then_some(time)
}

/// `+02:00` in nanoseconds.
fn offset(zone: &str) -> Option<i64> {
    let (sign, clock) = zone.split_at_checked(1)?;
    let (hours, minutes) = clock.split_once(':')?;
    let number = |digits: &str| u8::try_from(digits.parse::<u32>().ok()?).ok();
    let seconds = i64::from(number(hours)?) * 3600 + i64::from(number(minutes)?) * 60;
    let seconds = if sign == "-" { -seconds } else { seconds };
    Some(seconds * 1_000_000_000)
}

/// The time from one point to a later one.
pub(super) fn between(from: Time, to: Time) -> Span {
    u64::try_from(to.saturating_sub(from)).unwrap_or(0)
}

/// Three digits and a unit.
pub(super) fn in_words(span: Span) -> String {
    // Whole numbers: printing floating-point ones is code of its own.
    let parts = |per_second: Span| {
        let unit = SECOND / per_second;
        let count = span / unit + u64::from(span % unit >= unit / 2);
        (count / per_second, count % per_second)
    };
    match (parts(100), parts(10)) {
        _ if span == 0 => "0 s".to_owned(),
        _ if span < MILLISECOND => "<1 ms".to_owned(),
        _ if span < SECOND - MILLISECOND / 2 => format!("{} ms", parts(1000).1),
        ((seconds @ ..10, rest), _) => format!("{seconds}.{rest:02} s"),
        (_, (seconds @ ..120, rest)) => format!("{seconds}.{rest} s"),
        _ => {
            let (seconds, _) = parts(1);
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
    }
}

/// The places of `keys` in order; equal ones stay as they are. All sorting of this
/// program's part is here, because each kind of key is some kilobytes of code.
pub(super) fn in_order(keys: impl Iterator<Item = [u64; 2]>) -> Vec<usize> {
    let mut keys: Vec<([u64; 2], usize)> = keys.zip(0..).collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, place)| place).collect()
}

/// Marks for an axis of this length, at most ten, with their labels.
pub(super) fn marks(length: Span) -> Vec<(Span, String)> {
    const STEPS: [Span; 21] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000,
        120_000, 300_000, 600_000, 1_800_000, 3_600_000,
    ];
    let mut step = STEPS.map(|step| step * MILLISECOND).into_iter();
    let last = SECOND * 3600;
    let step = step.find(|step| length / step < 10).unwrap_or(last);
    let step = step.max(length / 10);
    let marks = (0..=length / step).map(|n| n * step);
    marks.map(|at| (at, mark(at, step))).collect()
}

fn mark(at: Span, step: Span) -> String {
    match at {
        0 => "0".to_owned(),
        _ if step < SECOND && at < SECOND => format!("{} ms", at / MILLISECOND),
        _ if at.is_multiple_of(60 * SECOND) => format!("{} min", at / SECOND / 60),
        _ if at > 60 * SECOND => {
            format!("{}:{:02} min", at / SECOND / 60, at / SECOND % 60)
        }
        _ => match at / (SECOND / 10) % 10 {
            0 => format!("{} s", at / SECOND),
            tenth => format!("{}.{tenth} s", at / SECOND),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_daemons_and_clients() {
        let utc = parse("2026-11-21T15:52:46.20071753Z").unwrap();
        assert_eq!(utc % 1_000_000_000, 200_717_530);
        assert_eq!(parse("2026-11-21T17:52:46.20071753+02:00"), Some(utc));
        assert_eq!(parse("2026-11-21T10:22:46.20071753-05:30"), Some(utc));
        for text in [
            "",
            "é",
            "yesterday",
            "2026-11-21",
            "9999-01-01T00:00:00Z",
            "1970-01-01T00:00:00+01:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn spans_have_three_digits() {
        let words = |ms: f64| in_words((ms * 1e6) as u64);
        let spans = [
            0.0, 0.2, 1.4, 999.4, 999.6, 1234.0, 9996.0, 12_345.0, 119_960.0,
        ];
        assert_eq!(
            spans.map(words),
            [
                "0 s",
                "<1 ms",
                "1 ms",
                "999 ms",
                "1.00 s",
                "1.23 s",
                "10.0 s",
                "12.3 s",
                "2 min 0 s"
            ]
        );
    }

    #[test]
    fn an_axis_has_few_marks() {
        for length in [
            0,
            1,
            MILLISECOND,
            SECOND,
            61 * SECOND,
            7200 * SECOND,
            u64::MAX,
        ] {
            let marks = marks(length);
            assert!((1..=11).contains(&marks.len()), "{length}: {marks:?}");
        }
        let marks = marks(9_700 * MILLISECOND);
        assert_eq!(marks[3], (3 * SECOND, "3 s".to_owned()));
    }
}
