package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// by is who asks, for the record: whose token it is, whatever the request says.
// Who needs none is who he says he is.
func by(ctx context.Context, said string) string {
	who := access.From(ctx)
	name := who.Name
	if name == "" {
		name = who.Token
	}
	switch {
	case name == "":
		return said
	case said == "" || said == name:
		return name
	}
	return name + " (for " + said + ")"
}

// What a history keeps of who asked and why has to have an end, and so has the
// ID of a command, of which every state keeps the latest. Package wire says the
// same of requests that are no commands.
const (
	mostBy      = 256
	mostReason  = 4096
	mostCommand = 64
)

// signed is a command that says who asks. One that no person sends is refused:
// those of workers and clocks come by other ways.
func signed(ctx context.Context, c process.Command) (process.Command, error) {
	var err error
	sign := func(a *process.Asked) {
		if len(a.By) > mostBy || len(a.Reason) > mostReason || len(a.Command) > mostCommand {
			err = newProblem(http.StatusBadRequest, wire.CodeInvalid, "by has %d bytes, reason %d and command %d: give at most %d, %d and %d",
				len(a.By), len(a.Reason), len(a.Command), mostBy, mostReason, mostCommand)
		}
		if a.By = by(ctx, a.By); strings.HasPrefix(a.By, orchestrator.ParentSign) {
			err = newProblem(http.StatusBadRequest, wire.CodeInvalid, "by=%q is how processes sign what they ask of their children: write who you are", a.By)
		}
	}
	switch own := c.(type) {
	case process.StartProcess:
		if own.Parent != nil {
			err = newProblem(http.StatusBadRequest, wire.CodeInvalid, "a process is started as the child of another by that alone: leave out its parent")
		}
		sign(&own.Asked)
		c = own
	case process.CancelProcess:
		sign(&own.Asked)
		c = own
	case process.PauseProcess:
		sign(&own.Asked)
		c = own
	case process.ResumeProcess:
		sign(&own.Asked)
		c = own
	case process.RetryTasks:
		sign(&own.Asked)
		c = own
	case process.RestartFrom:
		sign(&own.Asked)
		c = own
	case process.ReviseProcess:
		sign(&own.Asked)
		c = own
	default:
		err = newProblem(http.StatusBadRequest, wire.CodeInvalid, "that is no command of a person: those of workers and clocks are not taken here")
	}
	return c, err
}
