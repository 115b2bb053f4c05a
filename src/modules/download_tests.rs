#![allow(clippy::unwrap_used)]
use super::*;
use std::sync::Mutex;

#[test]
fn modules_are_found_in_messages() {
    let name = |text| named(text).map(|m| format!("{} {}", m.path, m.version));
    assert_eq!(
        name("go: a.org/x@v1.0.0: reading https://u@h/x@v1: 401").as_deref(),
        Some("a.org/x v1.0.0")
    );
    assert_eq!(
        name("verifying a.org/x@v1.0.0/go.mod: checksum mismatch").as_deref(),
        Some("a.org/x v1.0.0")
    );
    assert_eq!(
        name("go: a.org/x@v1.0.0 requires\n\tb.org/y@v1.1.0: reading https://h/: 401").as_deref(),
        Some("b.org/y v1.1.0")
    );
    assert_eq!(
        name("go: a.org/x@v1.0.0 requires go >= 1.99 (running go 1.26.8)").as_deref(),
        Some("a.org/x v1.0.0")
    );
    assert_eq!(name("go: no module"), None);
}

/// Keeps what it was asked to run.
#[derive(Default)]
struct Asked(Mutex<Vec<Vec<String>>>);

impl Go for Asked {
    fn run(&self, _: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        self.0.lock().unwrap().push(args);
        Ok(Vec::new())
    }
}

#[test]
fn modules_are_names_however_they_look_and_however_many_they_are() {
    let go = Asked::default();
    let module = |path: String| Module {
        path,
        version: "v1.0.0".to_owned(),
    };
    let long = "x".repeat(100);
    let mut modules: BTreeSet<Module> = (0..30_000)
        .map(|i| module(format!("a.org/{long}/{i}")))
        .collect();
    modules.insert(module("-modfile=/x".to_owned()));
    download(&modules, Path::new("."), &go);
    let asked = go.0.into_inner().unwrap();
    assert!(asked.len() > 10);
    let mut names = 0;
    for args in asked {
        assert_eq!(args[..4], ["mod", "download", "-json", "--"]);
        assert!(args.iter().map(String::len).sum::<usize>() < 300_000);
        names += args.len() - 4;
    }
    assert_eq!(names, modules.len());
}

/// Refuses one module in the way of a wrong checksum, without a word about the others.
struct Fatal(Mutex<Vec<usize>>);

impl Go for Fatal {
    fn run(&self, _: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        self.0.lock().unwrap().push(args.len() - 4);
        if !args.contains(&"b.org/y@v1.0.0") {
            return Ok(Vec::new());
        }
        let stderr = "verifying b.org/y@v1.0.0: checksum mismatch\n".to_owned();
        let answered = ["a.org/x", "b.org/y"];
        Err(GoError::Failed {
            stdout: Vec::new(),
            stderr,
            answered: answered
                .map(|path| format!("https://p.example/{path}/@v/v1.0.0.zip"))
                .to_vec(),
        })
    }
}

#[test]
fn a_wrong_checksum_keeps_no_other_module_from_being_fetched() {
    let go = Fatal(Mutex::default());
    let modules = ["a.org/x", "b.org/y", "c.org/z"].map(|path| Module {
        path: path.to_owned(),
        version: "v1.0.0".to_owned(),
    });
    let failures = download(&modules.into(), Path::new("."), &go);
    assert_eq!(*go.0.lock().unwrap(), [3, 2]);
    let found: Vec<&Problem> = failures.modules.values().collect();
    assert_eq!((found.len(), found[0].module.as_str()), (1, "b.org/y"));
    // Whose file it was, Go leaves out.
    assert_eq!(found[0].host, "p.example");
    assert!(failures.general.is_none());
}

/// Waits for one host in vain.
struct Waits(&'static str, Mutex<Vec<usize>>);

impl Go for Waits {
    fn run(&self, _: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        self.1.lock().unwrap().push(args.len() - 4);
        if !args.iter().any(|name| name.starts_with("git.example")) {
            return Ok(Vec::new());
        }
        Err(GoError::Silent(Silence::of(self.0)))
    }
}

#[test]
fn a_silent_server_keeps_no_module_of_others_from_being_fetched() {
    let modules = ["git.example/x", "git.example/y", "c.org/z"].map(|path| Module {
        path: path.to_owned(),
        version: "v1.0.0".to_owned(),
    });
    let failed = |asked, runs: &[usize]| {
        let go = Waits(asked, Mutex::default());
        let failures = download(&modules.clone().into(), Path::new("."), &go);
        assert_eq!(*go.1.lock().unwrap(), runs);
        let paths = failures.modules.into_keys().map(|module| module.path);
        (paths.collect::<Vec<_>>(), failures.silent)
    };
    let of_host = vec!["git.example/x".to_owned(), "git.example/y".to_owned()];
    assert_eq!(
        failed("git ls-remote https://git.example/x", &[3, 1]),
        (of_host, false)
    );
    // A module proxy has the others, too.
    let asked = "https://p.example/git.example/x/@v/v1.0.0.info";
    assert_eq!(
        failed(asked, &[3]),
        (vec!["git.example/x".to_owned()], true)
    );
}

#[test]
fn errors_are_read_one_by_one() {
    let json = br#"{"Path":"a.org/x","Version":"v1.0.0","Dir":"/d"}
        {"Path":"b.org/y","Version":"v1.1.0","Error":"no"}"#;
    let found = errors(json);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0.path, "b.org/y");
}
