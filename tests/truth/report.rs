//! What the test says: per repository, and in the end.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use gofleet::closure::Doubt;

/// How many times wider than exact half of the closures may be, and the worst one.
const MEDIAN_GOAL: f64 = 1.10;
const WORST_GOAL: f64 = 1.5;

/// One main package.
pub(crate) struct Main {
    pub(crate) dir: String,
    /// Files that `go list` names and the closure does not hold.
    pub(crate) missed: Vec<String>,
    pub(crate) bytes: u64,
    pub(crate) exact_bytes: u64,
    /// Bytes that `go list` does not name, by directory.
    pub(crate) surplus: Vec<(String, u64)>,
    pub(crate) doubts: Vec<Doubt>,
}

impl Main {
    /// Times that the closure is wider than exact, if `go list` knows any file.
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    fn width(&self) -> Option<f64> {
        (self.exact_bytes > 0).then(|| self.bytes as f64 / self.exact_bytes as f64)
    }
}

/// One repository.
#[derive(Default)]
pub(crate) struct Verdict {
    name: &'static str,
    pub(crate) mains: Vec<Main>,
    pub(crate) unknown_mains: Vec<String>,
    pub(crate) same: Vec<String>,
    pub(crate) unbuildable: Vec<String>,
    pub(crate) different: Vec<String>,
    /// How many were built with a part of their manifests.
    pub(crate) cut: usize,
    pub(crate) go_files: usize,
    pub(crate) closures_took: Duration,
    /// Mean of one `go list -deps` of all mains.
    pub(crate) lists_took: Duration,
}

impl Verdict {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }
}

/// Median and worst of some numbers.
fn spread(mut numbers: Vec<f64>) -> (f64, f64) {
    numbers.sort_by(f64::total_cmp);
    let median = numbers.get(numbers.len() / 2).copied();
    (
        median.unwrap_or(1.0),
        numbers.last().copied().unwrap_or(1.0),
    )
}

fn widths<'a>(mains: impl IntoIterator<Item = &'a Main>) -> Vec<f64> {
    mains.into_iter().filter_map(Main::width).collect()
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (median, worst) = spread(widths(&self.mains));
        let missing = self.mains.iter().filter(|m| !m.missed.is_empty()).count();
        write!(
            f,
            "{}: {} mains, {} files; {missing} incomplete; wider than exact: median {median:.3}, \
             worst {worst:.3}; built: {} equal, {} in neither, \
             {} different, {} with a part of go.mod; scan and closures {:.2} s, one go list -deps {:.2} s",
            self.name,
            self.mains.len(),
            self.go_files,
            self.same.len(),
            self.unbuildable.len(),
            self.different.len(),
            self.cut,
            self.closures_took.as_secs_f64(),
            self.lists_took.as_secs_f64(),
        )?;
        for main in self.mains.iter().filter(|m| !m.missed.is_empty()) {
            let some: Vec<&str> = main.missed.iter().take(5).map(String::as_str).collect();
            let count = main.missed.len();
            write!(f, "\n  MISSED by {}: {count}, {}", main.dir, some.join(" "))?;
        }
        for main in &self.unknown_mains {
            write!(f, "\n  NOT FOUND: main package {main}")?;
        }
        for text in &self.different {
            write!(f, "\n  DIFFERENT {}", text.replace('\n', "\n    "))?;
        }
        for main in &self.unbuildable {
            write!(f, "\n  builds in neither: {main}")?;
        }
        let mut wide: Vec<&Main> = self.mains.iter().collect();
        wide.retain(|m| m.width().is_some_and(|w| w > MEDIAN_GOAL));
        wide.sort_by(|a, b| {
            b.width()
                .unwrap_or(0.0)
                .total_cmp(&a.width().unwrap_or(0.0))
        });
        for main in wide.iter().take(4) {
            let width = main.width().unwrap_or(0.0);
            let (name, bytes) = (&main.dir, main.bytes);
            write!(f, "\n  WIDE {name}: {width:.2} ({bytes} bytes):")?;
            let mut surplus = main.surplus.clone();
            surplus.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
            for (dir, bytes) in surplus.iter().take(4) {
                write!(f, " {dir} +{bytes}")?;
            }
        }
        let mut causes: BTreeMap<String, usize> = BTreeMap::new();
        for main in &self.mains {
            for doubt in &main.doubts {
                let cause = format!("{}:{}: {}", doubt.file, doubt.line, doubt.text);
                *causes.entry(cause).or_default() += 1;
            }
        }
        for (cause, count) in causes {
            write!(f, "\n  doubt in {count}: {cause}")?;
        }
        Ok(())
    }
}

/// All repositories.
#[derive(Default)]
pub(crate) struct Total {
    repos: usize,
    mains: Vec<Main>,
    same: usize,
    unbuildable: usize,
    different: usize,
    unknown: usize,
    /// Repositories that could not be judged.
    pub(crate) broken: usize,
}

impl Total {
    pub(crate) fn add(&mut self, verdict: Verdict) {
        self.repos += 1;
        self.same += verdict.same.len();
        self.unbuildable += verdict.unbuildable.len();
        self.different += verdict.different.len();
        self.unknown += verdict.unknown_mains.len();
        self.mains.extend(verdict.mains);
    }

    fn incomplete(&self) -> usize {
        self.mains.iter().filter(|m| !m.missed.is_empty()).count()
    }

    pub(crate) fn is_good(&self) -> bool {
        let (median, worst) = spread(widths(&self.mains));
        self.broken + self.different + self.unknown + self.incomplete() == 0
            && median <= MEDIAN_GOAL
            && worst <= WORST_GOAL
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (median, worst) = spread(widths(&self.mains));
        write!(
            f,
            "all: {} repositories, {} could not be judged; {} mains, {} incomplete, {} not found; \
             wider than exact: median {median:.3} (goal {MEDIAN_GOAL}), worst {worst:.3} (goal \
             {WORST_GOAL}); built: {} equal, {} in \
             neither, {} different",
            self.repos,
            self.broken,
            self.mains.len(),
            self.incomplete(),
            self.unknown,
            self.same,
            self.unbuildable,
            self.different,
        )
    }
}
