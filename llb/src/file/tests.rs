//! How actions are chained. Bytes are compared with the Go client's in
//! `tests/go_bytes.rs`.
#![allow(clippy::unwrap_used)]

use crate::*;

#[track_caller]
fn check(output: Output, expect: &str) {
    let text = text::render(&output.marshal());
    assert!(text.contains(expect), "{text}");
}

#[test]
fn each_action_is_on_the_one_before_and_the_last_is_the_output() {
    let (a, b) = (Source::local("a").build(), Source::local("b").build());
    let chain = FileOp::on(&a)
        .copy(Copy::new(&b, "x", "y/"))
        .copy(Copy::new(&a, "x", "z"))
        .rm(Rm::new("y"));
    check(
        chain.build(),
        "\
%2 file
   input %0
   input %1
   action 0 on %0
      copy %1 /x to /y/
   action 1 on action 0
      copy %0 /x to /z
   action 2 on action 1 output 0
      rm /y
",
    );
}

#[test]
fn times_and_modes_are_unset_unless_set() {
    check(
        FileOp::new().mkdir(Mkdir::new("a")).build(),
        "      mkdir /a\n      mode 0755\n   cap",
    );
    check(
        FileOp::new().mkdir(Mkdir::new("a").timestamp(0)).build(),
        "      mode 0755\n      timestamp 0ns\n",
    );
    let local = Source::local("a").build();
    let copy = |copy: Copy| FileOp::new().copy(copy).build();
    check(copy(Copy::new(&local, "x", "y")), "to /y\n   cap");
    check(
        copy(Copy::new(&local, "x", "y").mode(0)),
        "to /y\n      mode 0000\n",
    );
    check(
        copy(Copy::new(&local, "x", "y").mode(7).mode_str("a=rX")),
        "to /y\n      mode a=rX\n",
    );
    check(
        copy(Copy::new(&local, "x", "y").mode_str("")),
        "to /y\n   cap",
    );
}

#[test]
fn names_are_looked_up_in_the_base_or_in_a_given_tree() {
    let base = Source::image("alpine").build();
    let users = Source::image("debian").build();
    let mkdir = |owner| Mkdir::new("/a").owner(owner);
    check(
        FileOp::on(&base)
            .mkdir(mkdir(Owner::parse("www:www")))
            .build(),
        "      user www of %0\n      group www of %0\n",
    );
    check(
        FileOp::on(&base)
            .mkdir(mkdir(Owner::parse("www:0").lookup_in(&users)))
            .build(),
        "      user www of %1\n      group 0\n",
    );
    // Numbers need no tree.
    let by_number = FileOp::on(&base)
        .mkdir(mkdir(Owner::ids(1, 2).lookup_in(&users)))
        .build();
    assert_eq!(by_number.marshal().def.len(), 3);
}

#[test]
fn seconds_that_do_not_fit_are_the_first_or_last() {
    assert_eq!(Timestamp::from_secs(2), Timestamp(2_000_000_000));
    assert_eq!(Timestamp::from_secs(i64::MAX), Timestamp(i64::MAX));
    assert_eq!(Timestamp::from_secs(i64::MIN), Timestamp(i64::MIN));
}

#[test]
fn no_action_is_an_error() {
    assert_eq!(FileOp::new().build().check(), Err(Error::NoActions));
}
