//! Text of exec ops.

use buildkit_proto::pb;

use crate::text::{Names, Page, word};

impl Page {
    pub(super) fn exec(&mut self, op: &pb::Op, exec: &pb::ExecOp, names: &Names) {
        match &exec.meta {
            Some(process) => self.process(process),
            None => self.line("no process"),
        }
        let network = match exec.network {
            0 => String::new(),
            1 => "host".to_owned(),
            2 => "none".to_owned(),
            other => other.to_string(),
        };
        self.fact(!network.is_empty(), format_args!("network {network}"));
        let security = match exec.security {
            0 => String::new(),
            1 => "insecure".to_owned(),
            other => other.to_string(),
        };
        self.fact(!security.is_empty(), format_args!("security {security}"));
        for secret in &exec.secretenv {
            let (id, name) = (word(&secret.id), word(&secret.name));
            let optional = optional(secret.optional);
            self.line(format_args!("secret-env {name} id {id}{optional}"));
        }
        for device in &exec.cdi_devices {
            let optional = optional(device.optional);
            self.line(format_args!("device {}{optional}", word(&device.name)));
        }
        for mount in &exec.mounts {
            let line = mount_line(op, mount, names);
            self.line(line);
        }
    }

    fn process(&mut self, process: &pb::Meta) {
        for arg in &process.args {
            self.line(format_args!("arg {}", word(arg)));
        }
        for entry in &process.env {
            self.line(format_args!("env {}", word(entry)));
        }
        self.line(format_args!("cwd {}", word(&process.cwd)));
        for (name, value) in [
            ("user", &process.user),
            ("hostname", &process.hostname),
            ("cgroup-parent", &process.cgroup_parent),
        ] {
            self.fact(!value.is_empty(), format_args!("{name} {}", word(value)));
        }
        if let Some(proxy) = &process.proxy_env {
            self.line("proxy");
            for (name, value) in [
                ("http", &proxy.http_proxy),
                ("https", &proxy.https_proxy),
                ("ftp", &proxy.ftp_proxy),
                ("no", &proxy.no_proxy),
                ("all", &proxy.all_proxy),
            ] {
                self.fact(
                    !value.is_empty(),
                    format_args!("proxy {name} {}", word(value)),
                );
            }
        }
        for host in &process.extra_hosts {
            let (name, ip) = (word(&host.host), word(&host.ip));
            self.line(format_args!("host {name} {ip}"));
        }
        for limit in &process.ulimit {
            let name = word(&limit.name);
            self.line(format_args!("ulimit {name} {} {}", limit.soft, limit.hard));
        }
        for code in &process.valid_exit_codes {
            self.line(format_args!("valid-exit-code {code}"));
        }
        let stubs = process.remove_mount_stubs_recursive;
        self.fact(stubs, "remove-mount-stubs");
    }
}

fn mount_line(op: &pb::Op, mount: &pb::Mount, names: &Names) -> String {
    let dest = word(&mount.dest);
    let mut line = match pb::MountType::try_from(mount.mount_type) {
        Ok(pb::MountType::Bind) => format!("mount {dest}"),
        Ok(pb::MountType::Secret) => format!("mount {dest} secret"),
        Ok(pb::MountType::Ssh) => format!("mount {dest} ssh"),
        Ok(pb::MountType::Cache) => format!("mount {dest} cache"),
        Ok(pb::MountType::Tmpfs) => format!("mount {dest} tmpfs"),
        Err(_) => format!("mount {dest} type {}", mount.mount_type),
    };
    let mut add = |fact: String| {
        line.push(' ');
        line += &fact;
    };
    if let Some(cache) = &mount.cache_opt {
        add(format!("id {}", word(&cache.id)));
        add(match cache.sharing {
            0 => "shared".to_owned(),
            1 => "private".to_owned(),
            2 => "locked".to_owned(),
            other => format!("sharing {other}"),
        });
    }
    if let Some(tmpfs) = mount.tmpfs_opt.filter(|tmpfs| tmpfs.size != 0) {
        add(format!("size {}", tmpfs.size));
    }
    if let Some(secret) = &mount.secret_opt {
        let (id, mode) = (word(&secret.id), secret.mode);
        let (uid, gid) = (secret.uid, secret.gid);
        let optional = optional(secret.optional);
        add(format!(
            "id {id} mode {mode:04o} owner {uid}:{gid}{optional}"
        ));
    }
    if let Some(ssh) = &mount.ssh_opt {
        let (id, mode) = (word(&ssh.id), ssh.mode);
        let (uid, gid) = (ssh.uid, ssh.gid);
        let optional = optional(ssh.optional);
        add(format!(
            "id {id} mode {mode:04o} owner {uid}:{gid}{optional}"
        ));
    }
    let is_bind = mount.mount_type == i32::from(pb::MountType::Bind);
    match mount.input {
        -1 if is_bind => add("scratch".to_owned()),
        -1 => {}
        input => add(format!("from {}", names.numbered(op, input))),
    }
    if !mount.selector.is_empty() {
        add(format!("selector {}", word(&mount.selector)));
    }
    if mount.readonly {
        add("readonly".to_owned());
    }
    if !mount.result_id.is_empty() {
        add(format!("result {}", word(&mount.result_id)));
    }
    match mount.content_cache {
        0 => {}
        1 => add("content-cache on".to_owned()),
        2 => add("content-cache off".to_owned()),
        other => add(format!("content-cache {other}")),
    }
    // Secrets and agents have number 0 by custom; it means nothing there.
    let is_file = mount.secret_opt.is_some() || mount.ssh_opt.is_some();
    match mount.output {
        0 if is_file => {}
        -1 if !is_bind && !is_file || mount.readonly => {}
        -1 => add("no-output".to_owned()),
        output => add(format!("output {output}")),
    }
    line
}

fn optional(optional: bool) -> &'static str {
    if optional { " optional" } else { "" }
}
