package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// What clients of the ssh server need.
type sshFiles struct {
	knownHosts, agent, otherAgent string
}

// startSSH starts OpenSSH's server on port 22 of address, and two agents.
func startSSH(ends *ends, root, address, sshd string) (sshFiles, error) {
	dir := filepath.Join(root, "ssh")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return sshFiles{}, err
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"host", "user", "other"} {
		if err := quiet(exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", in(name))); err != nil {
			return sshFiles{}, err
		}
	}
	host, err := os.ReadFile(in("host.pub"))
	if err != nil {
		return sshFiles{}, err
	}
	user, err := os.ReadFile(in("user.pub"))
	if err != nil {
		return sshFiles{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return sshFiles{}, err
	}
	files := map[string]string{
		"known_hosts": sshHost + " " + string(host),
		"authorized_keys": fmt.Sprintf("restrict,command=\"%s serve-ssh-session %s\" %s",
			self, root, user),
		"sshd_config": strings.Join([]string{
			"ListenAddress " + address + ":22",
			"HostKey " + in("host"),
			"AuthorizedKeysFile " + in("authorized_keys"),
			"AuthenticationMethods publickey",
			// The folders above ours are the machine's.
			"StrictModes no",
			"UsePAM no",
			"PidFile none",
			"UseDNS no",
			"PermitUserRC no",
			"PrintMotd no",
			"PrintLastLog no",
			// Tests fetch side by side.
			"MaxStartups 100",
		}, "\n") + "\n",
		// The user that people write in ssh addresses, and the one that sshd insists on.
		"passwd": "root:*:0:0::/:/bin/sh\ngit:*:0:0::/:/bin/sh\nsshd:*:65533:65534::/run/sshd:/bin/false\n",
	}
	for name, text := range files {
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			return sshFiles{}, err
		}
	}

	// A server of the machine on all addresses would answer in place of ours.
	probe, err := net.Listen("tcp", address+":22")
	if err != nil {
		return sshFiles{}, err
	}
	probe.Close()
	server := exec.Command(self, "become-sshd", sshd, dir)
	log, err := os.Create(in("log"))
	if err != nil {
		return sshFiles{}, err
	}
	server.Stdout, server.Stderr = log, log
	// Mounts of its own: see becomeSSHD.
	server.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if err := ends.start(server); err != nil {
		return sshFiles{}, err
	}
	if err := greets(address + ":22"); err != nil {
		text, _ := os.ReadFile(in("log"))
		return sshFiles{}, fmt.Errorf("sshd does not answer: %w\n%s", err, text)
	}

	program, err := agentProgram(dir)
	if err != nil {
		return sshFiles{}, err
	}
	agent := func(key, socket string) (string, error) {
		if err := ends.start(exec.Command(program, "-D", "-a", in(socket))); err != nil {
			return "", err
		}
		var err error
		for range 200 {
			add := exec.Command("ssh-add", "-q", in(key))
			add.Env = append(os.Environ(), "SSH_AUTH_SOCK="+in(socket))
			if err = quiet(add); err == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		return in(socket), err
	}
	right, err := agent("user", "agent")
	if err != nil {
		return sshFiles{}, err
	}
	wrong, err := agent("other", "other-agent")
	return sshFiles{in("known_hosts"), right, wrong}, err
}

// agentProgram copies ssh-agent: Debian's has a setgid bit, and such programs do not
// hear from the kernel that the process that started them is gone.
func agentProgram(dir string) (string, error) {
	original, err := exec.LookPath("ssh-agent")
	if err != nil {
		return "", err
	}
	program, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	copied := filepath.Join(dir, "ssh-agent")
	return copied, os.WriteFile(copied, program, 0o700)
}

// becomeSSHD turns this process into sshd.
//
// sshd wants a user of its own, a folder of its own in /run, and a user to log in
// as. They are there in this process's mounts only, so nothing of it stays on the
// machine.
func becomeSSHD(sshd, dir string) error {
	mounts := errors.Join(
		syscall.Mount(filepath.Join(dir, "passwd"), "/etc/passwd", "", syscall.MS_BIND, ""),
		syscall.Mount("none", "/run", "tmpfs", 0, "mode=0755"),
		os.Mkdir("/run/sshd", 0o755),
	)
	if mounts != nil {
		return mounts
	}
	// A server that was unpacked and not installed has its libraries beside it.
	libraries, err := filepath.Glob(filepath.Join(filepath.Dir(sshd), "../lib/*"))
	if err != nil {
		return err
	}
	environment := append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
	// -D stays a child of the caller, -e logs to stderr.
	return syscall.Exec(sshd, []string{sshd, "-D", "-e", "-f", filepath.Join(dir, "sshd_config")}, environment)
}

// serveSession answers one client of sshd: `git-upload-pack '/PATH.git'`.
func serveSession(root string) error {
	asked := os.Getenv("SSH_ORIGINAL_COMMAND")
	path, ok := strings.CutPrefix(asked, "git-upload-pack '")
	path = strings.TrimPrefix(strings.TrimSuffix(path, "'"), "/")
	if !ok || !filepath.IsLocal(path) {
		return fmt.Errorf("only git-upload-pack is served here, not %q", asked)
	}
	record, err := newRequests(filepath.Join(root, "requests"))
	if err != nil {
		return err
	}
	record.add(request{Host: sshHost, Path: "ssh:/" + path})
	program, err := exec.LookPath("git")
	if err != nil {
		return err
	}
	return syscall.Exec(program, []string{"git", "upload-pack", filepath.Join(root, "git", sshHost, path)}, os.Environ())
}

// greets waits until a server says that it speaks ssh.
func greets(address string) error {
	var last error
	for range 200 {
		time.Sleep(20 * time.Millisecond)
		connection, err := net.Dial("tcp", address)
		if err != nil {
			last = err
			continue
		}
		greeting := make([]byte, 4)
		_, last = io.ReadFull(connection, greeting)
		connection.Close()
		if last == nil && string(greeting) == "SSH-" {
			return nil
		}
	}
	return last
}

// quiet runs a command whose output matters only when it fails.
func quiet(command *exec.Cmd) error {
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command.Args[0], err, output)
	}
	return nil
}
