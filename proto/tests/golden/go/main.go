// Prints the messages, fields, enums and methods of BuildKit's protocol as its
// own Go packages hold them, for proto/tests/wire.rs.
//
//	go mod tidy && go run . > ../wire-v0.32.2.txt
package main

import (
	"fmt"
	"sort"

	worker "github.com/moby/buildkit/api/types"
	gateway "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	sourcepolicy "github.com/moby/buildkit/sourcepolicy/pb"
	caps "github.com/moby/buildkit/util/apicaps/pb"
	fsutil "github.com/tonistiigi/fsutil/types"
	rpc "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var lines []string

func line(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }

func enum(e protoreflect.EnumDescriptor) {
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		line("%s.%s %d", e.FullName(), v.Name(), v.Number())
	}
}

func message(m protoreflect.MessageDescriptor) {
	if m.IsMapEntry() {
		return
	}
	line("message %s", m.FullName())
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		line("%s %d %s", f.FullName(), f.Number(), kind(f))
	}
	for i := range m.Enums().Len() {
		enum(m.Enums().Get(i))
	}
	for i := range m.Messages().Len() {
		message(m.Messages().Get(i))
	}
}

func kind(f protoreflect.FieldDescriptor) string {
	if f.IsMap() {
		return fmt.Sprintf("map<%s, %s>", kind(f.MapKey()), kind(f.MapValue()))
	}
	k := f.Kind().String()
	switch f.Kind() {
	case protoreflect.MessageKind:
		k = string(f.Message().FullName())
	case protoreflect.EnumKind:
		k = string(f.Enum().FullName())
	}
	if f.IsList() {
		k = "repeated " + k
	}
	if o := f.ContainingOneof(); o != nil {
		k += " in " + string(o.Name())
	}
	return k
}

func main() {
	for _, file := range []protoreflect.FileDescriptor{
		worker.File_github_com_moby_buildkit_api_types_worker_proto,
		gateway.File_github_com_moby_buildkit_frontend_gateway_pb_gateway_proto,
		pb.File_github_com_moby_buildkit_solver_pb_ops_proto,
		sourcepolicy.File_github_com_moby_buildkit_sourcepolicy_pb_policy_proto,
		caps.File_github_com_moby_buildkit_util_apicaps_pb_caps_proto,
		fsutil.File_github_com_tonistiigi_fsutil_types_stat_proto,
		rpc.File_google_rpc_status_proto,
	} {
		for i := range file.Messages().Len() {
			message(file.Messages().Get(i))
		}
		for i := range file.Enums().Len() {
			enum(file.Enums().Get(i))
		}
		for i := range file.Services().Len() {
			s := file.Services().Get(i)
			for i := range s.Methods().Len() {
				m := s.Methods().Get(i)
				line("%s %s %v %s %v", m.FullName(), m.Input().FullName(), m.IsStreamingClient(), m.Output().FullName(), m.IsStreamingServer())
			}
		}
	}
	sort.Strings(lines)
	fmt.Println("# The protocol as the Go packages of moby/buildkit v0.32.2 hold it; made by go/main.go.")
	for _, l := range lines {
		fmt.Println(l)
	}
}
