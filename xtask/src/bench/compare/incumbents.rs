//! What a repository would write without gofleet: the two Dockerfiles of `incumbents/`
//! with the services filled in, a bake file, ko's configuration. The hand-written bake
//! file for gofleet is made here, too: it is the same without a Dockerfile.

use std::fmt::Write as _;

use super::subject::{Service, Subject};

const PER_SERVICE: &str = include_str!("incumbents/per-service.Dockerfile");
const ONE_STEP: &str = include_str!("incumbents/one-step.Dockerfile");
/// The ignore file of both.
pub(super) const DOCKERIGNORE: &str = include_str!("incumbents/dockerignore");

/// Name of the cache mount with modules. Both Dockerfiles have the same one.
pub(super) const MODULES: &str = "compare/modules";

/// The Dockerfile with a build step per service.
pub(super) fn per_service(subject: &Subject, build_mount: &str) -> String {
    render(PER_SERVICE, subject, build_mount)
}

/// The Dockerfile with one build step for all services.
pub(super) fn one_step(subject: &Subject, build_mount: &str) -> String {
    render(ONE_STEP, subject, build_mount)
}

/// Fills in the services.
fn render(template: &str, subject: &Subject, build_mount: &str) -> String {
    let mains: Vec<&str> = subject.services.iter().map(|s| s.main.as_str()).collect();
    let common = |text: &str| {
        text.replace("{modules}", MODULES)
            .replace("{build}", build_mount)
            .replace("{builder}", &subject.images[0])
            .replace("{mains}", &mains.join(" "))
            .replace("{manifests}", &manifest_mounts(&subject.manifests))
    };
    let mut out = String::new();
    let mut repeated: Option<String> = None;
    for line in template.lines() {
        match (line, &mut repeated) {
            ("# >>> for each service", _) => repeated = Some(String::new()),
            ("# <<<", Some(part)) => {
                for service in &subject.services {
                    out.push_str(
                        &common(part)
                            .replace("{name}", &service.name)
                            .replace("{program}", program(service))
                            .replace("{main}", &service.main),
                    );
                }
                repeated = None;
            }
            (_, Some(part)) => {
                part.push_str(line);
                part.push('\n');
            }
            // The head says what is filled in; it stays as it is.
            (_, None) if line.starts_with('#') => {
                out.push_str(line);
                out.push('\n');
            }
            (_, None) => {
                out.push_str(&common(line));
                out.push('\n');
            }
        }
    }
    out
}

/// Mounts of `go.mod` and its like at their places below the working directory.
pub(super) fn manifest_mounts(manifests: &[String]) -> String {
    let mounts: Vec<String> = manifests
        .iter()
        .map(|path| format!("--mount=type=bind,source={path},target={path}"))
        .collect();
    mounts.join(" ")
}

/// The name that `go build -o DIR/` gives a program.
fn program(service: &Service) -> &str {
    let main = service.main.trim_end_matches('/');
    main.rsplit('/').next().unwrap_or(main)
}

/// A bake file with one target per service and nothing else. `secret`: the steps of a
/// Dockerfile name it, gofleet's take it in any case.
pub(super) fn bake_file(subject: &Subject, dockerfile: &str) -> String {
    let names: Vec<String> = subject
        .services
        .iter()
        .map(|service| format!("\"{}\"", service.name))
        .collect();
    let mut text = format!("group \"default\" {{ targets = [{}] }}\n", names.join(", "));
    for name in names {
        let _ = write!(
            text,
            "target {name} {{\n  dockerfile = \"{dockerfile}\"\n  target = {name}\n}}\n"
        );
    }
    text
}

/// ko's configuration: the same flags of `go build` for every main package.
pub(super) fn ko_config(subject: &Subject) -> String {
    let mut text = "builds:\n".to_owned();
    for service in &subject.services {
        let _ = write!(
            text,
            "- id: {}\n  main: {}\n  flags: [-trimpath]\n  ldflags: [-s, -w, -buildid=]\n  \
             env: [CGO_ENABLED=0, GOFLAGS=-mod=readonly]\n",
            service.name, service.main
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject::example(&[("api", "./cmd/api"), ("web", "./sites/front")])
    }

    #[test]
    fn every_service_has_its_stages_and_nothing_is_left_to_fill_in() {
        for (text, steps) in [
            (per_service(&subject(), "b"), 3),
            (one_step(&subject(), "b"), 2),
        ] {
            let code: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
            let code = code.join("\n");
            assert_eq!(code.matches("\nRUN ").count(), steps, "{text}");
            for stage in [
                "FROM scratch AS api\n",
                "FROM scratch AS web\n",
                "FROM scratch AS all\n",
            ] {
                assert!(code.contains(stage), "{stage} is not in {text}");
            }
            assert!(!code.contains('{') && !code.contains(">>>"), "{text}");
            assert!(code.contains("source=go.sum,target=go.sum"));
            assert!(text.starts_with("# syntax=docker/dockerfile:1\n"));
        }
        assert!(one_step(&subject(), "b").contains("-o /out/ ./cmd/api ./sites/front"));
        assert!(one_step(&subject(), "b").contains("COPY --from=build /out/front /web"));
    }

    #[test]
    fn a_bake_file_has_a_target_per_service() {
        let text = bake_file(&subject(), "Dockerfile");
        assert!(text.starts_with("group \"default\" { targets = [\"api\", \"web\"] }\n"));
        assert!(
            text.contains(
                "target \"web\" {\n  dockerfile = \"Dockerfile\"\n  target = \"web\"\n}\n"
            )
        );
    }
}
