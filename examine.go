package deed

import (
	"context"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/doctor"
	"github.com/deedrun/deed/internal/natsconn"
)

// Examine looks for what is wrong with what the runtime stands on, which it has
// itself. ask writes the command line of who asks there, for advice; nil: as the
// options say.
func (r *Runtime) Examine(ctx context.Context, ask func(words ...string) string) []wire.Finding {
	o := r.options
	return doctor.ExamineOpen(ctx, doctor.Examination{
		Dir: o.Dir, Server: o.Server, Token: o.Token, Blobs: o.Blobs, NATS: natsconn.Credentials(o.NATS), Events: o.Events,
		Version: o.Version, Log: o.Log, Ask: ask,
	}, doctor.Runtime{Serving: r.Serving, Conn: r.conn, Events: r.events, Signals: r.Signals, Blobs: r.Blobs})
}
