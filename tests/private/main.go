// Command private is what a company keeps behind its login, for tests: a module
// proxy, git servers over https and ssh, and an ssh agent, on loopback addresses.
//
// It reads modules and repositories from folders of -dir, which tests fill:
//
//	modules/PATH/@v/VERSION/   files of a module of the private proxy
//	partner/PATH/@v/VERSION/   files of a module of the partner's proxy
//	public/PATH/@v/VERSION/    files of a module of the public proxy
//	git/HOST/PATH.git          bare repositories of a git host
//	vanity/PATH                the address of the repository of go.corp.example/PATH
//
// and writes there: tls/ (certificates), ssh/ (keys, the agent's socket) and
// requests, one line of JSON for each request. When all servers listen it prints
// one line of JSON that says what they are called. It ends, with all that it
// started, when its standard input is closed, and removes the folder.
package main

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
)

// Names of the hosts, which steps learn by --add-host.
const (
	proxyHost  = "goproxy.corp.example"
	publicHost = "public.example"
	gitHost    = "git.corp.example"
	mtlsHost   = "mtls.corp.example"
	sshHost    = "ssh.corp.example"
	vanityHost = "go.corp.example"
	// Of another company, which has logins of its own.
	partnerProxyHost = "goproxy.partner.example"
	partnerGitHost   = "git.partner.example"
	// A module proxy with faults, one that takes connections and says nothing, and a name
	// that the certificate has not.
	faultyHost  = "faulty.example"
	silentHost  = "silent.example"
	strangeHost = "strange.example"
)

var hosts = []string{
	proxyHost, publicHost, gitHost, mtlsHost, sshHost, vanityHost, faultyHost, silentHost, strangeHost,
	partnerProxyHost, partnerGitHost,
}

// What a server may ask for. Values are new in every run, so that a test that
// finds one somewhere found it there because of this run.
type credentials struct {
	User     string `json:"user"`
	Password string `json:"password"`
	Token    string `json:"token"`
}

func newCredentials(user string) credentials {
	return credentials{User: user, Password: "pw-" + rand.Text(), Token: "tok-" + rand.Text()}
}

// The line that is printed when all servers listen.
type ready struct {
	credentials
	// Of the partner's servers.
	Partner credentials `json:"partner"`
	// Addresses by host name.
	Hosts map[string]string `json:"hosts"`
	// Files, absolute.
	CA          string `json:"ca"`
	ClientCert  string `json:"client_cert"`
	ClientKey   string `json:"client_key"`
	KnownHosts  string `json:"known_hosts"`
	SSHAuthSock string `json:"ssh_auth_sock"`
	// An agent without the key that the server knows.
	OtherSSHAuthSock string `json:"other_ssh_auth_sock"`
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("private: ")
	// What sshd starts for a client, and what starts sshd.
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "serve-ssh-session":
			check(serveSession(os.Args[2]))
			return
		case "become-sshd":
			check(becomeSSHD(os.Args[2], os.Args[3]))
			return
		}
	}
	dir := flag.String("dir", "", "folder to serve from and to write to")
	network := flag.String("net", "127.77.0", "the first three numbers of the addresses to listen on")
	sshd := flag.String("sshd", "/usr/sbin/sshd", "OpenSSH's server")
	flag.Parse()
	root, err := filepath.Abs(*dir)
	check(err)
	check(run(root, *network, *sshd))
}

func run(root, network, sshd string) error {
	ends := newEnds()
	defer ends.all()

	answer := ready{
		credentials: newCredentials("ci"),
		Partner:     newCredentials("partner"),
		Hosts:       map[string]string{},
	}
	for i, host := range hosts {
		answer.Hosts[host] = fmt.Sprintf("%s.%d", network, i+1)
	}
	named := slices.DeleteFunc(slices.Clone(hosts), func(host string) bool { return host == strangeHost })
	keys, err := newAuthority(filepath.Join(root, "tls"), named)
	if err != nil {
		return err
	}
	answer.CA, answer.ClientCert, answer.ClientKey = keys.caFile, keys.clientFiles[0], keys.clientFiles[1]

	requests, err := newRequests(filepath.Join(root, "requests"))
	if err != nil {
		return err
	}
	login, token := answer.credentials.login, answer.credentials.token
	servers := map[string]http.Handler{
		proxyHost:  login(proxy{filepath.Join(root, "modules")}),
		publicHost: proxy{filepath.Join(root, "public")},
		gitHost:    token(newGit(root, gitHost)),
		mtlsHost:   newGit(root, mtlsHost),
		// Git itself goes over ssh; this tells the go command where.
		sshHost: goGet{root, sshHost},
		// Anybody may ask this one, and git goes elsewhere.
		vanityHost:       vanity{filepath.Join(root, "vanity")},
		partnerProxyHost: answer.Partner.login(proxy{filepath.Join(root, "partner")}),
		partnerGitHost:   answer.Partner.token(newGit(root, partnerGitHost)),
		faultyHost:       &faulty{good: proxy{filepath.Join(root, "public")}, asked: map[string]int{}},
		strangeHost:      proxy{filepath.Join(root, "public")},
	}
	for _, port := range []string{":443", ":22"} {
		accepted := func() { requests.add(request{Host: silentHost, Path: "silent" + port}) }
		if err := silent(answer.Hosts[silentHost]+port, accepted); err != nil {
			return err
		}
	}
	failed := make(chan error)
	for host, handler := range servers {
		listener, err := net.Listen("tcp", answer.Hosts[host]+":443")
		if err != nil {
			return err
		}
		config := &tls.Config{Certificates: []tls.Certificate{keys.server}}
		if host == mtlsHost {
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, keys.pool
		}
		server := &http.Server{
			Handler:   requests.record(host, handler),
			TLSConfig: config,
			// Clients that do not trust us are part of the tests.
			ErrorLog: log.New(io.Discard, "", 0),
		}
		if host == faultyHost {
			// Of several requests on one connection, no single one can be hung up on.
			server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
		}
		go func() { failed <- server.ServeTLS(listener, "", "") }()
	}

	ssh, err := startSSH(ends, root, answer.Hosts[sshHost], sshd)
	if err != nil {
		return err
	}
	answer.KnownHosts, answer.SSHAuthSock, answer.OtherSSHAuthSock = ssh.knownHosts, ssh.agent, ssh.otherAgent

	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		return err
	}
	closed := make(chan error)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		closed <- err
	}()
	select {
	case err := <-closed:
		// First, or they write into it once more.
		ends.all()
		return errors.Join(err, os.RemoveAll(root))
	case err := <-failed:
		return err
	case err := <-ends.early:
		return errors.Join(errors.New("sshd or ssh-agent ended"), err)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
