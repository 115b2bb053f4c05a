//! Which outputs an exec has, and what is wrong with one. Bytes are compared
//! with the Go client's in `tests/go_bytes.rs`.
#![allow(clippy::unwrap_used)]

use crate::*;

fn image() -> Output {
    Source::image("golang").build()
}

#[test]
fn outputs_are_numbered_by_path_whatever_the_order() {
    let image = image();
    let exec = Exec::new(["x"])
        .mount(Mount::scratch("/z"))
        .mount(Mount::bind("/m", &image).readonly())
        .mount(Mount::bind("/k", &image).no_output())
        .mount(Mount::scratch("/a"))
        .mount(Mount::bind("/", &image))
        .mount(Mount::cache("/c", "id"))
        .build();
    let index = |dest: &str| exec.output(dest).map(|output| output.index());
    assert_eq!(exec.root().unwrap().index(), 0);
    assert_eq!(index("/a"), Ok(1));
    assert_eq!(index("/z"), Ok(2));
    for dest in ["/m", "/k", "/c"] {
        let dest = dest.to_owned();
        assert_eq!(index(&dest), Err(Error::NoOutput { dest }));
    }
    let dest = "/none".to_owned();
    assert_eq!(index(&dest), Err(Error::NoMount { dest }));
}

#[test]
fn order_of_mounts_does_not_change_the_digest() {
    let image = image();
    let digest = |exec: ExecBuilder| exec.build().root().unwrap().digest().clone();
    let root = || Mount::bind("/", &image);
    let source = || Mount::bind("/src", &image).readonly();
    let one = digest(Exec::new(["x"]).mount(root()).mount(source()));
    let two = digest(Exec::new(["x"]).mount(source()).mount(root()));
    assert_eq!(one, two);
}

#[test]
fn later_variables_replace_earlier_ones_and_go_to_the_end() {
    let image = image();
    let exec = Exec::new(["x"])
        .mount(Mount::bind("/", &image))
        .env("A", "1")
        .env("B", "2=3")
        .env("A", "4")
        .build();
    let text = text::render(&exec.root().unwrap().marshal());
    assert!(text.contains("   env B=2=3\n   env A=4\n"), "{text}");
}

#[test]
fn path_is_declared_only_if_the_daemon_has_to_set_it() {
    let image = image();
    let caps = |exec: ExecBuilder| {
        let exec = exec.mount(Mount::bind("/", &image)).build();
        caps_of(&exec.root().unwrap().marshal())
    };
    assert!(caps(Exec::new(["x"])).contains(caps::EXEC_META_SETS_DEFAULT_PATH));
    let with_path = Exec::new(["x"]).env("PATH", "/bin");
    assert!(!caps(with_path).contains(caps::EXEC_META_SETS_DEFAULT_PATH));
}

#[test]
fn agents_set_their_variable_unless_it_is_set() {
    let image = image();
    let text = |exec: ExecBuilder| {
        let exec = exec.mount(Mount::bind("/", &image));
        let exec = exec.mount(Mount::ssh("", "")).build();
        text::render(&exec.root().unwrap().marshal())
    };
    let auto = text(Exec::new(["x"]));
    assert!(
        auto.contains("env SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0\n"),
        "{auto}"
    );
    let own = text(Exec::new(["x"]).env("SSH_AUTH_SOCK", "/s"));
    assert!(own.contains("env SSH_AUTH_SOCK=/s\n"), "{own}");
}

#[test]
fn what_the_daemon_would_refuse() {
    let image = image();
    let check = |exec: ExecBuilder, expect: Result<(), Error>| {
        let exec = exec.mount(Mount::scratch("/out")).build();
        assert_eq!(exec.output("/out").unwrap().check(), expect);
    };
    let root = Mount::bind("/", &image);
    check(Exec::new(["x"]).mount(root.clone()), Ok(()));
    check(Exec::new(["x"]).mount(root.clone().readonly()), Ok(()));
    check(Exec::new(["x"]), Err(Error::NoRoot));
    check(Exec::new([""; 0]).mount(root.clone()), Err(Error::NoArgs));
    check(
        Exec::new(["x"]).mount(root.clone().no_output()),
        Err(Error::RootWithoutOutput),
    );
    let dest = "/c".to_owned();
    check(
        Exec::new(["x"]).mount(root).mount(Mount::cache(&dest, "")),
        Err(Error::NoCacheId { dest }),
    );
    // Found from further up, too.
    let broken = Source::image("NOT A NAME").build();
    let exec = Exec::new(["x"]).mount(Mount::bind("/", &broken)).build();
    let error = exec.root().unwrap().check().unwrap_err();
    assert!(matches!(error, Error::ImageRef { .. }), "{error}");
}
