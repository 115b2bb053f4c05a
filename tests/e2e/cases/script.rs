//! Runs the script of a case: each line a command, in the case's repository.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::archive::{Archive, Kind};
use crate::support::build::{Build, buildx};
use crate::support::command::{Output, Tool};
use crate::support::progress::Progress;
use crate::support::repo::Repo;

/// Runs a case.
///
/// # Panics
///
/// A line does not come out as it says. The message has the case and the line.
pub(super) fn run(name: &str, text: &str) {
    let repo = Repo::empty();
    let text = text.replace("%NONCE%", &repo.nonce);
    let archive = Archive::parse(&text);
    for entry in &archive.entries {
        let path = repo.file(entry.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match entry.kind {
            Kind::File(text) => fs::write(path, text).unwrap(),
            Kind::Link(target) => symlink(target, path).unwrap(),
            Kind::Directory => fs::create_dir_all(path).unwrap(),
            Kind::Pipe => mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap(),
        }
    }
    let mut case = Case {
        repo,
        out: TempDir::new().unwrap(),
        flags: Vec::new(),
        remembered: BTreeMap::new(),
        last: None,
    };
    for (number, line) in archive.script.lines().enumerate() {
        let words = shlex::split(line)
            .unwrap_or_else(|| panic!("{name}:{}: quotes without an end", number + 1));
        if let Some((command, args)) = words.split_first() {
            // Above whatever the command itself says.
            eprintln!("{name}:{}: {line}", number + 1);
            case.command(command, args);
        }
    }
}

struct Case {
    repo: Repo,
    /// Where built programs are.
    out: TempDir,
    /// Flags of the last `build`.
    flags: Vec<String>,
    /// Programs by their services.
    remembered: BTreeMap<String, Vec<u8>>,
    /// What the last command printed.
    last: Option<Output>,
}

impl Case {
    fn command(&mut self, command: &str, args: &[String]) {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        match (command, words.as_slice()) {
            ("build", _) => {
                self.flags = args.to_vec();
                let output = self.binaries(self.build()).ok();
                self.last = Some(output);
            }
            ("prints", [service, text]) => {
                let program = self.out.path().join(service);
                // The built-in println writes to standard error, and costs no package.
                let printed = Tool::new(program).ok().all();
                assert_eq!(printed.trim(), *text);
            }
            ("remembers", [service]) => {
                let program = self.program(service);
                self.remembered.insert((*service).to_owned(), program);
            }
            ("same", [service]) => {
                let before = self.remembered.get(*service);
                assert!(
                    before == Some(&self.program(service)),
                    "{service} is another program"
                );
            }
            ("rebuilds", ["nothing"]) => assert_eq!(self.rebuilt(), [""; 0]),
            ("rebuilds", [first, rest @ ..]) => {
                let mut services = vec![*first];
                services.extend(rest);
                services.sort_unstable();
                assert_eq!(self.rebuilt(), services);
            }
            ("build-fails", _) => {
                let build = buildx(&self.repo).fetching().args(args);
                self.last = Some(build.fails());
            }
            ("check", _) => {
                let build = self.check(args);
                self.last = Some(build.tool("plain", None).ok());
            }
            ("check-fails", _) => self.last = Some(self.check(args).fails()),
            ("tool", _) => self.last = Some(self.tool(args).ok()),
            ("tool-fails", _) => self.last = Some(self.tool(args).fails()),
            ("closure", [service, has, path]) => {
                let files = self.tool(&["closure".into(), (*service).into()]).ok();
                let listed = files.text().lines().any(|line| line == *path);
                assert!(
                    listed == (*has == "has"),
                    "closure of {service}:\n{}",
                    files.text()
                );
            }
            ("says", [text]) => {
                self.last().says([*text]);
            }
            ("never", [text]) => {
                self.last().never_says([*text]);
            }
            ("edit", [path, from, to]) => {
                self.repo.edit(path, from, to);
            }
            ("write", [path, text]) => {
                self.repo.write(path, text);
            }
            ("remove", [path]) => {
                let path = self.repo.file(path);
                match fs::symlink_metadata(&path).unwrap().is_dir() {
                    true => fs::remove_dir_all(path).unwrap(),
                    false => fs::remove_file(path).unwrap(),
                }
            }
            ("link", [path, target]) => {
                let path = self.repo.file(path);
                let _ = fs::remove_file(&path);
                symlink(target, path).unwrap();
            }
            _ => panic!(
                "no command of a case: `{command}` with {} words",
                args.len()
            ),
        }
    }

    fn last(&self) -> &Output {
        self.last
            .as_ref()
            .unwrap_or_else(|| panic!("nothing was run yet"))
    }

    fn program(&self, service: &str) -> Vec<u8> {
        fs::read(self.out.path().join(service)).unwrap()
    }

    /// The build of the last `build` line.
    fn build(&self) -> Build {
        buildx(&self.repo).fetching().args(&self.flags)
    }

    fn binaries(&self, build: Build) -> Tool {
        let dest = format!("type=local,dest={}", self.out.path().display());
        build.target("binaries").tool("rawjson", Some(&dest))
    }

    fn check(&self, args: &[String]) -> Build {
        buildx(&self.repo).args(["--check"]).args(args)
    }

    fn tool(&self, args: &[String]) -> Tool {
        Tool::new(env!("CARGO_BIN_EXE_gofleet"))
            .args(args)
            .dir(self.repo.path())
    }

    /// Builds again, and names the services whose build step ran.
    fn rebuilt(&mut self) -> Vec<String> {
        let output = self.binaries(self.build()).ok();
        let progress = Progress::parse(&output.stderr);
        let mut services: Vec<String> = progress
            .executed()
            .into_iter()
            .filter(|step| step.contains("go build "))
            .filter_map(|step| {
                let label = step.strip_prefix('[')?.split(']').next()?;
                label.split_whitespace().last().map(str::to_owned)
            })
            .collect();
        services.sort_unstable();
        self.last = Some(output);
        services
    }
}
