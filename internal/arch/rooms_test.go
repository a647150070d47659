package arch

import (
	"slices"
	"strings"
)

// room is a line of the table: what the packages at a path may import besides
// the standard library. Packages of this module are relative paths, "." is its
// root; "..." at the end stands for all below.
type room struct {
	path  string
	may   []string
	never []string          // nevertheless not
	only  map[string]string // imports that some files may have: the patterns of their names
	pure  bool              // of the standard library only what does no IO; no clock, no randomness
}

var (
	client = []string{"github.com/nats-io/nats.go", "github.com/nats-io/nats.go/jetstream", "internal/natsconn"}
	suite  = []string{"github.com/stretchr/testify/assert", "github.com/stretchr/testify/require", "golang.org/x/sync/errgroup"}
	local  = []string{"gocloud.dev/blob", "gocloud.dev/blob/fileblob", "gocloud.dev/blob/memblob", "gocloud.dev/gcerrors"}
	core   = []string{"task", "orchestrator/definition", "orchestrator/process"}
	cloud  = []string{
		"gocloud.dev/blob/s3blob", "gocloud.dev/blob/gcsblob", "gocloud.dev/blob/azureblob",
		"github.com/aws/...", "cloud.google.com/...", "github.com/Azure/...", "google.golang.org/api/...",
	}
)

// sdk makes and exports spans. Only a program that has somewhere to send them links it.
var sdk = []string{"go.opentelemetry.io/otel/sdk/...", "go.opentelemetry.io/otel/exporters/..."}

const esdbClient = "github.com/EventStore/EventStore-Client-Go/v4/"

// rooms is the table. A package without a line is an error: decide first.
var rooms = []room{
	{path: "task", pure: true},
	{path: "orchestrator/definition", may: core[:1], pure: true},
	{path: "orchestrator/definition/parse", may: slices.Concat(core[:2], []string{"go.yaml.in/yaml/v3", "github.com/google/jsonschema-go/jsonschema", "github.com/expr-lang/expr/..."})},
	{path: "orchestrator/process", may: slices.Concat(core[:2], []string{"internal/amount", "internal/planted"}), pure: true},
	{
		path: "orchestrator", may: slices.Concat(core, []string{"events", "queue", "blob", "internal/amount", "internal/metrics", "internal/planted", "internal/tracing", "github.com/oklog/ulid/v2"}),
		only: map[string]string{"blob": "snapshot*.go views*.go archive*.go reuse*.go"},
	},
	{path: "worker", may: []string{"task", "queue", "blob", "internal/metrics", "internal/tracing", "worker/standard"}},
	{path: "worker/standard", may: []string{"task", "github.com/klauspost/compress/gzip", "github.com/klauspost/compress/zstd"}},
	{path: "sdk/python"},
	{path: "specs", may: core},
	{path: "specs/file", may: slices.Concat(core, []string{"specs", "orchestrator/definition/parse"})},
	{path: "specs/aggregate", may: slices.Concat(core, []string{"specs"})},
	{path: "events"},
	{path: "events/mem", may: []string{"events"}},
	{path: "events/nats", may: slices.Concat(client, []string{"events", "internal/eventdriver"})},
	{path: "events/esdb", may: []string{
		"events", "internal/eventdriver", esdbClient + "esdb", "github.com/google/uuid", "golang.org/x/sync/errgroup",
		"google.golang.org/grpc/codes", "google.golang.org/grpc/metadata", "google.golang.org/grpc/status",
	}},
	{path: "events/storetest", may: slices.Concat(suite, []string{"events", "github.com/anishathalye/porcupine"})},
	{path: "queue"},
	{path: "queue/mem", may: []string{"queue"}},
	{path: "queue/nats", may: slices.Concat(client, []string{"queue"})},
	{path: "queue/queuetest", may: slices.Concat(suite, []string{"queue"})},
	{path: "blob", may: slices.Concat(local, []string{"task", "golang.org/x/sync/errgroup", "golang.org/x/sys/unix"})},
	{path: "blob/blobtest", may: slices.Concat(local, suite, []string{"task", "blob"})},
	{path: "blob/cloud", may: slices.Concat(local, cloud, []string{"blob"})},
	{path: "api", may: slices.Concat(core, []string{
		".", "internal/access", "internal/upkeep", "api/wire", "internal/metrics", "orchestrator", "events", "queue", "blob", "internal/tracing", "golang.org/x/sync/errgroup", "github.com/oklog/ulid/v2",
		"github.com/danielgtaylor/huma/v2", "github.com/danielgtaylor/huma/v2/adapters/humago",
	})},
	{path: "api/wire", may: slices.Concat(core, []string{"events", "orchestrator", "queue", "blob"})},
	{path: "api/client", may: slices.Concat(core, []string{
		"api/wire", "events", "internal/eventdriver", "queue", "blob", "orchestrator", "internal/tracing", "gocloud.dev/blob", "gocloud.dev/blob/driver", "gocloud.dev/gcerrors",
	})}, // never the root: that one uses it
	{path: "internal/amount", pure: true},
	{path: "internal/draw", may: core[:2]},
	{path: "internal/whatif", may: slices.Concat(core, []string{"internal/amount"}), pure: true},
	{path: "internal/dryrun", may: core},
	{path: "internal/autoscale", may: []string{"task", "internal/amount"}},
	{path: "internal/gc", may: slices.Concat(core, []string{"events", "blob", "orchestrator", "api/wire"})},
	{path: "internal/quarantine", may: []string{"task", "queue", "api/wire"}},
	{path: "internal/cached", may: slices.Concat(core, []string{".", "blob", "orchestrator"})},
	{path: "internal/plan", may: slices.Concat(core[2:], []string{".", "task", "blob", "orchestrator", "internal/cached", "internal/dryrun"})},
	{path: "internal/upkeep", may: []string{".", "task", "orchestrator", "api/wire", "api/client", "internal/access", "internal/cached", "internal/gc"}}, // what only operators need
	{path: "internal/access", may: []string{"events", "api/wire", "github.com/oklog/ulid/v2"}},
	{path: "internal/esdbtest", may: []string{esdbClient + "protos/...", "google.golang.org/grpc", "google.golang.org/grpc/..."}},
	{path: "internal/cloudtest", may: slices.Concat(local, suite, cloud, []string{"gocloud.dev/gcp"})},
	{path: "internal/eventdriver", may: []string{"events"}},
	{path: "internal/natsconn", may: slices.Concat(client[:2], []string{"github.com/nats-io/nats-server/v2/server", "github.com/nats-io/nkeys", "github.com/gofrs/flock"})},
	{path: "internal/natscluster", may: slices.Concat(suite[1:2], []string{"internal/natsconn", "github.com/nats-io/nats-server/v2/server"})},
	{path: "internal/natsaccounts", may: []string{"queue", "internal/natsconn", "github.com/nats-io/nkeys"}},
	{path: "internal/natsproc", may: []string{"internal/natsconn", "github.com/nats-io/nats-server/v2/server"}},
	{path: "internal/metrics", may: []string{
		"github.com/prometheus/client_golang/prometheus", "github.com/prometheus/client_golang/prometheus/collectors",
		"github.com/prometheus/client_golang/prometheus/promhttp",
	}},
	{path: "internal/folder"},
	{path: "internal/eventstore", may: slices.Concat(client[:2], []string{"events", "events/nats", "events/esdb"})}, // which one a URL means, and whether it is that of the queues
	{path: "internal/doctor", may: slices.Concat(client, []string{
		"internal/amount", "task", "events", "events/nats", "queue", "queue/nats", "blob", "orchestrator", "api/wire", "internal/amount", "internal/eventstore", "internal/folder",
	})},
	{path: "internal/metrics/metricstest", may: []string{"internal/metrics"}},
	{path: "internal/arch"},
	{path: "internal/tlstest", may: suite[1:2]},
	{path: "internal/tmpfs"},
	{path: "internal/planted", pure: true},
	{path: "internal/whole"},
	{path: "internal/bench", may: []string{".", "internal/natsconn", "worker", "internal/bench/raw", "internal/bench/wordcount", "golang.org/x/sync/errgroup"}},   // deed as a user of the library has it
	{path: "internal/bench/raw", may: []string{"github.com/nats-io/nats.go", "github.com/nats-io/nats.go/jetstream", "github.com/nats-io/nats-server/v2/server"}}, // nothing of deed
	{path: "internal/bench/wordcount", may: []string{".", "task", "worker", "examples/wordcount/words", "golang.org/x/sync/errgroup"}},
	{path: "internal/tracing", may: []string{
		"go.opentelemetry.io/otel/attribute", "go.opentelemetry.io/otel/codes", "go.opentelemetry.io/otel/propagation",
		"go.opentelemetry.io/otel/trace", "go.opentelemetry.io/otel/trace/noop",
	}},
	{path: "examples/...", may: []string{".", "worker", "examples/..."}},                        // what a user of the library needs
	{path: "examples/forecast/prepare", may: []string{"github.com/parquet-go/parquet-go"}},      // a module of its own
	{path: ".", may: []string{"..."}, never: slices.Concat(cloud, sdk, []string{"blob/cloud"})}, // or every user of the library would link them
	{path: "cmd/deed", may: []string{"..."}},
	{path: "deploy/kubernetes/schemas", may: []string{"go.yaml.in/yaml/v3"}},
}

// pureStd is the standard library without IO, clocks and randomness.
var pureStd = strings.Fields(`bytes cmp container/heap crypto/sha256 encoding/binary encoding/hex encoding/json errors
	fmt hash io/fs iter maps math math/bits reflect regexp regexp/syntax slices sort strconv strings time unicode unicode/utf8`)

// impure are those names of such packages that are not pure. For io/fs, which
// pure code needs for the rules of paths only, everything else is.
func impure(imported, name string) bool {
	switch imported {
	case "time":
		return slices.Contains(strings.Fields("Now Since Until After AfterFunc Sleep Tick NewTimer NewTicker LoadLocation Local"), name)
	case "fmt":
		return strings.HasPrefix(name, "Print") || strings.HasPrefix(name, "Scan")
	case "io/fs":
		return name != "ValidPath"
	}
	return false
}
