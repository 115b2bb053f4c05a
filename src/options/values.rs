//! How single option values are written: CSV lists, booleans, numbers.
//!
//! In: one value. Out: the typed value, or one line that says what was
//! expected. Which option the value came from is added by the caller.
//!
//! Formats are those of dockerui in BuildKit v0.32 (`frontend/dockerui/attr.go`).

use std::net::IpAddr;

/// A soft and a hard limit of a process; -1 means unlimited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ulimit {
    /// Name without `RLIMIT_`, such as `nofile`.
    pub name: String,
    /// The limit a process starts with.
    pub soft: i64,
    /// The limit it may raise itself to.
    pub hard: i64,
}

/// A host name and its address, for `/etc/hosts` of every step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraHost {
    /// Lower-case name.
    pub host: String,
    /// Its address.
    pub ip: IpAddr,
}

/// Names that the daemon accepts (docker/go-units v0.5, `ulimit.go`).
const ULIMIT_NAMES: [&str; 16] = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// The largest CPU or memory node number of a `cpuset` (BuildKit v0.32, `util/cpuset`).
const MAX_CPU: u32 = 8192;

/// Splits one line of CSV: comma separated, `"` quotes, `""` is a quote.
pub(crate) fn csv(line: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = line.strip_suffix('\n').unwrap_or(line);
    loop {
        let Some(quoted) = rest.strip_prefix('"') else {
            let (field, tail) = match rest.split_once(',') {
                Some((field, tail)) => (field, Some(tail)),
                None => (rest, None),
            };
            if field.contains('"') {
                return Err(format!(
                    "expected quotes around a whole field, found `{field}`"
                ));
            }
            fields.push(field.to_owned());
            match tail {
                Some(tail) => rest = tail,
                None => return Ok(fields),
            }
            continue;
        };
        let mut field = String::new();
        let mut tail = quoted;
        loop {
            let Some((part, after)) = tail.split_once('"') else {
                return Err("a quoted field has no closing `\"`".to_owned());
            };
            field.push_str(part);
            match after.strip_prefix('"') {
                Some(after) => {
                    field.push('"');
                    tail = after;
                }
                None => {
                    tail = after;
                    break;
                }
            }
        }
        fields.push(field);
        if tail.is_empty() {
            return Ok(fields);
        }
        rest = tail
            .strip_prefix(',')
            .ok_or_else(|| format!("expected `,` after a quoted field, found `{tail}`"))?;
    }
}

/// A boolean as Go reads it (`strconv.ParseBool`).
pub(super) fn boolean(value: &str) -> Result<bool, String> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("expected `true` or `false`, found `{value}`")),
    }
}

/// `NAME=SOFT[:HARD]`; HARD defaults to SOFT.
pub(super) fn ulimit(field: &str) -> Result<Ulimit, String> {
    let shape = || format!("expected NAME=SOFT[:HARD], found `{field}`");
    let (name, limits) = field.split_once('=').ok_or_else(shape)?;
    if !ULIMIT_NAMES.contains(&name) {
        return Err(format!(
            "unknown limit `{name}`; expected one of {}",
            ULIMIT_NAMES.join(", ")
        ));
    }
    let number = |text: &str| text.parse::<i64>().map_err(|_| shape());
    let (soft, hard) = match limits.split_once(':') {
        Some((soft, hard)) => (number(soft)?, number(hard)?),
        None => (number(limits)?, number(limits)?),
    };
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(format!(
            "the soft limit is above the hard limit in `{field}`"
        ));
    }
    Ok(Ulimit {
        name: name.to_owned(),
        soft,
        hard,
    })
}

/// `HOST=IP`.
pub(super) fn extra_host(field: &str) -> Result<ExtraHost, String> {
    let lower = field.to_lowercase();
    let (host, ip) = lower
        .split_once('=')
        .ok_or_else(|| format!("expected HOST=IP, found `{field}`"))?;
    let ip = ip
        .parse()
        .map_err(|_| format!("expected an IP address, found `{ip}`"))?;
    Ok(ExtraHost {
        host: host.to_owned(),
        ip,
    })
}

/// A number of at least 1.
pub(super) fn positive<T>(value: &str) -> Result<T, String>
where
    T: std::str::FromStr + PartialOrd + From<u8>,
{
    match value.parse::<T>() {
        Ok(number) if number > T::from(0) => Ok(number),
        _ => Err(format!("expected a number above 0, found `{value}`")),
    }
}

/// A number of at least 1, or -1 for unlimited.
pub(super) fn positive_or_unlimited(value: &str) -> Result<i64, String> {
    match value.parse::<i64>() {
        Ok(number) if number == -1 || number > 0 => Ok(number),
        _ => Err(format!(
            "expected a number above 0, or -1 for no limit, found `{value}`"
        )),
    }
}

/// A list of numbers and ranges such as `0-3,5`.
pub(super) fn cpuset(value: &str) -> Result<String, String> {
    let number = |text: &str| {
        text.trim()
            .parse::<u32>()
            .ok()
            .filter(|number| *number <= MAX_CPU)
    };
    for part in value.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let ok = match part.split_once('-') {
            Some((low, high)) => {
                matches!((number(low), number(high)), (Some(l), Some(h)) if l <= h)
            }
            None => number(part).is_some(),
        };
        if !ok {
            return Err(format!(
                "expected numbers and ranges such as `0-3,5`, found `{part}`"
            ));
        }
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_reads_quotes_and_empty_fields() {
        let fields = |line| csv(line).expect("valid");
        assert_eq!(fields("a=1,b=2"), ["a=1", "b=2"]);
        assert_eq!(fields("\"a,b\",c"), ["a,b", "c"]);
        assert_eq!(fields("\"a\"\"b\""), ["a\"b"]);
        assert_eq!(fields("a,"), ["a", ""]);
        assert!(csv("a\"b").is_err());
        assert!(csv("\"a").is_err());
        assert!(csv("\"a\"b").is_err());
    }

    #[test]
    fn ulimits_check_name_shape_and_order() {
        assert_eq!(
            ulimit("nofile=10:20"),
            Ok(Ulimit {
                name: "nofile".to_owned(),
                soft: 10,
                hard: 20
            })
        );
        assert_eq!(ulimit("core=-1").map(|u| (u.soft, u.hard)), Ok((-1, -1)));
        assert_eq!(ulimit("stack=1").map(|u| u.hard), Ok(1));
        for wrong in [
            "nofile", "nofile=", "nofile=x", "files=1", "cpu=2:1", "cpu=-1:1",
        ] {
            assert!(ulimit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hosts_are_lower_cased_and_take_both_address_families() {
        let host = extra_host("DB=10.0.0.1").expect("valid");
        assert_eq!(
            (host.host.as_str(), host.ip.to_string()),
            ("db", "10.0.0.1".to_owned())
        );
        assert_eq!(
            extra_host("db=::1").map(|h| h.ip.to_string()),
            Ok("::1".to_owned())
        );
        assert!(extra_host("db").is_err());
        assert!(extra_host("db=nowhere").is_err());
    }

    #[test]
    fn numbers_and_cpusets_are_bounded() {
        assert_eq!(positive::<u64>("5"), Ok(5));
        assert!(positive::<i64>("0").is_err());
        assert!(positive::<i64>("-1").is_err());
        assert_eq!(positive_or_unlimited("-1"), Ok(-1));
        assert!(positive_or_unlimited("0").is_err());
        assert_eq!(cpuset("0-3, 5"), Ok("0-3, 5".to_owned()));
        for wrong in ["a", "3-1", "0-", "9000"] {
            assert!(cpuset(wrong).is_err(), "{wrong}");
        }
    }
}
