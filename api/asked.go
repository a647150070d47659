package api

import (
	"context"

	"github.com/deedrun/deed/api/access"
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

// signed is a command that says who asks. ok is false for a command that no
// person sends.
func signed(ctx context.Context, c process.Command) (_ process.Command, ok bool) {
	switch c := c.(type) {
	case process.StartProcess:
		c.By = by(ctx, c.By)
		return c, true
	case process.CancelProcess:
		c.By = by(ctx, c.By)
		return c, true
	case process.PauseProcess:
		c.By = by(ctx, c.By)
		return c, true
	case process.ResumeProcess:
		c.By = by(ctx, c.By)
		return c, true
	case process.RetryTasks:
		c.By = by(ctx, c.By)
		return c, true
	case process.RestartFrom:
		c.By = by(ctx, c.By)
		return c, true
	case process.ReviseProcess:
		c.By = by(ctx, c.By)
		return c, true
	}
	return nil, false
}
