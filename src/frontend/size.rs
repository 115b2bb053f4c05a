//! How large the machine is that steps run on: it is the one that we run on.

use std::fs;

const GIB: u64 = 1 << 30;

/// Left to the daemon, the page cache and the one compile of shared packages.
const RESERVED: u64 = 2;

/// Most builds side by side: beyond it they gain nothing from each other's waits.
const MOST: u64 = 16;

/// How many builds of one repository run side by side, where nobody says it: one for each
/// processor, and for each GiB of memory. Linking a program of 50 MB takes half of that
/// (`docs/performance.md`).
pub(super) fn parallel_builds() -> u32 {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let memory = memory(
        &fs::read_to_string("/proc/meminfo").unwrap_or_default(),
        &[
            "/sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        ]
        .map(|file| fs::read_to_string(file).unwrap_or_default()),
    );
    fitting(cores as u64, memory)
}

fn fitting(cores: u64, memory: u64) -> u32 {
    // A machine of 4 GiB has a little less to give.
    let by_memory = (memory.saturating_add(GIB / 2) / GIB).saturating_sub(RESERVED);
    let builds = cores.max(2).min(by_memory).clamp(1, MOST);
    u32::try_from(builds).unwrap_or(1)
}

/// Bytes of memory: the machine's, or less where a control group has a limit that we see.
fn memory(meminfo: &str, limits: &[String]) -> u64 {
    let total = meminfo.lines().find_map(|line| {
        let kib = line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?;
        Some(kib.trim().parse::<u64>().ok()? * 1024)
    });
    let limits = limits.iter().filter_map(|text| text.trim().parse().ok());
    limits.chain(total).min().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_fit_the_machine() {
        assert_eq!(fitting(2, 24 * GIB), 2);
        assert_eq!(fitting(2, 4 * GIB - GIB / 8), 2);
        assert_eq!(fitting(1, 24 * GIB), 2);
        assert_eq!(fitting(8, 4 * GIB), 2);
        assert_eq!(fitting(8, 16 * GIB), 8);
        assert_eq!(fitting(64, 256 * GIB), 16);
        assert_eq!(fitting(4, GIB), 1);
    }

    #[test]
    fn the_smallest_limit_counts() {
        let meminfo = "MemTotal:       8388608 kB\nMemFree: 1 kB\n";
        let limit = |text: &str| memory(meminfo, &[text.to_owned(), String::new()]) / GIB;
        assert_eq!(limit("max"), 8);
        assert_eq!(limit("4294967296\n"), 4);
        // What a group without a limit says in the first version of control groups.
        assert_eq!(limit("9223372036854771712\n"), 8);
        assert_eq!(memory("", &[]), u64::MAX);
    }
}
