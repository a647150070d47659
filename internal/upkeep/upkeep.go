// Package upkeep is what operators do to the stores themselves, and to no process:
// archives, retention, views, garbage, quarantine, tokens, workers that are to leave.
//
// It is done by whoever has the stores: in this process, or, if the runtime asks a
// server by its API, there. [Of] decides that, once for all of it. What such a
// server refuses is a *orchestrator.AnswerError or a *wire.Problem.
package upkeep

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/orchestrator"
)

// Upkeep is that of one deed.
type Upkeep interface {
	// Due lists what ended before a time and is not archived yet, of the definition
	// of a name if that is given; or, with the zero time, what the retention settings
	// ask for now.
	Due(ctx context.Context, before time.Time, name string) ([]orchestrator.Due, error)

	// Archive moves the history of an ended process into a file, RemoveArchive removes
	// that for good, and ImportArchive takes in one from elsewhere; see
	// [orchestrator.Archive].
	Archive(ctx context.Context, id string, who wire.Asked) (wire.Archived, error)
	RemoveArchive(ctx context.Context, id string, who wire.Asked) (wire.Archived, error)
	ImportArchive(ctx context.Context, file io.ReadSeeker, who wire.Asked) (wire.Archived, error)

	// SetRetention sets how long the processes of a definition stay, and
	// UnsetRetention takes that back; known is false if there is no setting.
	SetRetention(ctx context.Context, set orchestrator.Retention) error
	UnsetRetention(ctx context.Context, name string, who wire.Asked) (known bool, err error)

	// ViewStatus says of each view what is stored of it; RebuildViews folds them from
	// the first event, compares them with the stored ones, and stores them.
	ViewStatus(ctx context.Context) ([]orchestrator.ViewStatus, error)
	RebuildViews(ctx context.Context) (orchestrator.Rebuilt, error)

	// CollectGarbage finds the blobs that no process refers to, and removes them if it
	// is asked to. On an error what was done by then may be in the report.
	CollectGarbage(ctx context.Context, by wire.GC) (wire.GCReport, error)

	// ClearCache takes out of the cache what tasks left for later ones: all of it, or
	// what those of a process left, or of one of its steps. A server does not do so.
	ClearCache(ctx context.Context, process, address string) (cleared int, err error)

	// Quarantine lists the messages that could not be used, the oldest first;
	// Quarantined is one of them, and RetryQuarantined sends it again to the queue that
	// it came from. ok is false if there is none of that number.
	Quarantine(ctx context.Context) ([]wire.Quarantined, error)
	Quarantined(ctx context.Context, number uint64) (m wire.Quarantined, ok bool, err error)
	RetryQuarantined(ctx context.Context, number uint64) (ok bool, err error)

	// IssueToken issues a token for the API; its text is told here, and never again.
	// Tokens lists them, those that open nothing any more, too. RevokeToken makes one
	// open nothing any more, at all servers; known is false if there is no such token.
	IssueToken(ctx context.Context, wish wire.NewToken) (wire.IssuedToken, error)
	Tokens(ctx context.Context) ([]wire.Token, error)
	RevokeToken(ctx context.Context, id, by string) (token wire.Token, known bool, err error)

	// WhoAmI is who asks: to a server whoever shows the token, and else whoever has
	// the folder, who may do everything.
	WhoAmI(ctx context.Context) (wire.Principal, error)

	// DrainWorker tells a worker, wherever it is, to finish what it executes, to hand
	// back what it only holds, and to end. A signal may be missed: whether it does is
	// to be seen in what Look says of it (Draining, then gone), and else it is to be
	// told again.
	DrainWorker(ctx context.Context, name string) error
}

// Of is the upkeep of what a runtime stands on.
func Of(r *deed.Runtime) Upkeep {
	if c := r.Remote(); c != nil {
		return remote{c}
	}
	return Here(r, access.NewTokens(r.Events, nil))
}

// Here is the upkeep of a runtime that has the stores, with the tokens of a server:
// what is revoked here that refuses at once.
func Here(r *deed.Runtime, tokens *access.Tokens) Upkeep { return local{r, tokens} }

// remote has a server do it.
type remote struct{ *client.Client }

func (remote) ClearCache(context.Context, string, string) (int, error) {
	return 0, errors.New("the cache of a server is cleared where its blobs can be reached: there, give --data, or --nats and --blobs")
}

func (r remote) ImportArchive(ctx context.Context, file io.ReadSeeker, who wire.Asked) (wire.Archived, error) {
	return r.Client.ImportArchive(ctx, file, who)
}
