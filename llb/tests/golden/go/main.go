// Builds graphs with BuildKit's own Go client and prints their bytes, for
// llb/tests/go_bytes.rs, which builds the same graphs under the same names.
//
//	go mod tidy && go run . > ../go-v0.32.2.txt
package main

import (
	"context"
	"fmt"
	"net"
	"sort"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/llbbuild"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/protobuf/proto"
)

const dgst = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func must(err error) {
	if err != nil {
		panic(err)
	}
}

var amd64 = llb.Platform(ocispecs.Platform{OS: "linux", Architecture: "amd64"})
var arm = llb.Platform(ocispecs.Platform{OS: "linux", Architecture: "arm", Variant: "v7"})

// emit prints the ops of a graph in their order, each with its capabilities,
// and the bytes of the definition as a whole if asked to.
func emit(name string, st llb.State, whole bool) {
	def, err := st.Marshal(context.TODO(), amd64, llb.LocalUniqueID(""), llb.WithCaps(pb.Caps.CapSet(pb.Caps.All())))
	must(err)
	fmt.Println("case", name)
	p := def.ToPB()
	for _, op := range p.Def {
		fmt.Printf("op %x\n", op)
		var caps []string
		for c := range p.Metadata[string(digest.FromBytes(op))].Caps {
			caps = append(caps, c)
		}
		sort.Strings(caps)
		fmt.Println("caps", strings.Join(caps, " "))
	}
	if whole {
		dt, err := proto.MarshalOptions{Deterministic: true}.Marshal(p)
		must(err)
		fmt.Printf("definition %x\n", dt)
	}
}

func main() {
	fmt.Println("# Definitions as the Go client of moby/buildkit v0.32.2 encodes them; made by go/main.go.")

	image := llb.Image("golang:1.26", amd64)
	local := llb.Local("context", llb.SessionID("s1"))

	emit("image", llb.Image("golang:1.26", arm, llb.ResolveModeForcePull, llb.MarkImageInternal, llb.WithLayerLimit(2), llb.WithImageChecksum(dgst), llb.Require("a==b", "c")), false)
	emit("image-local", llb.Image("ghcr.io/a/b:c@"+dgst, amd64, llb.ResolveModePreferLocal), false)
	emit("oci-layout", llb.OCILayout("base@"+dgst, amd64, llb.OCIStore("s1", "base"), llb.OCILayerLimit(3)), false)
	emit("image-blob", llb.ImageBlob("alpine@"+dgst, llb.Filename("f"), llb.Chmod(0o640), llb.Chown(1, 2)), false)
	emit("oci-layout-blob", llb.OCILayoutBlob("alpine@"+dgst, llb.ImageBlobOCIStore("s1", "st")), false)
	emit("local", llb.Local("context", llb.SessionID("s1"), llb.IncludePatterns([]string{"go.mod", "**/*.go", "<a&b>\"\\\x01"}), llb.ExcludePatterns([]string{".git"}), llb.FollowPaths([]string{"a", "b/*"}), llb.SharedKeyHint("h"), llb.Differ(llb.DiffNone, false)), false)
	emit("local-metadata", llb.Local("context", llb.SessionID("s1"), llb.MetadataOnlyTransfer([]string{"x"}), llb.Differ(llb.DiffMetadata, false)), false)
	// The value of local.unique is empty: an empty value in a map.
	emit("local-unique", llb.Local("context"), false)
	emit("git", llb.Git("https://u@example.com/a/b.git", "v1:sub/dir", llb.KeepGitDir(), llb.GitChecksum("abc"), llb.GitSkipSubmodules(), llb.GitMTimeCommit(), llb.GitFetchByCommit()), false)
	emit("git-ssh", llb.Git("git@example.com:a/b.git", "", llb.KnownSSHHosts("example.com k"), llb.AuthTokenSecret("t"), llb.AuthHeaderSecret("h")), false)
	emit("git-bundle", llb.Git("example.com/a", "", llb.GitChecksum("abc"), llb.GitBundleURL("oci-layout+blob://x@"+dgst, llb.GitBundleOCIStore("s1", "st")), llb.GitCheckoutBundle()), false)
	emit("http", llb.HTTP("https://example.com/f", llb.Checksum(dgst), llb.Filename("f"), llb.Chmod(0o755), llb.Chown(1, 2), llb.AuthHeaderSecret("h"), llb.Header(llb.HTTPHeader{Accept: "a/b", UserAgent: "ua"}), llb.VerifyPGPSignature(llb.HTTPSignatureInfo{PubKey: []byte("k"), Signature: []byte("s")})), false)

	emit("exec", image.Run(llb.Args([]string{"true"})).Root(), false)

	// Outputs: mounts are numbered by target: "/" 0, "/b" 1, "/z" 2.
	st := image.Dir("/src").User("1:2").Hostname("h").Network(pb.NetMode_NONE).Security(pb.SecurityMode_INSECURE).WithCgroupParent("cg").
		AddEnv("B", "2").AddEnv("A", "1").AddEnv("B", "").
		AddExtraHost("x", net.ParseIP("1.2.3.4")).AddUlimit(llb.UlimitNofile, 1, -1)
	ex := st.Run(
		llb.Args([]string{"go", "build", ""}),
		llb.WithProxy(llb.ProxyEnv{HTTPProxy: "h", HTTPSProxy: "hs", FTPProxy: "f", NoProxy: "n", AllProxy: "a"}),
		llb.ValidExitCodes(0, 3, -1),
		llb.AddCDIDevice(llb.CDIDeviceName("v/d=x"), llb.CDIDeviceOptional),
		llb.AddMount("/z", llb.Scratch()),
		llb.AddMount("/ro", local, llb.Readonly, llb.SourcePath("sub"), llb.ContentCache(llb.MountContentCacheOn)),
		llb.AddMount("/b", local),
		llb.AddMount("/t", local, llb.ForceNoOutput, llb.ContentCache(llb.MountContentCacheOff)),
		llb.AddMount("/cache", llb.Scratch(), llb.AsPersistentCacheDir("id", llb.CacheMountLocked)),
		llb.AddMount("/cache2", image, llb.AsPersistentCacheDir("id2", llb.CacheMountPrivate), llb.SourcePath("s"), llb.Readonly),
		llb.AddMount("/tmp", llb.Scratch(), llb.Tmpfs(llb.TmpfsSize(64))),
		llb.AddMount("/tmp2", llb.Scratch(), llb.Tmpfs()),
		llb.AddSecret("/run/secrets/netrc", llb.SecretID("netrc"), llb.SecretOptional, llb.SecretFileOpt(1, 2, 0o440)),
		llb.AddSecretWithDest("tok", nil, llb.SecretAsEnvName("TOKEN"), llb.SecretOptional),
		llb.AddSecretWithDest("tok2", nil, llb.SecretAsEnvName("tok2")),
		llb.AddSecret("/a-secret", llb.SecretID("x")),
		llb.AddSSHSocket(llb.SSHID("default"), llb.SSHOptional),
		llb.AddSSHSocket(llb.SSHID("other"), llb.SSHSocketOpt("/sock", 1, 2, 0o666)),
		arm,
	)
	emit("exec-full", ex.GetMount("/z"), false)
	ro := image.Run(llb.Args([]string{"x"}), llb.ReadonlyRootFS(), llb.AddMount("/out", llb.Scratch()))
	emit("exec-readonly", ro.GetMount("/out"), false)

	copyAll := &llb.CopyInfo{Mode: &llb.ChmodOpt{Mode: 0o4755}, FollowSymlinks: true, CopyDirContentsOnly: true, IncludePatterns: []string{"a", "b"}, ExcludePatterns: []string{"c"}, RequiredPaths: []string{"a"}, AttemptUnpack: true, CreateDestPath: true, AllowWildcard: true, AllowEmptyWildcard: true, AlwaysReplaceExistingDestPaths: true}
	epoch := llb.WithCreatedTime(time.Unix(0, 0))
	emit("file-copy", llb.Scratch().File(llb.Copy(local, "src/*", "dst/", copyAll, llb.WithUIDGID(0, 0), epoch)), false)
	emit("file-copy-plain", image.File(llb.Copy(local, "/", "/.")), false)
	emit("file-copy-mode", image.File(llb.Copy(image, "/a", "/b", llb.ChmodOpt{ModeStr: "u=rwX,go=rX"}, llb.WithUser("www:0"))), false)
	t := llb.WithCreatedTime(time.Unix(1, 5))
	emit("file-all", image.File(
		llb.Mkdir("/d", 0o755).
			Mkdir("d/e", 0o4700, llb.WithParents(true), llb.WithUser("root"), epoch).
			Mkfile("/d/f", 0o600, []byte("data\x00"), llb.WithUser("u:g"), t).
			Mkfile("/empty", 0, nil).
			Symlink("../x", "/l", llb.WithUIDGID(7, 8), t).
			Symlink("a", "b").
			Copy(local, "/x", "/y").
			Copy(image, "/x", "/z").
			Rm("/d/f").
			Rm("/d/*", llb.WithAllowNotFound(true), llb.WithAllowWildcard(true))), false)
	emit("file-scratch-named", llb.Scratch().File(llb.Mkfile("/f", 0o644, []byte("x"), llb.WithUser("u"))), false)

	a := llb.Scratch().File(llb.Mkfile("/a", 0o644, []byte("a")))
	b := image.File(llb.Mkfile("/b", 0o644, []byte("b")))
	emit("merge", llb.Merge([]llb.State{image, a, b, a}), false)
	emit("diff", llb.Diff(image, b), false)
	emit("diff-same", llb.Diff(image, image), false)
	emit("diff-upper-scratch", llb.Diff(image, llb.Scratch()), false)
	emit("build", a.With(llbbuild.Build(llbbuild.WithFilename("a"))), false)
	emit("build-plain", a.With(llbbuild.Build()), false)
	emit("passthrough", a.Requires("id", b, image), false)
	pt := llb.NewPassthroughOp("p", []llb.PassthroughInput{{State: a, Output: true}, {State: b}, {State: image, Output: true}})
	emit("passthrough-second", llb.NewState(pt.OutputAt(1)), false)

	// Metadata, locations, shared vertices: the whole definition.
	sm := llb.NewSourceMap(&local, "fleet.yaml", "YAML", []byte("a: b\n"))
	sm2 := llb.NewSourceMap(nil, "other", "", []byte("x"))
	at := func(l1, l2 int32) []*pb.Range {
		return []*pb.Range{{Start: &pb.Position{Line: l1}, End: &pb.Position{Line: l2, Character: 4}}}
	}
	base := llb.Image("alpine", amd64, llb.WithCustomName("[base] alpine"), sm.Location(at(1, 1)))
	one := base.Run(llb.Args([]string{"one"}), llb.IgnoreCache, llb.ProgressGroup("g", "group", true), sm.Location(at(2, 3)), sm2.Location(at(1, 1)), llb.WithoutExportCache()).Root()
	two := base.Run(llb.Args([]string{"two"}), llb.WithExportCache(), llb.WithDescription(map[string]string{"k": "", "": "v"}),
		llb.WithLinuxResources(llb.LinuxResources{Memory: 1, MemorySwap: -1, CPUShares: 2, CPUPeriod: 3, CPUQuota: -4, CpusetCpus: "0", CpusetMems: "1"})).Root()
	emit("whole", llb.Merge([]llb.State{one, two, base}, llb.WithCustomName("all")), true)
}
