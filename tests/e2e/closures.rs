//! An edit builds the services that can see it, and no other.
//!
//! Which services those are is asked of the Go command, not written down here.

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::OnceLock;
use std::time::SystemTime;

use crate::support::fleet::{Example, Fleet, Services, services};

static SHOP: Example = shop("mount");
static SHOP_IN_LAYERS: Example = shop("layer");
static WORKSPACE: Example = workspace("mount");
static WORKSPACE_IN_LAYERS: Example = workspace("layer");

const fn shop(cache: &'static str) -> Example {
    Example {
        cache,
        path: "examples/shop",
        services: &[
            ("api", "services/api"),
            ("catalog", "services/catalog"),
            ("orders", "services/orders"),
            ("web", "services/web"),
            ("worker", "services/worker"),
            ("migrate", "services/migrate"),
        ],
        leaf: "services/worker/worker.go",
        shared: &["internal/store/store.go", "internal/shopapi/client.go"],
        embedded: ("services/web", "services/web/static/shop.css"),
        other_system: &[
            "internal/store/store_windows.go",
            "services/web/pages_js.go",
        ],
        test: "internal/money/money_test.go",
        unrelated: "proto",
        new_service: "services/extra",
        sums: "go.sum",
        base: OnceLock::new(),
    }
}

const fn workspace(cache: &'static str) -> Example {
    Example {
        cache,
        path: "examples/workspace",
        services: &[
            ("billing", "services/billing"),
            ("gateway", "services/gateway"),
            ("report", "services/report"),
        ],
        leaf: "services/report/main.go",
        shared: &["libs/money/money.go", "libs/clock/clock.go"],
        embedded: ("services/gateway", "services/gateway/static/style.css"),
        other_system: &[
            "services/report/spool_windows.go",
            "libs/money/money_darwin_arm64.go",
        ],
        test: "services/billing/invoice/invoice_test.go",
        unrelated: "services/report/loadtest",
        new_service: "services/report/cmd/extra",
        sums: "services/billing/go.sum",
        base: OnceLock::new(),
    }
}

/// Makes each function a test of each example, with each way of caching.
macro_rules! tests_of_each_example {
    ($($test:ident,)+) => {
        tests_of_each_example! { @shop SHOP $($test)+ }
        tests_of_each_example! { @shop_in_layers SHOP_IN_LAYERS $($test)+ }
        tests_of_each_example! { @workspace WORKSPACE $($test)+ }
        tests_of_each_example! { @workspace_in_layers WORKSPACE_IN_LAYERS $($test)+ }
    };
    (@$module:ident $example:ident $($test:ident)+) => {
        mod $module {
            $(
                #[test]
                #[ignore = "needs the engine: cargo xtask test"]
                fn $test() {
                    super::$test(&super::$example);
                }
            )+
        }
    };
}

tests_of_each_example! {
    an_edit_builds_the_importers,
    a_new_file_and_a_deleted_one_build_the_importers,
    two_edits_build_what_sees_either,
    an_embedded_file_builds_its_service,
    what_no_build_reads_builds_nothing,
    a_checkout_with_other_modes_and_times_builds_nothing,
    a_new_service_builds_alone,
    a_file_for_another_system_changes_no_image,
    a_sum_that_nothing_needs_builds_nothing,
}

fn none() -> Services {
    Services::new()
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/')
        .map_or(".", |(directory, _)| directory)
}

/// The package clause of a file's directory.
fn package_of(fleet: &Fleet, path: &str) -> String {
    let directory = fleet.repo.file(directory(path));
    let mut texts = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "go"))
        .map(|path| fs::read_to_string(path).unwrap());
    texts
        .find_map(|text| {
            let line = text.lines().find(|line| line.starts_with("package "))?;
            Some(line.to_owned())
        })
        .unwrap()
}

/// A file that changes every program it is in.
fn extra_code(fleet: &Fleet, path: &str) -> String {
    let package = package_of(fleet, path);
    format!(
        "{package}\n\nfunc init() {{\n\tprintln(\"{path} {}\")\n}}\n",
        fleet.repo.nonce
    )
}

fn an_edit_builds_the_importers(example: &'static Example) {
    let mut fleet = example.built();
    fleet.after("nothing").does_nothing();

    let one = fleet.importers(directory(example.leaf));
    assert_eq!(one.len(), 1, "{} is no leaf", example.leaf);
    fleet.edit_code(example.leaf);
    fleet
        .after("an edit of a main package")
        .builds(&one)
        .changes(&one)
        .downloads_nothing();

    for shared in example.shared {
        let importers = fleet.importers(directory(shared));
        assert!(importers.len() > 1, "{shared} is not shared");
        fleet.edit_code(shared);
        fleet
            .after(&format!("an edit of {shared}"))
            .builds(&importers)
            .changes(&importers)
            .downloads_nothing();
    }
    fleet.finish();
}

fn a_new_file_and_a_deleted_one_build_the_importers(example: &'static Example) {
    let mut fleet = example.built();
    for package in [directory(example.leaf), directory(example.shared[0])] {
        let importers = fleet.importers(package);
        let file = format!("{package}/extra.go");
        fleet.repo.write(&file, &extra_code(&fleet, &file));
        fleet
            .after(&format!("a new {file}"))
            .builds(&importers)
            .changes(&importers);
        // So that what is left is no state that was built before.
        let other = format!("{package}/other.go");
        fleet.repo.write(&other, &extra_code(&fleet, &other));
        fs::remove_file(fleet.repo.file(&file)).unwrap();
        fleet
            .after(&format!("{file} became {other}"))
            .builds(&importers)
            .changes(&importers);
        fleet.repo.write(&file, &extra_code(&fleet, &file));
        fleet.after("both").builds(&importers).changes(&importers);
        fleet.edit_code(&other);
        fs::remove_file(fleet.repo.file(&file)).unwrap();
        fleet
            .after(&format!("{file} was deleted"))
            .builds(&importers)
            .changes(&importers);
    }
    fleet.finish();
}

fn two_edits_build_what_sees_either(example: &'static Example) {
    let mut fleet = example.built();
    let (embedding, embedded) = example.embedded;
    let leaf = fleet.importers(directory(example.leaf));
    let both: Services = leaf.union(&fleet.importers(embedding)).cloned().collect();
    assert_eq!(both.len(), 2);
    fleet.edit_code(example.leaf);
    let comment = format!("\n/* {} */\n", fleet.repo.nonce);
    fleet.append(embedded, &comment);
    fleet
        .after("two edits at once")
        .builds(&both)
        .changes(&both)
        .downloads_nothing();
    fleet.finish();
}

fn an_embedded_file_builds_its_service(example: &'static Example) {
    let mut fleet = example.built();
    let (embedding, embedded) = example.embedded;
    let service = fleet.importers(embedding);
    assert_eq!(service.len(), 1, "{embedding}");
    let comment = format!("\n/* {} */\n", fleet.repo.nonce);
    fleet.append(embedded, &comment);
    fleet
        .after(&format!("an edit of {embedded}"))
        .builds(&service)
        .changes(&service)
        .downloads_nothing();
    let new = format!("{}/new.txt", directory(embedded));
    fleet.repo.write(&new, &comment);
    fleet
        .after(&format!("a new {new}"))
        .builds(&service)
        .changes(&service);
    fs::remove_file(fleet.repo.file(&new)).unwrap();
    fleet.append(embedded, "\n/* and without it */\n");
    fleet
        .after(&format!("{new} was deleted"))
        .builds(&service)
        .changes(&service);
    fleet.finish();
}

fn what_no_build_reads_builds_nothing(example: &'static Example) {
    let mut fleet = example.built();
    let nonce = fleet.repo.nonce.clone();
    let package = directory(example.shared[0]).to_owned();

    fleet.append(example.test, &format!("\nvar _ = \"{nonce}\"\n"));
    fleet
        .after(&format!("an edit of {}", example.test))
        .does_nothing();

    let clause = package_of(&fleet, &format!("{package}/x.go"));
    fleet.repo.write(
        &format!("{package}/new_test.go"),
        &format!(
            "{clause}\n\nimport \"example.com/n{nonce}\"\n\nvar _ = n{nonce}.X // not there\n"
        ),
    );
    fleet
        .after(&format!("a new test in {package}"))
        .does_nothing();

    fleet.append("README.md", &format!("\n{nonce}\n"));
    fleet
        .repo
        .write(&format!("{package}/README.md"), &format!("{nonce}\n"));
    fleet
        .repo
        .write(&format!("{package}/testdata/a/x.go"), &format!("{nonce}\n"));
    fleet
        .after("edits of READMEs and of test data")
        .does_nothing();

    fleet.repo.write("docs/how.txt", &nonce);
    fleet.repo.write("node_modules/x/index.js", &nonce);
    fleet.repo.write(
        &format!("{package}/unused/unused.go"),
        &format!("package unused\n\nconst Nonce = \"{nonce}\"\n"),
    );
    fleet.after("unrelated directories").does_nothing();

    let unused = format!("{package}/unused/unused.go");
    fleet.append(&unused, "\nconst More = 1\n");
    fleet
        .after("an edit of a package that nobody imports")
        .does_nothing();

    let renamed = format!("{}-{nonce}", example.unrelated);
    fs::rename(
        fleet.repo.file(example.unrelated),
        fleet.repo.file(&renamed),
    )
    .unwrap();
    fleet
        .after(&format!("{} is now {renamed}", example.unrelated))
        .does_nothing();

    let spec = fleet.repo.read("fleet.yaml");
    let (syntax, rest) = spec.split_once('\n').unwrap();
    fleet
        .repo
        .write("fleet.yaml", &format!("{syntax}\n# {nonce}\n{rest}"));
    fleet.after("a comment in the spec").does_nothing();
    fleet.finish();
}

fn a_checkout_with_other_modes_and_times_builds_nothing(example: &'static Example) {
    let mut fleet = example.built();
    let now = FileTimes::new().set_modified(SystemTime::now());
    each_path(fleet.repo.path(), &mut |path| {
        File::open(path).unwrap().set_times(now).unwrap();
    });
    fleet.after("touch").does_nothing();

    for umask in [0o002, 0o077] {
        each_path(fleet.repo.path(), &mut |path| {
            let all = if path.is_dir() { 0o777 } else { 0o666 };
            fs::set_permissions(path, Permissions::from_mode(all & !umask)).unwrap();
        });
        fleet
            .after(&format!("a checkout with umask {umask:04o}"))
            .does_nothing();
    }

    // The one bit that Git knows. In a file of an image it means something, in Go it does not.
    each_path(fleet.repo.path(), &mut |path| {
        if path.extension().is_some_and(|end| end == "go") {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
    });
    fleet
        .after("every Go file is executable")
        .count()
        .changes(&none());
    fleet.finish();
}

fn each_path(directory: &Path, act: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_path(&path, act);
        }
        act(&path);
    }
}

fn a_new_service_builds_alone(example: &'static Example) {
    let mut fleet = example.built();
    let nonce = &fleet.repo.nonce;
    fleet.repo.write(
        &format!("{}/main.go", example.new_service),
        &format!("package main\n\nfunc main() {{\n\tprintln(\"{nonce}\")\n}}\n"),
    );
    fleet
        .after("a main package without a service")
        .does_nothing();
    fleet.add_service("extra", example.new_service);
    let extra = services(["extra"]);
    fleet.after("a new service").builds(&extra).changes(&extra);
    fleet.finish();
}

fn a_file_for_another_system_changes_no_image(example: &'static Example) {
    let mut fleet = example.built();
    for path in example.other_system {
        let importers = fleet.importers(directory(path));
        let code = match fs::read_to_string(fleet.repo.file(path)) {
            Ok(text) => format!("{text}\nvar _ = \"{}\"\n", fleet.repo.nonce),
            Err(_) => extra_code(&fleet, path),
        };
        fleet.repo.write(path, &code);
        fleet
            .after(&format!("{path} was written"))
            .builds_at_most(&importers)
            .count()
            .changes(&none())
            .downloads_nothing();
    }
    fleet.finish();
}

fn a_sum_that_nothing_needs_builds_nothing(example: &'static Example) {
    let mut fleet = example.built();
    let module = format!("example.com/n{} v1.0.0", fleet.repo.nonce);
    let sum = "FEBLx1zS214owpjy7qsBeixbURkuhQAwrK5UwLGTwt4=";
    fleet.append(
        example.sums,
        &format!("{module} h1:{sum}\n{module}/go.mod h1:{sum}\n"),
    );
    fleet
        .after(&format!("a line more in {}", example.sums))
        .builds(&none())
        .changes(&none());
    fleet.finish();
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_file_of_the_image_compiles_nothing() {
    let mut fleet = SHOP.built();
    let comment = format!("\n-- {}\n", fleet.repo.nonce);
    fleet.append("services/migrate/migrations/0002_orders.sql", &comment);
    let migrate = services(["migrate"]);
    fleet
        .after("an edit of a file that `files:` takes")
        .builds(&none())
        .changes(&migrate)
        .downloads_nothing();
    fleet.finish();
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn another_version_of_a_module_changes_the_images_that_contain_it() {
    let mut fleet = SHOP.built();
    let pq = "github.com/lib/pq";
    let containing = fleet.containing(pq);
    assert!(containing.len() > 1 && containing.len() < SHOP.services.len());
    fleet.go(".", &["get", &format!("{pq}@v1.12.2")]);
    fleet
        .after("lib/pq v1.12.3 → v1.12.2")
        .count()
        .builds(&containing)
        .changes(&containing);

    let humanize = "github.com/dustin/go-humanize";
    let nonce = &fleet.repo.nonce;
    fleet.repo.write(
        "services/web/humanize.go",
        &format!(
            "package main\n\nimport \"{humanize}\"\n\n\
             func init() {{\n\tprintln(humanize.Bytes(1), \"{nonce}\")\n}}\n"
        ),
    );
    fleet.go(".", &["get", &format!("{humanize}@v1.0.0")]);
    let web = services(["web"]);
    assert_eq!(fleet.containing(humanize), web);
    fleet
        .after("a new requirement of web")
        .count()
        .builds(&web)
        .changes(&web);
    fleet.go(".", &["get", &format!("{humanize}@v1.0.1")]);
    fleet
        .after("go-humanize v1.0.0 → v1.0.1")
        .count()
        .builds(&web)
        .changes(&web);
    fleet.finish();
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn another_version_of_a_module_in_a_workspace_changes_the_images_that_contain_it() {
    let mut fleet = WORKSPACE.built();
    let containing = fleet.containing("github.com/rs/zerolog");
    assert_eq!(containing, services(["billing"]));
    fleet.go(
        "services/billing",
        &["get", "github.com/rs/zerolog@v1.35.0"],
    );
    fleet
        .after("zerolog v1.35.1 → v1.35.0")
        .count()
        .changes(&containing);
    fleet.finish();
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_new_module_in_a_workspace_changes_no_image() {
    let mut fleet = WORKSPACE.built();
    let nonce = fleet.repo.nonce.clone();
    fleet.repo.write(
        "services/extra/go.mod",
        &format!("module example.com/n{nonce}\n\ngo 1.26\n"),
    );
    fleet.repo.write(
        "services/extra/main.go",
        &format!("package main\n\nfunc main() {{\n\tprintln(\"{nonce}\")\n}}\n"),
    );
    fleet.go(".", &["work", "use", "./services/extra"]);
    fleet
        .after("a new module in go.work")
        .count()
        .changes(&none());
    fleet.add_service("extra", "services/extra");
    let extra = services(["extra"]);
    fleet
        .after("a service in it")
        .builds(&extra)
        .changes(&extra);
    fleet.finish();
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_workspace_needs_no_sums_of_its_own() {
    let mut fleet = WORKSPACE.built();
    fs::remove_file(fleet.repo.file("go.work.sum")).unwrap();
    fleet
        .after("go.work.sum was deleted")
        .count()
        .changes(&none());
    fleet.finish();
}
